"""Cards, numbers and sentences: what is written is what is there."""

import json
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from dashboard.components.segment_table import segment_table
from dashboard.frames.aggregates import Totals, aggregate_customers, segment_totals, totals_of
from dashboard.frames.columns import CustomerColumns
from dashboard.frames.run import RunFrame
from dashboard.i18n import numbers
from dashboard.i18n.numbers import change
from dashboard.pages.segments.view import clv_interval, kpi_row
from dashboard.queries.history import DatedTotals
from dashboard.queries.insights import insights_in_view, sentences_of
from engines.contract import NamedSegment
from engines.value.validation.spread import TotalSpread
from storage.contract import Selection
from tests.dashboard.headless import words

SPACE = "\u00a0"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (numbers.count(1234), "1,234"),
        (numbers.count(None), "–"),
        (numbers.short_money(8_911_407.904, "GBP"), f"£8.91{SPACE}M"),
        (numbers.short_money(999_999.0, "GBP"), f"£1.00{SPACE}M"),
        (numbers.short_money(143_210.4, "GBP"), "£143,210"),
        (numbers.short_money(-2.9, "EUR"), "-€2.90"),
        (numbers.short_money(float("nan"), "EUR"), "–"),
        (numbers.money(8_911_407.904, "GBP"), "£8,911,407.90"),
        (numbers.money(-0.001, "GBP"), "£0.00"),
        (numbers.money(1200.0, "JPY"), "¥1,200"),
        (numbers.money(5.0, "SEK"), f"SEK{SPACE}5.00"),
        (numbers.round_money(1479.01, "GBP"), "£1,479"),
        (numbers.money(1234.5, ""), "1,234.50"),
        (numbers.money(-3.2, ""), "-3.20"),
        (numbers.short_money(8_911_407.904, ""), f"8.91{SPACE}M"),
        (numbers.hover_money("x", ""), "%{x:,.2f}"),
        (numbers.symbol(""), ""),
        (numbers.titled("Revenue", ""), "Revenue"),
        (numbers.titled("Revenue", "", log=True), "Revenue (logarithmic)"),
        (numbers.titled("Revenue", "EUR", log=True), "Revenue (EUR, logarithmic)"),
        (numbers.percent(0.2734), f"27.3{SPACE}%"),
        (numbers.percent(0.0002), f"<{SPACE}0.1{SPACE}%"),
        (numbers.percent(0.0), f"0.0{SPACE}%"),
        (numbers.days(1.0), f"1{SPACE}day"),
        (numbers.days(92.46), f"92.5{SPACE}days"),
        (numbers.day(date(2011, 12, 9)), "9 Dec 2011"),
        (numbers.plural(1, "{n} customer", "{n} customers"), "1 customer"),
        (numbers.plural(1234, "{n} country", "{n} countries"), "1,234 countries"),
        (str(numbers.significant(1025.07)), "1000.0"),
        (str(numbers.significant(0.0)), "0.0"),
    ],
)
def test_numbers_are_written_alike_everywhere(written, expected):
    assert written == expected


def test_key_figures_stand_beside_everyone_and_keep_the_exact_figure():
    row = kpi_row(Totals(50, 1_500_000.0, 100.0, 2000.0), Totals(200, 3_000_000.0, 400.0, 8000.0), "GBP", 26)
    text = words(row)
    assert f"Customers 50 25.0{SPACE}% of all" in text
    assert f"£1.50{SPACE}M 50.0{SPACE}% of all" in text
    assert "Average order £15,000 £7,500.00 over all" in text
    assert "Average CLV £40.00 £40.00 over all" in text
    assert f"Total CLV £2,000.00 25.0{SPACE}% of all, next 26 weeks" in text
    assert "Revenue at risk – no churn risk is known" in text
    assert row[1].children[1].title == "£1,500,000.00"


def test_without_a_value_model_the_cards_say_why_there_is_no_clv():
    text = words(kpi_row(Totals(0, 0.0, 0.0, None), Totals(2, 3.0, 2.0, None), "GBP"))
    assert text.count("no value model ran") == 2
    assert text.count("–") == 4  # average order, average CLV, total CLV, revenue at risk


def test_the_change_is_against_the_latest_earlier_date_and_every_date_has_its_bar():
    now = Totals(50, 1500.0, 100.0, 2000.0, 300.0, 40)
    before = [
        DatedTotals(date(2011, 9, 1), Totals(20, 900.0, 60.0, None)),
        DatedTotals(date(2011, 11, 1), Totals(40, 2000.0, 90.0, 1600.0)),
    ]
    row = kpi_row(now, now, "GBP", 26, before, interval=(1500.0, 2600.0))
    customers, revenue, _, _, clv, risk = row
    assert f"▲ +25.0{SPACE}%" in words(customers) and f"▼ −25.0{SPACE}%" in words(revenue)
    way = customers.children[3].children
    assert way[0].title == "Against 1 Nov 2011: 40"
    assert [bar.style["height"] for bar in way[1].children] == ["40%", "80%", "100%"]
    assert "1 Sep 2011: 20, 1 Nov 2011: 40, now: 50" in getattr(way[1], "aria-label")
    assert "£1,500.00 to £2,600.00" in words(clv)
    assert f"20.0{SPACE}% of revenue" in words(risk) and "10 customers is unknown" in risk.children[0].title


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (100, 104.2, f"▲ +4.2{SPACE}%"),
        (100, 50, f"▼ −50.0{SPACE}%"),
        (100, 100.01, f"= 0.0{SPACE}%"),
        (0, 5, "▲ new"),
        (0, 0, "= 0"),
        (1, 20, "▲ ×20"),
        (None, 5, "–"),
        (5, None, "–"),
        (-100, -50, f"▲ +50.0{SPACE}%"),
    ],
)
def test_a_change_has_its_sign_and_arrow(before, now, said):
    assert change(before, now) == said


def test_the_interval_of_all_clv_is_there_or_not():
    assert clv_interval({"value": {"total_clv_low": 1, "total_clv_high": 2.5}}) == (1.0, 2.5)
    assert clv_interval({"value": {"total": {"clv_range": [3, 4.5]}}}) == (3.0, 4.5)
    assert clv_interval({"value": {"bg_nbd": {}}}) is None is clv_interval({})


@pytest.fixture
def frame():
    """Forty customers: ten big spenders seen just now, twenty small ones, ten big ones long gone; one has no CLV."""
    recency = np.repeat([5, 50, 300], [10, 20, 10])
    monetary = np.repeat([1000.0, 10.0, 500.0], [10, 20, 10])
    clv = np.where(np.arange(40) == 3, np.nan, 10.0)
    table = pd.DataFrame(
        {"recency_days": recency, "frequency": np.repeat([10, 1, 5], [10, 20, 10]), "monetary": monetary, "clv": clv},
        index=[f"{i:02d}" for i in range(40)],
    )
    named = [("Champions", "Reward them."), ("Promising", "Raise awareness."), ("At Risk", "Win them back.")]
    segments = tuple(
        NamedSegment(key, name, action, "#004488", 1, 0.1, 1.0, 1.0, 1.0, None)
        for key, (name, action) in enumerate(named)
    )
    run = SimpleNamespace(id=1, segments=segments)
    snapshot = SimpleNamespace(info={"currency": "GBP"}, settings={}, dataset="forty")
    return RunFrame.make(run, snapshot, CustomerColumns.from_table(table), np.repeat([0, 1, 2], [10, 20, 10]))


def test_totals_are_sums_over_the_customers_in_view(frame):
    everyone = totals_of(frame, aggregate_customers(frame, frame.mask(Selection())))
    assert everyone == Totals(40, 15_200.0, 170.0, 390.0)
    assert everyone.average_order_value == pytest.approx(15_200 / 170)
    nobody = totals_of(frame, aggregate_customers(frame, frame.mask(Selection(bounds={"recency_days": (None, 1.0)}))))
    assert nobody == Totals(0, 0.0, 0.0, 0.0)
    assert nobody.average_clv is None and nobody.average_order_value is None


def test_segments_add_up_and_empty_ones_are_left_out(frame):
    rows = segment_totals(
        frame, aggregate_customers(frame, frame.mask(Selection(bounds={"recency_days": (None, 100.0)})))
    )
    assert [(row.segment.name, row.customers, row.revenue) for row in rows] == [
        ("Champions", 10, 10_000.0),
        ("Promising", 20, 200.0),
    ]
    assert sum(row.share for row in rows) == pytest.approx(1)
    assert sum(row.revenue_share for row in rows) == pytest.approx(1)
    assert (rows[0].recency, rows[0].frequency, rows[0].monetary) == (5.0, 10.0, 1000.0)
    assert rows[0].clv == 10.0  # over the nine that have one
    assert rows[0].churn_risk is None


def test_sentences_are_true_of_the_customers_in_view(frame):
    def found(mask):
        return insights_in_view(frame, mask, aggregate_customers(frame, mask))

    assert sentences_of(found(frame.mask(Selection())), "GBP") == [
        f"Champions brought the most revenue: £10,000, 65.8{SPACE}% of it, from 25.0{SPACE}% of these customers.",
        f"10 At Risk last ordered 300{SPACE}days ago on average and had brought £5,000.00.",
        f"The best-spending tenth (4 customers) brought 26.3{SPACE}% of the revenue.",
        f"20 customers have ordered just once: 50.0{SPACE}%.",
    ]
    assert found(frame.mask(Selection(q="00"))) == []
    assert found(np.zeros(40, dtype=bool)) == []


def test_the_table_has_a_line_with_action_and_button_per_segment(frame):
    rows = segment_totals(frame, aggregate_customers(frame, frame.mask(Selection())))
    table = segment_table(rows, "GBP", lambda name: f"pick-{name}", ["At Risk"])
    lines = table.children.children[1].children
    assert [words(line)[:9].strip() for line in lines] == ["Champions", "Promising", "At Risk W"]
    assert "Win them back." in words(lines[2]) and "£500" in words(lines[2])
    assert lines[2].className == "chosen"
    buttons = [line.children[0].children[0] for line in lines]
    assert [item.id for item in buttons] == ["pick-Champions", "pick-Promising", "pick-At Risk"]
    assert [getattr(item, "aria-pressed") for item in buttons] == ["false", "false", "true"]


def test_what_a_segment_is_likely_to_spend_has_a_range_where_the_snapshot_knows_one(frame):
    spread = TotalSpread(0.1, 0.2, 0.3, 182, 5.0, ("2024-01-01",), ("cdnow",))
    everyone_in_view = aggregate_customers(frame, frame.mask(Selection()))
    assert [row.clv_range for row in segment_totals(frame, everyone_in_view)] == [None] * 3
    info = {**frame.snapshot.info, "value": {"spread": spread.to_dict(), "interval": 0.9}}
    known = replace(frame, snapshot=SimpleNamespace(info=json.loads(json.dumps(info))))
    rows = segment_totals(known, everyone_in_view)
    for row in rows:
        assert row.clv_range == tuple(spread.of_part(row.total_clv, 0.9))
        assert row.clv_range[0] < row.total_clv < row.clv_range[1]
    few = segment_totals(known, aggregate_customers(known, known.mask(Selection(q="1"))))
    assert [row.clv_range for row in few] == [tuple(spread.of_part(row.total_clv, 0.9)) for row in few]
    assert sum(row.total_clv for row in few) < sum(row.total_clv for row in rows)  # of who is in view
    lines = segment_table(rows, "GBP", str).children.children[1].children
    assert "in all £90" in words(lines[0]) and "–" in words(lines[0])
    without = segment_table(segment_totals(frame, everyone_in_view), "GBP", str).children.children[1].children
    assert "in all" not in words(without[0])


def test_why_an_advice_is_given_takes_no_line_of_its_own(frame):
    rows = segment_totals(frame, aggregate_customers(frame, frame.mask(Selection())))
    table = segment_table(rows, "GBP", str, why=lambda segment: f"Because of {segment.name}.")
    line = table.children.children[1].children[2]
    (advice,) = line.children[0].children[2:]
    assert words(advice).split() == ["Win", "them", "back.", "Because", "of", "At", "Risk."]
    assert advice.title == "Because of At Risk." and advice.children[1].className == "visually-hidden"
