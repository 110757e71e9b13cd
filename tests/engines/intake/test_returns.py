"""Returns take off what they undo: by plain rules, in any order of lines, and never by what comes later."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.columns import FREQUENCY, GROSS_MONETARY, MONETARY, RETURN_RATE
from engines.features import build_customers
from engines.intake import CleaningRules, Reading, open_kept, read_sales
from engines.intake.cleaning.offsets import offset_returns
from engines.intake.cleaning.returns import settle_returns

NET = CleaningRules(returns="net")
SCHEMA = pa.schema(
    [
        *(("row", pa.int64()), ("customer_id", pa.string()), ("order_id", pa.string())),
        *(("order_date", pa.timestamp("us")), ("product_id", pa.string()), ("quantity", pa.float64())),
        *(("amount_units", pa.int64()), ("went_back", pa.bool_()), ("description", pa.string())),
    ]
)


# --- the rules once more, in plain Python -----------------------------------------------------------------------------


def slow(lines: list[dict]) -> dict[int, tuple[int, int]]:
    """What is left of one customer's sold lines: money and quantity by row; written from the rules, line by line."""
    sold = [
        {**line, "goods": line["amount_units"], "money": line["amount_units"], "much": line["quantity"]}
        for line in lines
        if not line["went_back"]
    ]
    back = [{**line, "amount_units": abs(line["amount_units"])} for line in lines if line["went_back"]]
    for line in (*sold, *back):
        many = abs(line["quantity"]) if line["quantity"] else None
        line["quantity"] = line["much"] = many
        line["price"] = round(line["amount_units"] / many) if many else line["amount_units"]

    def first(line: dict) -> tuple:
        """What is taken first: the latest, the dearest, then by what the line says."""
        says = (line["order_id"], line["product_id"] or "", line["amount_units"], line["quantity"] or 0)
        return (-line["order_date"].timestamp(), -line["price"], *says, line["description"] or "")

    sold.sort(key=first)
    moments = sorted({line["order_date"] for line in back})
    for moment in moments:
        earlier = [line for line in sold if line["order_date"] <= moment]
        orders = defaultdict(list)
        for line in earlier:
            orders[line["order_id"]].append(line)
        returns = sorted((line for line in back if line["order_date"] == moment), key=first)

        def take_money(units: int, among: list[dict]) -> int:
            """Take money off these lines, one after the other; what is still wanted."""
            for line in among:
                money = min(units, line["money"])
                line["money"] -= money
                units -= money
            return units

        rests = []
        for each in returns:
            own = [line for line in orders[each["order_id"]] if line["product_id"] == each["product_id"]]
            same = [line for line in earlier if line["product_id"] == each["product_id"]]
            same.sort(key=lambda line: (line not in own, line["price"] != each["price"]))
            money, much, beyond = each["amount_units"], each["quantity"], 0
            for line in same if each["product_id"] is not None else ():
                if not money or much == 0:
                    break
                if much is None or line["much"] is None:
                    taken = min(money, line["money"])
                    line["money"] -= taken
                    line["goods"] -= taken  # goods leave up to the money that came back
                    money -= taken
                    continue
                if not line["much"] or not line["goods"]:
                    continue
                some = min(much, line["much"])
                worth = (2 * line["goods"] * int(some) + int(line["much"])) // (2 * int(line["much"]))
                part = (2 * money * int(some) + int(much)) // (2 * int(much))
                money, much, line["goods"], line["much"] = (
                    *(money - part, much - some, line["goods"] - worth, line["much"] - some),
                )
                there = min(worth, line["money"])
                line["money"] -= there
                missing = take_money(worth - there, earlier)
                beyond += max(part - worth, 0) + missing
            rests.append(money + beyond)
        for number, each in enumerate(returns):
            own = sorted(orders[each["order_id"]], key=lambda line: (line["money"] != rests[number], first(line)))
            rests[number] = take_money(rests[number], own)
            if rests[number]:
                exact = [[line] for line in earlier if line["money"] == rests[number]]
                whole = [of for of in orders.values() if of and sum(line["money"] for line in of) == rests[number]]
                found = min([*exact, *whole], key=lambda of: (min(map(first, of)), len(of)), default=[])
                rests[number] = take_money(rests[number], found)
        for number in range(len(returns)):
            rests[number] = take_money(rests[number], earlier)
    return {line["row"]: (line["money"], line["much"]) for line in sold}


def left_by_row(lines: pa.Table) -> dict[int, tuple[int, float | None]]:
    """Money and quantity that are left of the sold lines, by the product's own settlement."""
    versions = settle_returns(lines).versions.to_pylist()
    now = {line["row"]: line for line in versions if line["holds_until"] is None and line["offset_units"] is None}
    touched = {line["row"] for line in versions if line["offset_units"] is None}
    left = {}
    for line in lines.to_pylist():
        if line["went_back"]:
            continue
        row, units, much = line["row"], line["amount_units"], line["quantity"]
        if row in now:
            units, much = now[row]["amount_units"], now[row]["quantity"] if now[row]["quantity"] is not None else much
        left[row] = (0, None) if row in touched and row not in now else (units, much)
    return left


def what_is_left(lines: pa.Table) -> list[tuple[str, tuple[int, float | None]]]:
    """The same by what the lines say, as those that say the same may stand for one another."""
    left = left_by_row(lines)
    return sorted((repr({**line, "row": 0}), left[line["row"]]) for line in lines.to_pylist() if line["row"] in left)


def assert_as_slow(lines: pa.Table) -> None:
    """The product leaves of each customer's lines what the plain rules leave."""
    left, by_customer = left_by_row(lines), defaultdict(list)
    for line in lines.to_pylist():
        by_customer[line["customer_id"]].append(line)
    for several in by_customer.values():
        expected, says = slow(several), {line["row"]: repr({**line, "row": 0}) for line in several}
        # lines that are alike in all that they say may stand for one another
        ours = sorted((says[row], left[row][0]) for row in expected)
        assert ours == sorted((says[row], money) for row, (money, _) in expected.items())


@pytest.fixture(scope="module")
def online_retail_lines(shared_data: Path) -> pa.Table:
    """Sold and returned lines of a few hundred customers with returns."""
    with read_sales(str(shared_data / "online_retail.csv.gz"), rules=CleaningRules()) as sales:
        rows = sales.table.to_pyarrow().to_pylist()
    by_customer = defaultdict(list)
    for row in rows:
        by_customer[row["customer_id"]].append(row)
    returning = sorted(
        name for name, lines in by_customer.items() if any(line["line_type"] != "sale" for line in lines)
    )
    chosen = [*random.Random(5).sample(returning, 200), "16446", "15098", "12346"]
    lines = [line for name in dict.fromkeys(chosen) for line in by_customer[name]]
    made = [{**line, "went_back": line["line_type"] != "sale", "row": number} for number, line in enumerate(lines)]
    return pa.Table.from_pylist(made, SCHEMA)


@pytest.mark.slow
def test_as_the_plain_rules_on_online_retail_whatever_the_order_of_lines(online_retail_lines: pa.Table):
    assert_as_slow(online_retail_lines)
    order = list(range(len(online_retail_lines)))
    random.Random(1).shuffle(order)
    shuffled = online_retail_lines.take(order)
    assert what_is_left(shuffled) == what_is_left(online_retail_lines)


DAYS = [datetime(2024, 1, 1, 9) + timedelta(hours=13 * number) for number in range(9)]
LINE = st.builds(
    dict,
    customer_id=st.sampled_from("AB"),
    order_id=st.sampled_from("xyz"),
    order_date=st.sampled_from(DAYS),
    product_id=st.sampled_from(["P", "Q", None]),
    quantity=st.sampled_from([1.0, 2.0, 5.0, None]),
    amount_units=st.integers(1, 40).map(lambda price: price * 500),
    went_back=st.sampled_from([False, False, True]),
    description=st.sampled_from(["a", "b"]),
)


def table(lines: list[dict]) -> pa.Table:
    return pa.Table.from_pylist([{**line, "row": 4 * number} for number, line in enumerate(lines)], SCHEMA)


@settings(max_examples=150, deadline=None)
@given(st.lists(LINE, min_size=1, max_size=14))
def test_any_lines_are_settled_by_the_rules_and_never_below_zero(lines: list[dict]):
    given_lines = table(lines)
    assert_as_slow(given_lines)
    found = settle_returns(given_lines)
    for settled, line in ((each, lines[each["row"] // 4]) for each in found.returns.to_pylist()):
        steps = [settled[name] for name in ("returned_product", "returned_amount", "returned_money")]
        assert sum(steps) + settled["without_purchase"] == line["amount_units"]
        assert settled["offset_units"] == sum(steps) + settled["return_price"] >= 0
    left = left_by_row(given_lines)
    assert all(units >= 0 for units, _ in left.values())
    gross = sum(line["amount_units"] for line in lines if not line["went_back"])
    taken = sum(each["offset_units"] for each in found.returns.to_pylist())
    assert gross - taken == sum(units for units, _ in left.values())


@settings(max_examples=80, deadline=None)
@given(st.lists(LINE, min_size=1, max_size=14), st.sampled_from(DAYS), st.randoms())
def test_what_is_left_as_of_a_day_depends_on_nothing_later(lines: list[dict], day: datetime, shuffle: random.Random):
    every = settle_returns(table(lines)).versions.to_pylist()
    early = table(lines).filter(pa.compute.less(table(lines)["order_date"], day))
    order = list(range(len(early)))
    shuffle.shuffle(order)
    then = settle_returns(early.take(pa.array(order, pa.int64()))).versions.to_pylist()

    def as_of(versions: list[dict]) -> list[tuple]:
        """The versions that hold before the day, of equal lines in any order."""
        shown = []
        for each in versions:
            line = lines[each["row"] // 4]
            since = each["holds_from"] or line["order_date"]
            if since < day and (each["holds_until"] is None or each["holds_until"] >= day):
                same = tuple(sorted((name, str(value)) for name, value in line.items()))
                whole = each["amount_units"] is None and each["offset_units"] is None
                shown.append(
                    (*same, *((None,) * 3 if whole else (each["amount_units"], each["quantity"], each["offset_units"])))
                )
        return sorted(item for item in map(repr, shown) if "None, None, None" not in item)

    assert as_of(every) == as_of(then)


# --- whole files ------------------------------------------------------------------------------------------------------

HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


def shop(folder: Path, *lines: str, head: str = HEAD) -> str:
    path = folder / "shop.csv"
    path.write_text("\n".join([head, *lines, ""]), encoding="utf-8")
    return str(path)


def settled(source: str, **reading: object) -> tuple[dict, object]:
    """The ledger's lines on returns, each as lines and money, and the customers."""
    with read_sales(source, rules=NET, **reading) as sales:
        ledger, customers = sales.ledger.to_dict(), build_customers(sales.table, as_of=sales.as_of)
    entries = [*ledger["parts"], *ledger["rules"], *ledger["notes"]]
    named = {entry["rule"]: (entry["lines"], entry["revenue"]) for entry in entries}
    return named | {"out": ledger["out"]}, customers


def test_what_was_bought_and_sent_back_at_once_never_happened(tmp_path: Path):
    source = shop(
        tmp_path,
        "1,A,SMALL,1,2011-05-18 09:52,2.90,16446,United Kingdom",
        "2,B,PAPER CRAFT,80995,2011-12-09 09:15,2.08,16446,United Kingdom",
        "C3,B,PAPER CRAFT,-80995,2011-12-09 09:27,2.08,16446,United Kingdom",
        "4,A,SMALL,1,2011-12-09 10:00,2.90,7,United Kingdom",
    )
    ledger, customers = settled(source)
    assert ledger["returned_product"] == (1, -168_469.60) and ledger["sold"] == (4 - 1, 168_475.40)
    mine = customers.loc["16446"]
    assert (mine[MONETARY], mine[GROSS_MONETARY], mine[FREQUENCY]) == (2.90, 168_472.50, 1)
    assert (mine["recency_days"], mine["repeat_purchases"], mine["mean_repeat_value"]) == (206, 0, 0.0)
    assert (mine["unique_products"], mine["items_per_order"]) == (1, 1.0)
    assert mine[RETURN_RATE] > 0.9999


def test_an_order_given_back_as_one_sum_is_found_by_its_amount(tmp_path: Path):
    source = shop(
        tmp_path,
        "1,A,CAKESTAND,60,2011-06-10 15:22,649.50,15098,United Kingdom",
        "2,A,CAKESTAND,1,2011-06-10 15:28,649.50,15098,United Kingdom",
        "C3,M,Manual,-1,2011-06-10 15:31,38970,15098,United Kingdom",
    )
    ledger, customers = settled(source)
    assert ledger["returned_amount"] == (1, -38_970.0) and ledger["returned_money"] == (0, 0.0)
    assert customers.loc["15098", [MONETARY, FREQUENCY]].tolist() == [649.50, 1]


def test_what_fits_nothing_comes_off_the_latest_money(tmp_path: Path):
    source = shop(
        tmp_path,
        "1,A,ONE,1,2011-01-01 10:00,10,7,Italy",
        "2,B,TWO,2,2011-02-01 10:00,15,7,Italy",
        "C3,M,Manual,-1,2011-03-01 10:00,33,7,Italy",
        "4,C,THREE,1,2011-04-01 10:00,50,7,Italy",
    )
    ledger, customers = settled(source)
    assert ledger["returned_money"] == (1, -33.0)
    # all of the second order, 3.00 of the first, and nothing of what came later
    assert customers.loc["7", [MONETARY, FREQUENCY]].tolist() == [57.0, 2]
    assert customers.loc["7", "first_purchase"].date() == date(2011, 1, 1)


def test_a_return_without_an_earlier_purchase_changes_nothing(tmp_path: Path):
    source = shop(
        tmp_path,
        "C1,A,ONE,-3,2011-01-01 10:00,10,7,Italy",
        "2,A,ONE,3,2011-01-02 10:00,10,7,Italy",
        "C3,A,ONE,-1,2011-01-03 10:00,10,8,Italy",
        "4,A,ONE,2,2011-01-04 10:00,10,9,Italy",
        "C5,A,ONE,-2,2011-01-05 10:00,10,9,Italy",
    )
    ledger, customers = settled(source, as_of=date(2011, 1, 6))
    assert ledger["without_purchase"] == (2, -40.0) and ledger["only_returns"] == (1, -10.0)
    assert ledger["returned_everything"] == (1, 20.0)
    assert ledger["out"] == {"lines": 3, "orders": 1, "customers": 1, "revenue": 30.0}
    assert customers[MONETARY].to_dict() == {"7": 30.0} and customers.loc["7", RETURN_RATE] == 0.0


def test_goods_leave_at_the_price_that_was_paid_and_what_the_shop_kept_is_said(tmp_path: Path):
    source = shop(
        tmp_path,
        "1,A,ONE,4,2011-01-01 10:00,10,7,Italy",
        "2,B,TWO,1,2011-01-01 10:00,5,7,Italy",
        "C3,A,ONE,-3,2011-01-02 10:00,8,7,Italy",
    )
    ledger, customers = settled(source, as_of=date(2011, 1, 6))
    assert ledger["returned_product"] == (1, -30.0) and ledger["return_price"] == (0, 6.0)
    assert customers.loc["7", [MONETARY, "items_per_order"]].tolist() == [15.0, 1.0]


def test_a_refund_comes_off_its_own_order_with_its_discount(tmp_path: Path):
    source = shop(
        tmp_path,
        "1,A,ONE,1,2011-01-01 10:00,100,7,Italy,0",
        "1,X,Discount for you,1,2011-01-01 10:00,-10,7,Italy,0",
        "2,A,ONE,1,2011-01-02 10:00,100,7,Italy,0",
        "3,A,ONE,1,2011-01-01 10:00,100,8,Italy,40",
        "4,A,ONE,1,2011-01-03 10:00,70,8,Italy,0",
        "1,A,ONE,-1,2011-01-05 10:00,100,7,Italy,0",
        head=f"{HEAD},refunded_amount",
    )
    with read_sales(source, rules=NET, as_of=date(2011, 2, 1)) as sales:
        customers = build_customers(sales.table, as_of=sales.as_of)
        left = sales.ledger.left
    # the first order is gone with its discount; 10.00 that was given back beyond it comes off the other
    assert customers.loc["7", [MONETARY, FREQUENCY]].tolist() == [90.0, 1]
    assert customers.loc["8", [MONETARY, FREQUENCY]].tolist() == [130.0, 2]
    assert left.units == 2_200_000


@pytest.mark.slow
def test_returns_are_settled_in_parts_as_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    draw, lines = random.Random(3), []
    for number in range(900):
        back = number % 7 == 3
        day = f"2024-0{1 + number % 6}-{1 + number % 28:02d} 1{number % 10}:00"
        lines.append(
            f"{'C' * back}{number // 3},P{draw.randint(0, 4)},x,{-draw.randint(1, 3) if back else draw.randint(1, 5)},"
            f"{day},{draw.randint(1, 3)}.5,c{draw.randint(0, 40)},Italy"
        )
    source = shop(tmp_path, *lines)

    def found() -> tuple:
        with read_sales(source, rules=NET) as sales:
            return sales.ledger, build_customers(sales.table, as_of=sales.as_of).to_dict()

    at_once = found()
    monkeypatch.setattr("engines.intake.cleaning.offsets.AT_ONCE", 50)
    assert str(found()) == str(at_once)
    draw.shuffle(lines)
    shop(tmp_path, *lines)
    assert str(found()) == str(at_once)


def test_the_same_function_serves_a_backend_that_hands_over_customer_by_customer(online_retail_lines: pa.Table):
    lines = online_retail_lines.filter(pa.compute.less(online_retail_lines["customer_id"], "13500"))
    whole = left_by_row(lines)
    parts: dict = {}
    for name in lines["customer_id"].unique().to_pylist():
        group = lines.filter(pa.compute.equal(lines["customer_id"], name)).to_pandas()  # as applyInPandas gives it
        parts |= left_by_row(pa.Table.from_pandas(group, SCHEMA, preserve_index=False))
    assert parts == whole


# --- golden figures ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_online_retail_net(shared_data: Path, tmp_path: Path):
    with read_sales(str(shared_data / "online_retail.csv.gz"), rules=NET) as sales:
        ledger, totals = sales.ledger, {name: total.units for name, total in sales.totals().items()}
        customers = build_customers(sales.table, as_of=sales.as_of)
        sales.keep(tmp_path / "kept.parquet")
        with open_kept(tmp_path / "kept.parquet", sales, ledger, NET, Reading()) as kept:
            assert kept.ledger == ledger
            assert build_customers(kept.table, as_of=kept.as_of).equals(customers)
    entries = {entry.rule: entry for entry in (*ledger.rules, *ledger.notes, *ledger.parts)}
    assert {name: (entries[name].lines, entries[name].units) for name in ENTRIES} == ENTRIES
    assert (ledger.left.customers, ledger.left.orders, ledger.left.units) == (4_323, 18_304, 83_140_711_940)
    assert totals == {"gross": 89_114_079_040, "returned": -6_113_420_900, "net": 83_000_658_140}
    assert len(customers) == 4_323 and round(customers[MONETARY].sum(), 4) == 8_314_071.194
    assert customers.loc["16446", [MONETARY, GROSS_MONETARY, FREQUENCY]].tolist() == [2.90, 168_472.50, 1]
    assert customers.loc["15098", [MONETARY, GROSS_MONETARY, FREQUENCY]].tolist() == [649.50, 39_916.50, 1]
    assert "12346" not in customers.index
    assert (entries["returned_everything"].customers, entries["returned_everything"].units) == (15, 974_626_800)


ENTRIES = {
    "sold": (397_884, 89_114_079_040),
    "returned_product": (7_571, -4_785_010_100),
    "returned_amount": (209, -607_359_300),
    "returned_money": (693, -580_997_700),
    "without_purchase": (432, -227_477_300),
    "return_price": (0, 87_423_500),
}


def test_lines_of_any_backend_can_be_settled():
    lines = ibis.memtable(
        table([dict(zip(SCHEMA.names[1:], row, strict=True)) for row in SOLD_AND_BACK]).append_column(
            "rule", pa.array([None, None], pa.string())
        )
    )
    found = offset_returns(ibis.duckdb.connect().create_table("lines", lines.to_pyarrow()), "rule", "went_back")
    assert (found.steps["returned_product"].units, found.emptied["customers"], found.orders) == (30_000, 1, 1)


SOLD_AND_BACK = (
    ("A", "x", DAYS[0], "P", 3.0, 30_000, False, "a"),
    ("A", "y", DAYS[1], "P", 3.0, 30_000, True, "a"),
)
