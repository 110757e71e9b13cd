"""Dates and numbers are read as they were meant, decided from whole columns; the rest is set aside or refused."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import InputError
from engines.intake import Reading, read_sales
from engines.intake.schema.dates import parse_dates
from engines.intake.schema.numbers import find_decimal_sign, number
from engines.intake.schema.possible_days import PLACEHOLDERS


def read_dates(values: list[str], **told: str) -> tuple[list[datetime | None], tuple[str, ...]]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'; create table source (place integer, value varchar)")
        connection.executemany("insert into source values (?, ?)", list(enumerate(values)))
        notes = parse_dates(connection, "value", "source", Reading(**told), "a.csv", "When").notes
        rows = connection.execute(
            "select parsed from source left join dates on written = value order by place"
        ).fetchall()
    return [row[0] for row in rows], notes


def read_numbers(values: list[str], **told: str) -> list[Decimal | None]:
    with duckdb.connect() as connection:
        connection.execute("create table source (place integer, value varchar)")
        connection.executemany("insert into source values (?, ?)", list(enumerate(values)))
        sign = find_decimal_sign(connection, ["value"], "source", Reading(**told)).sign
        rows = connection.execute(f"select {number('value', 4, sign)} from source order by place").fetchall()
    return [row[0] for row in rows]


def few_or_many(few: int, many: int) -> pytest.MarkDecorator:
    """How many examples: each is a tenth of a second of work for the database, so the long tests have most of them."""
    return pytest.mark.parametrize("examples", [few, pytest.param(many, marks=pytest.mark.slow)])


def for_all(examples: int, check: Callable[..., None], *drawn: st.SearchStrategy) -> None:
    settings(max_examples=examples, deadline=None)(given(*drawn)(check))()


def sales_of(folder: Path, text: str, **options):
    path = folder / "a.csv"
    path.write_text(text, encoding="utf-8")
    return read_sales(str(path), **options)


# --- dates -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["2010-12-01T08:26:05+02:00", "2010-12-01 23:30 -0500"], ["2010-12-01 06:26:05", "2010-12-02 04:30"]),
        (["2010-12-01T08:26:05Z", "2010-12-01 08:26:05 UTC"], ["2010-12-01 08:26:05"] * 2),
        (["2010-12-01 08:26:05,250"], ["2010-12-01 08:26:05.250"]),
        (["20101201T082605Z", "20101231082605"], ["2010-12-01 08:26:05", "2010-12-31 08:26:05"]),
        (["Wed, 1 Dec 2010 10:00:00 +0200"], ["2010-12-01 10:00"]),
        (["13/12/2010 8 pm", "1/12/2010 12 AM"], ["2010-12-13 20:00", "2010-12-01"]),
        (["2010-Dec-01", "2010 December 31"], ["2010-12-01", "2010-12-31"]),
        (["1291191965", "1291191965.5"], ["2010-12-01 08:26:05", "2010-12-01 08:26:05.5"]),
        (["1291191965000"], ["2010-12-01 08:26:05"]),
        (["40513.35", "40543"], ["2010-12-01 08:24", "2010-12-31"]),
        (["31-12-68", "30-12-69"], ["2068-12-31", "1969-12-30"]),
    ],
)
def test_formats(values, expected):
    assert read_dates(values)[0] == [datetime.fromisoformat(text) for text in expected]


def test_moments_are_brought_into_the_zone_of_the_shop_before_the_day_is_cut():
    values = ["2010-12-31T23:30:00Z", "2010-07-01T23:30:00Z", "2010-07-01T23:30:00"]
    read, notes = read_dates(values, time_zone="Europe/Berlin")
    assert read == [datetime(2011, 1, 1, 0, 30), datetime(2010, 7, 2, 1, 30), datetime(2010, 7, 1, 23, 30)]
    assert notes == (
        "Moments were brought into the time zone Europe/Berlin. Times without an offset were taken as they are.",
    )
    assert read_dates(["1293838200"], time_zone="Europe/Berlin")[0] == [datetime(2011, 1, 1, 0, 30)]
    with pytest.raises(InputError, match=r"no time zone 'Mars/Olympus'.*Europe/London"):
        read_dates(values, time_zone="Mars/Olympus")


def test_typed_moments_are_brought_into_the_zone_as_well(tmp_path):
    moment = pa.array([datetime(2010, 12, 31, 23, 30)], pa.timestamp("us", tz="UTC"))
    pq.write_table(pa.table({"customer_id": ["1"], "date": moment, "amount": [1.0]}), tmp_path / "a.parquet")
    with read_sales(str(tmp_path / "a.parquet"), reading=Reading(time_zone="Europe/Berlin")) as sales:
        assert sales.first_day.isoformat() == "2011-01-01"


def test_the_order_of_day_and_month_is_asked_for_and_obeyed():
    values = ["12/1/2010", "11/2/2010", "5/5/2010"]
    with pytest.raises(
        InputError, match=r"'11/2/2010' is 11 February 2010 or 02 November 2010.*--date-order day-first"
    ):
        read_dates(values)
    assert read_dates(values, date_order="day-first")[0][0] == datetime(2010, 1, 12)
    read, notes = read_dates(values, date_order="month-first")
    assert read[0] == datetime(2010, 12, 1)
    assert notes == ("Dates were read as month/day/year, as date_order says.",)
    # What is said is never overruled: a value that does not fit cannot be read.
    assert read_dates(["13/1/2010", "1/2/2010"], date_order="month-first")[0] == [None, datetime(2010, 1, 2)]


def test_orders_that_contradict_each_other_are_asked_for_unless_nearly_all_agree():
    open_values = [f"{day}/{month}/2010" for day in range(1, 12) for month in range(1, 12) if day != month]
    with pytest.raises(InputError, match="can be read as day/month/year or as month/day/year"):
        read_dates(["13/1/2010", "1/13/2010", *open_values])
    read, _ = read_dates([*(f"{day}/1/2010" for day in range(13, 32)), "1/13/2010", *open_values])
    assert read[19] is None
    assert read[20] == datetime(2010, 2, 1)


def test_the_format_of_most_lines_wins_whatever_comes_first():
    values = ["1 March 2010", *["2010-03-02"] * 3]
    assert read_dates(values)[0] == [None, *[datetime(2010, 3, 2)] * 3]
    assert read_dates(values[::-1])[0] == [*[datetime(2010, 3, 2)] * 3, None]


MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)).map(lambda moment: moment.replace(microsecond=0))
MOMENTS = MOMENTS.filter(lambda moment: moment.date() not in PLACEHOLDERS)
FORMATS = [
    *("%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%m/%d/%y %I:%M:%S %p", "%d.%m.%Y %H:%M:%S", "%Y%m%d %H:%M:%S"),
    *("%d-%b-%y %H:%M:%S", "%B %d, %Y %I:%M:%S %p", "%Y%m%dT%H%M%SZ", "%a, %d %b %Y %H:%M:%S +0000"),
]


@few_or_many(3, 40)
@pytest.mark.parametrize("form", FORMATS)
def test_a_column_written_in_one_format_is_read_back_exactly_in_any_order(form, examples):
    def read_back(moments, chance: random.Random):
        decides = datetime(2001, 12, 31, 23, 59, 59)  # a day above 12
        moments = [*moments, decides]
        chance.shuffle(moments)
        assert read_dates([moment.strftime(form) for moment in moments])[0] == moments

    for_all(examples, read_back, st.lists(MOMENTS, min_size=1, max_size=12), st.randoms(use_true_random=False))


@few_or_many(12, 200)
def test_moments_with_offsets_are_the_same_moments_in_utc(examples):
    def same_moments(pairs):
        written = [
            moment.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=away))).isoformat()
            for moment, away in pairs
        ]
        assert read_dates(written, time_zone="UTC")[0] == [moment for moment, _ in pairs]

    for_all(examples, same_moments, st.lists(st.tuples(MOMENTS, st.integers(-660, 660)), min_size=1, max_size=8))


# --- numbers ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1.234,56", "5"], ["1234.56", "5"]),
        (["1,234.56", "5"], ["1234.56", "5"]),
        (["1 234,56", "1\u202f234,5", "1\u00a0234,00"], ["1234.56", "1234.5", "1234"]),
        (["1'234.56", "1’234’567.00"], ["1234.56", "1234567"]),
        (["12,34,567.50"], ["1234567.50"]),
        (["(5.00)", "5.00-", "-5", "- 5", "−5", "+5"], ["-5", "-5", "-5", "-5", "-5", "5"]),
        (
            ["$5.25", "5.25 €", "EUR 5.25", "5.25 GBP", "US$5.25", "-$5.25", "$-5.25", "($5.25)"],
            ["5.25"] * 5 + ["-5.25"] * 3,
        ),
        (["€1.234,56-", "(12,50 EUR)", "1.234"], ["-1234.56", "-12.50", "1234"]),
        (["1,234", "0,125"], ["1.234", "0.125"]),
        (["1,234"], ["1234"]),
        (["1.234"], ["1.234"]),
        (["1,234,567", "1.234"], ["1234567", "1.234"]),
        (["1.234.567", "1,234"], ["1234567", "1.234"]),
        (["1e3", "1.5E-2", ".5", "5."], ["1000", "0.015", "0.5", "5"]),
        (["5%", "INV123", "5$5", "(-5)", "--5", "1.2.3", "inf", "NaN", "five"], [None] * 9),
    ],
)
def test_numbers(values, expected):
    assert read_numbers(values) == [None if text is None else Decimal(text) for text in expected]


def test_what_is_said_of_the_decimal_sign_goes_before_what_is_found():
    assert read_numbers(["1.234"], decimal=",") == [Decimal(1234)]
    assert read_numbers(["1,234"], decimal=",") == [Decimal("1.234")]
    assert read_numbers(["1,5"], decimal=".") == [None]


def test_the_decimal_sign_is_decided_from_quantity_and_price_together(tmp_path):
    text = "customer;date;quantity;price\n1;2020-01-01;1.000;2,50\n1;2020-01-02;2;3,00\n"
    with sales_of(tmp_path, text) as sales:
        assert sorted(sales.table.amount_units.to_pyarrow().to_pylist()) == [60_000, 25_000_000]
        assert "Numbers were read with a decimal comma." in sales.notes
    with sales_of(tmp_path, text.replace("2,50", "2.500").replace("3,00", "3")) as sales:
        assert sales.ledger.to_dict()["out"]["revenue"] == 8.5
        assert sales.notes[1].startswith("Nothing decides the decimal sign: the one in '1.000' was taken for a decimal")


UNITS = st.integers(-(10**12), 10**12)


def _written(units: int, point: str, group: str, form: str) -> str:
    whole, fraction = divmod(abs(units), 100)
    text = f"{whole:,}".replace(",", group) + f"{point}{fraction:02d}"
    return form.format(text) if units < 0 else text


@few_or_many(5, 60)
@pytest.mark.parametrize(
    "signs", [(".", ","), (",", "."), (",", " "), (".", "'"), (".", ""), (",", ""), (",", "\u202f")]
)
def test_numbers_written_in_one_way_are_read_back_exactly(signs, examples):
    def read_back(units, form, money):
        values = [money.format(_written(unit, *signs, form)) for unit in units]
        assert read_numbers(values) == [Decimal(unit) / 100 for unit in units]

    forms, money = st.sampled_from(["-{}", "({})", "{}-", "- {}"]), st.sampled_from(["{}", "{} €", "${}", "CHF {}"])
    for_all(examples, read_back, st.lists(UNITS, min_size=1, max_size=20), forms, money)


# --- cells that cannot be read ---------------------------------------------------------------------------------------
def _many(bad: dict[int, str], count: int = 400) -> str:
    lines = [f"{i % 7},2020-01-{1 + i % 28:02d},1,2.50" for i in range(count)]
    for at, line in bad.items():
        lines[at] = line
    return "customer,date,quantity,price\n" + "\n".join(lines) + "\n"


def test_lines_with_unreadable_cells_are_set_aside_up_to_a_share(tmp_path):
    bad = {3: "1,soon,1,2.50", 9: "1,2020-01-05,few,2.50", 100: "1,2020-01-05,1,", 200: ",never,1,2.50"}
    with sales_of(tmp_path, _many(bad)) as sales:
        ledger = sales.ledger.to_dict()
        notes = sales.notes
    assert ledger["rules"][0]["rule"] == "unreadable"
    assert (ledger["rules"][0]["lines"], ledger["rules"][0]["revenue"]) == (4, 0.0)
    assert (ledger["in"]["lines"], ledger["out"]["lines"], ledger["in"]["revenue"]) == (400, 396, 396 * 2.5)
    assert notes == (
        "2 lines were set aside, because column 'date' (order_date) cannot be read as a date: line 5 ('soon'), "
        "line 202 ('never').",
        "1 line was set aside, because column 'quantity' (quantity) cannot be read as a number: line 11 ('few').",
        "1 line was set aside, because column 'price' (unit_price) cannot be read as a number: line 102 (blank).",
    )


def test_more_than_the_share_refuses_the_file_with_the_first_three(tmp_path):
    bad = dict.fromkeys((3, 9, 100, 200, 300), "1,soon,1,2.50")
    says = r"line 5 \('soon'\), line 11 \('soon'\), line 102 \('soon'\) and 2 more.*unreadable_share.*5 of 400"
    with pytest.raises(InputError, match=says):
        sales_of(tmp_path, _many(bad), reading=Reading(unreadable_lines=4))
    with sales_of(tmp_path, _many(bad), reading=Reading(unreadable_share=0.0125, unreadable_lines=0)) as sales:
        assert sales.ledger.to_dict()["rules"][0]["lines"] == 5
    with pytest.raises(InputError, match=r"line 5 \('soon'\)\. "):
        sales_of(tmp_path, _many({3: "1,soon,1,2.50"}), reading=Reading(unreadable_share=0.0, unreadable_lines=0))


def test_few_lines_never_refuse_a_file_unless_they_are_half_of_it(tmp_path):
    bad = dict.fromkeys(range(0, 40, 2), "1,soon,1,2.50")
    with sales_of(tmp_path, _many(bad, 50)) as sales:
        assert sales.ledger.to_dict()["rules"][0]["lines"] == 20
    with pytest.raises(InputError, match="20 of 40 are more"):
        sales_of(tmp_path, _many(bad, 40))
    with pytest.raises(InputError, match="1 of 2 are more"):
        sales_of(tmp_path, _many({0: "1,soon,1,2.50"}, 2))


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["1,1/14/2020,1,2.50"] * 9 + ["1,13/1/2020,1,2.50", "1,14/1/2020,1,2.50"], "'date'.*line 11"),
        (['1,2020-01-14,1,"2,50"'] * 9 + ["1,2020-01-14,1,2.75"] * 2, "'price'.*line 11"),
    ],
)
def test_several_cells_written_the_other_way_round_are_no_slip_of_the_pen(tmp_path, lines, says):
    with pytest.raises(InputError, match=says):
        sales_of(tmp_path, _many(dict(enumerate(lines)), 11))
