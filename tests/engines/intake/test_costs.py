"""What goods cost: one column, of an item or of a line, which goes the way of the money and changes no money."""

from __future__ import annotations

import random
from datetime import date

import pytest

from engines.columns import COST, FREQUENCY, MONETARY
from engines.errors import InputError
from engines.features import SalesWindow, build_customers, customers_at, customers_within
from engines.intake import CleaningRules, Reading, open_kept, read_sales
from engines.value.margins import margin_of
from tests.engines.intake.seen_columns import fields, mapped

HEADER = "Customer ID,Order ID,Order Date,Product ID,Quantity,Unit Price,Unit Cost"
#: Customer a keeps one A (10, cost 4) and of B 25 of 30 (cost 12.50 of 15); b's C of 60 says no cost.
LINES = [
    "a,o1,2024-01-01,A,2,10,4",
    "a,o2,2024-01-10,B,1,30,15",
    "a,o3,2024-01-20,A,-1,10,4",
    "a,o4,2024-01-21,MONEY,-1,5,",
    "b,o5,2024-01-05,C,1,60,",
    "b,o6,2024-01-25,A,1,10,8",
]
OF_LINES = [line.replace("a,o1,2024-01-01,A,2,10,4", "a,o1,2024-01-01,A,2,10,8") for line in LINES]


def written(folder, lines=LINES, header=HEADER, name="shop.csv") -> str:
    path = folder / name
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return str(path)


def customers(path, *, returns="net", as_of=None, **mapping):
    with read_sales(path, rules=CleaningRules(returns=returns), as_of=as_of, mapping=mapping) as sales:
        return build_customers(sales.table, as_of=sales.as_of)


def test_by_hand(tmp_path):
    found = customers(written(tmp_path))
    assert found[MONETARY].to_dict() == {"a": 35.0, "b": 70.0}
    # the lines that say it cost 4 + 12.50 + 8 = 24.50 of 45, and so do 60 x 24.50 / 45 of the one that does not
    assert found[COST].to_dict() == {"a": 16.5, "b": 8 + 32.6667}
    assert found.columns[-1] == COST
    before = customers(written(tmp_path), as_of=date(2024, 1, 15))
    assert before[COST].to_dict() == {"a": 23.0, "b": 27.6}  # 23 of 50, before anything came back
    gross = customers(written(tmp_path), returns="drop")
    assert gross[COST].to_dict() == {"a": 23.0, "b": 8 + 31.0}  # 31 of 60


def test_the_share_of_a_customer_is_drawn_towards_that_of_the_shop(tmp_path):
    found = customers(written(tmp_path))
    margin = margin_of(found)
    spent, left = 105.0, 105.0 - 16.5 - 40.6667
    assert (margin.source, margin.of_shop) == ("cost", pytest.approx(left / spent))
    orders = 5 * spent / 4  # a's order o2 and o1, b's o5 and o6
    assert found[FREQUENCY].sum() == 4
    assert margin.shares["a"] == pytest.approx((35 - 16.5 + orders * left / spent) / (35 + orders))
    assert margin.shares["b"] == pytest.approx((70 - 40.6667 + orders * left / spent) / (70 + orders))
    assert margin.shares["a"] < 0.53 and margin.shares["a"] > margin.of_shop > margin.shares["b"]
    assert margin_of(found, 0.4).shares.tolist() == [0.4, 0.4]
    lost = margin_of(found.assign(cost=2 * found[MONETARY]))
    assert (lost.source, lost.of_shop, lost.shares.tolist()) == ("loss", 1.0, [1.0, 1.0])
    nothing_left = found.assign(cost=[900.0, 0.0], monetary=[100.0, 1000.0], frequency=[400, 600])
    assert margin_of(nothing_left).shares["a"] == 0.0


def test_the_cost_of_a_line_needs_no_quantity(tmp_path):
    of_items = customers(written(tmp_path))
    of_lines = customers(written(tmp_path, OF_LINES, HEADER.replace("Unit Cost", "COGS")))
    assert of_lines[COST].equals(of_items[COST])
    assert customers(written(tmp_path, OF_LINES), cost="Unit Cost")[COST].equals(of_items[COST])
    without = customers(written(tmp_path), unit_cost="")
    assert COST not in without and without[MONETARY].equals(of_items[MONETARY])


@pytest.mark.slow
def test_the_order_of_lines_and_the_way_to_a_date_make_no_difference(tmp_path):
    lines = [*LINES, *(f"c{n % 3},p{n},2024-02-{1 + n},A,{1 + n % 2},10,{n}.{n % 7}" for n in range(20))]
    lines += ["c1,q1,2024-02-03,A,1,10,2", "c1,q1,2024-02-03,A,1,10,3", "c1,q2,2024-02-27,A,-1,10,"]
    days = [date(2024, 1, 15), date(2024, 1, 22), date(2024, 2, 10), date(2024, 2, 28)]
    whole = customers(written(tmp_path, lines), as_of=days[-1])
    random.Random(3).shuffle(lines)
    path = written(tmp_path, lines, name="shuffled.csv")
    assert customers(path, as_of=days[-1]).equals(whole)
    with read_sales(path, rules=CleaningRules(returns="net"), as_of=days[-1]) as sales:
        kept = tmp_path / "kept.parquet"
        sales.keep(kept)
        for day, found in customers_at(sales.table, days):
            assert found[COST].equals(customers(path, as_of=day)[COST])
            with open_kept(kept, sales, sales.ledger, CleaningRules(returns="net"), Reading(), as_of=day) as again:
                assert build_customers(again.table, as_of=day).equals(found)
        window = SalesWindow(date(2023, 12, 1), days[-1])
        ((_, within),) = customers_within(sales.table, [window], columns=[COST, MONETARY])
        assert within[COST].equals(whole[COST])


def test_discounts_and_gifts_have_no_cost_of_their_own(tmp_path):
    header = "Customer ID,Order ID,Order Date,Product ID,Quantity,Unit Price,Unit Cost,Discount Amount"
    path = written(tmp_path, ["a,o1,2024-01-01,A,2,10,4,5", "b,o2,2024-01-02,A,1,10,4,0"], header)
    found = customers(path)
    assert found[MONETARY].to_dict() == {"a": 15.0, "b": 10.0}
    assert found[COST].to_dict() == {"a": 8.0, "b": 4.0}


def test_costs_are_brought_into_the_currency_of_the_money(tmp_path):
    path = written(tmp_path, ["a,o1,2024-01-01,A,1,10,4,EUR", "b,o2,2024-01-02,A,1,10,4,GBP"], f"{HEADER},Currency")
    with read_sales(path, rules=CleaningRules(rates={"GBP": 1.5}), currency="EUR") as sales:
        assert build_customers(sales.table, as_of=sales.as_of)[COST].to_dict() == {"a": 4.0, "b": 6.0}


def test_a_line_without_a_cost_is_in_the_ledger_and_one_that_is_no_number_in_a_note(tmp_path):
    odd = ["c,o7,2024-01-26,A,1,10,n/k 5", "c,o8,2024-01-26,A,1,10,-3"]
    said_so = {"unit_cost": "Unit Cost"}
    with read_sales(written(tmp_path, [*LINES, *odd]), mapping=said_so) as sales:
        (entry,) = (note for note in sales.ledger.notes if note.rule == "no_cost")
        assert (entry.lines, entry.units, entry.customers) == (3, 80 * 10_000, 2)
        assert sales.ledger.left.lines  # they count
        (said,) = (note for note in sales.notes if "no number or below zero" in note)
        assert "2 lines" in said and "line 8 ('n/k 5')" in said and "line 9 ('-3" in said
    with read_sales(written(tmp_path)) as sales:
        assert not any("no number or below zero" in note for note in sales.notes)
    many = [f"c,p{n},2024-01-26,A,1,10,n/k {n}" for n in range(4)]
    with pytest.raises(InputError, match=r"column 'Unit Cost' \(unit_cost\) says no cost on line 8 .*--map unit_cost="):
        read_sales(written(tmp_path, [*LINES, *many]), mapping=said_so)
    with read_sales(written(tmp_path, [*LINES, *many])) as sales:  # half of it numbers is no guess, and no secret
        assert any("Column 'Unit Cost' is not used." in note for note in sales.notes)


def test_a_guess_is_said_and_what_may_be_a_price_is_not_guessed(tmp_path):
    line = "a|2024-01-05|2|10.00|4.00"
    found = mapped("customer_id|date|quantity|unit price|unit cost", line)
    assert fields(found)["unit_cost"] == "unit cost" and fields(found)["unit_price"] == "unit price"
    (said,) = (note for note in found.notes if "what one item cost the shop" in note)
    assert '--map unit_cost= --map cost="unit cost"' in said
    found = mapped("customer_id|date|quantity|unit price|unit cost", line, unit_cost="unit cost")
    assert not any("cost the shop" in note for note in found.notes)
    for heading in ("cost", "total cost", "Kosten", "purchase price"):
        found = mapped(f"customer_id|date|quantity|unit price|{heading}", line)
        assert not {"cost", "unit_cost"} & {*fields(found)}
        assert any(f"Column '{heading}' is not used. If it is what goods cost the shop" in note for note in found.notes)
    assert fields(mapped("customer_id|date|quantity|unit cost|x", line))["unit_price"] == "unit cost"
    assert fields(mapped("Kunde|Datum|Menge|Preis|Einkaufspreis", line))["unit_cost"] == "Einkaufspreis"
    assert fields(mapped("Kunde|Datum|Menge|Preis|Wareneinsatz", line))["cost"] == "Wareneinsatz"
    with pytest.raises(InputError, match=r"both cost .of the line. and unit_cost .of one item. are mapped"):
        read_sales(written(tmp_path), mapping={"cost": "Unit Cost", "unit_cost": "Unit Cost"})
