"""What became of orders: no sale, sent back, refunded in part, made cheaper, in the words of shops."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from engines.intake import Sales, open_kept, read_sales
from engines.intake.sales import Origin
from engines.intake.schema.preview import preview
from engines.settings import CleaningRules, Reading


def written(folder: Path, header: str, *rows: str) -> str:
    path = folder / "sales.csv"
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return str(path)


def totals(sales: Sales) -> tuple[float, float, float]:
    """Gross, what went back (above zero) and net, in currency units."""
    found = {name: total.to_dict()["revenue"] for name, total in sales.totals().items()}
    return found["gross"], -found["returned"], found["net"]


def dropped(sales: Sales, rule: str) -> tuple[int, float]:
    (entry,) = (entry for entry in sales.ledger.to_dict()["rules"] if entry["rule"] == rule)
    return entry["lines"], entry["revenue"]


STATUS = "order,customer,date,status,amount"


NO_SALE = (
    *("Cancelled", "wc-failed", "pending payment", "Storniert", "Annulé", "Anulado", "Annullato", "Geannuleerd"),
    *("Cancelado", "Anulowane", "已取消", "キャンセル"),
)
BACK = (
    *("Refunded", "wc-refunded", "returned", "Erstattet", "Remboursé", "Reembolsado", "Rimborsato", "Terugbetaald"),
    *("Devolvido", "Zwrócone", "已退款", "返金済み"),
)


def test_a_status_says_what_is_no_sale_and_what_went_back(tmp_path: Path):
    rows = [f"{n},A,2024-01-05,{word},400.00" for n, word in enumerate(NO_SALE)]
    rows += [f"b{n},A,2024-01-06,{word},30.00" for n, word in enumerate(BACK)] + ["s,B,2024-01-07,completed,20.00"]
    source, back = written(tmp_path, STATUS, *rows), 30.0 * len(BACK)
    with read_sales(source) as sales:
        assert totals(sales) == (back + 20.0, back, 20.0)
        assert dropped(sales, "not_a_sale") == (len(NO_SALE), 400.0 * len(NO_SALE))
        assert sales.ledger.came_in.lines == len(rows) and sales.ledger.left.lines == len(BACK) + 1
        (note,) = (note for note in sales.notes if "'status'" in note)
        assert "no sale" in note and "sold and sent back" in note and "Not known" not in note
    with read_sales(source, rules=CleaningRules(returns="net")) as sales:
        assert totals(sales) == (back + 20.0, back, 20.0)
        assert sales.ledger.left.units == 200_000 and dropped(sales, "return_sign") == (0, back)


def test_a_shop_may_have_words_of_its_own(tmp_path: Path):
    source = written(tmp_path, STATUS, "1,A,2024-01-05,parked,400.00", "2,A,2024-01-06,pending,30.00")
    with read_sales(source) as sales:
        assert totals(sales)[0] == 400.0  # pending is no sale, and nobody knows parked
        assert any("Not known, and counted as sold: 'parked'" in note for note in sales.notes)
    with read_sales(source, rules=CleaningRules(not_a_sale=("park*",), sold=("pending",))) as sales:
        assert totals(sales)[0] == 30.0


def test_without_the_field_nothing_is_dropped(tmp_path: Path):
    source = written(tmp_path, STATUS, "1,A,2024-01-05,cancelled,400.00", "2,A,2024-01-06,paid,30.00")
    with read_sales(source, mapping={"status": ""}) as sales:
        assert totals(sales)[0] == 430.0
        assert "not_a_sale" not in [rule.rule for rule in sales.ledger.rules]


def test_a_cancelled_line_needs_no_price(tmp_path: Path):
    rows = [f"{n},A,2024-01-{n:02},shipped,1,5.00" for n in range(1, 11)] + ["11,A,2024-01-11,cancelled,0,"]
    with read_sales(written(tmp_path, "order,customer,date,status,quantity,price", *rows)) as sales:
        assert totals(sales)[0] == 50.0 and dropped(sales, "unreadable") == (0, 0.0)
    assert preview(str(tmp_path / "sales.csv")).usable


def test_flags_and_dates_of_a_cancellation(tmp_path: Path):
    header = "order,customer,date,cancelled_at,is_test,amount"
    rows = [
        *("1,A,2024-01-05,,false,1.00", "2,A,2024-01-06,2024-01-07 10:00,false,20.00"),
        *("3,B,2024-01-06,0000-00-00 00:00:00,0,4.00", "4,B,2024-01-07,,true,80.00", "5,B,2024-01-08,never,no,16.00"),
    ]
    with read_sales(written(tmp_path, header, *rows)) as sales:
        assert totals(sales)[0] == 21.0 and dropped(sales, "not_a_sale") == (2, 100.0)


def test_documents_that_went_back_and_payments(tmp_path: Path):
    header = "number,customer,date,document type,amount"
    rows = ["1,A,2024-01-05,Invoice,100.00", "2,A,2024-01-15,Credit Memo,40.00", "3,A,2024-01-25,Payment,60.00"]
    mapping = {"order_id": "number", "line_type": "document type"}
    rules, source = CleaningRules(returns="drop"), written(tmp_path, header, *rows)
    with read_sales(source, mapping=mapping, rules=rules, as_of=date(2024, 2, 1)) as sales:
        assert totals(sales) == (100.0, 40.0, 60.0)
        assert dropped(sales, "return_line") == (1, 40.0) and dropped(sales, "not_a_sale") == (1, 60.0)


def test_a_refund_in_a_column_of_its_own_counts_once_per_order(tmp_path: Path):
    header = "order,customer,date,sku,amount,refunded_amount"
    by_line = ["1,A,2024-01-05,P,20.00,5.00", "1,A,2024-01-05,Q,30.00,0", "2,B,2024-01-06,P,20.00,20.00"]
    with read_sales(written(tmp_path, header, *by_line)) as sales:
        assert totals(sales) == (70.0, 25.0, 45.0)
        rows = sales.table.filter(sales.table.line_type == "return").to_pyarrow().to_pylist()
        assert sorted((row["customer_id"], row["amount_units"]) for row in rows) == [("A", -50_000), ("B", -200_000)]
        (entry,) = (note for note in sales.ledger.notes if note.rule == "refunded")
        assert (entry.lines, entry.units, entry.customers) == (2, 250_000, 2)
    by_order = [f"{n},A,2024-01-0{n},{sku},10.00,8.00" for n in range(1, 5) for sku in "PQ"]
    with read_sales(written(tmp_path, header, *by_order)) as sales:  # the same on all lines: of the order
        assert totals(sales) == (80.0, 32.0, 48.0)


def test_no_more_goes_back_than_was_sold(tmp_path: Path):
    source = written(
        tmp_path, "order,customer,date,amount,refunded_amount", "1,A,2024-01-05,50.00,55.00", "2,B,2024-01-06,1,0"
    )
    with read_sales(source) as sales:
        assert totals(sales) == (51.0, 50.0, 1.0)


def test_a_refunded_order_with_lines_that_went_back_counts_them_alone(tmp_path: Path):
    rows = ["1,A,2024-01-05,refunded,40.00", "1,A,2024-01-08,refunded,-40.00", "2,B,2024-01-09,paid,1.00"]
    with read_sales(written(tmp_path, STATUS, *rows)) as sales:
        assert totals(sales) == (41.0, 40.0, 1.0)


def test_of_two_items_of_one_price_the_one_that_was_refunded_went_back(tmp_path: Path):
    rows = ["1,A,2024-01-05,completed,10.00", "1,A,2024-01-05,refunded,10.00", "2,B,2024-01-09,completed,1.00"]
    with read_sales(written(tmp_path, STATUS, *rows)) as sales:
        assert totals(sales) == (21.0, 10.0, 11.0)
        assert any("'refunded': sold and sent back" in note for note in sales.notes)


def test_a_refund_as_a_later_line_of_its_own_was_sold_by_another(tmp_path: Path):
    rows = ["1,A,2024-01-05,completed,10.00", "1,A,2024-01-07,refunded,10.00", "2,B,2024-01-09,completed,1.00"]
    with read_sales(written(tmp_path, STATUS, *rows)) as sales:
        assert totals(sales) == (11.0, 10.0, 1.0)
        assert any("'refunded': sent back" in note for note in sales.notes)


def test_the_order_of_lines_changes_nothing_that_is_kept(tmp_path: Path):
    header = "order,customer,date,status,sku,quantity,price,discount amount"
    rows = [f"{n},A,2024-01-0{n} 1{k}:00,refunded,P{k},1,30.00,{3 if k else ''}" for n in range(1, 4) for k in range(2)]
    kept = []
    for at, lines in enumerate((rows, rows[::-1])):
        with read_sales(written(tmp_path, header, *lines)) as sales:
            sales.keep(tmp_path / f"{at}.parquet")
            kept.append((tmp_path / f"{at}.parquet").read_bytes())
    assert kept[0] == kept[1]


def test_a_partly_refunded_order_without_a_sum_is_noted(tmp_path: Path):
    rows = ["1,A,2024-01-05,partially_refunded,40.00", "2,B,2024-01-09,paid,1.00"]
    with read_sales(written(tmp_path, STATUS, *rows)) as sales:
        assert totals(sales) == (41.0, 0.0, 41.0)
        assert any("1 orders were partly refunded" in note and "--map refunded_amount=" in note for note in sales.notes)


def test_a_discount_of_the_order_comes_off(tmp_path: Path):
    header = "order,customer,date,quantity,price,discount amount"
    rows = ["1,A,2024-01-05,2,30.00,10.00", "1,A,2024-01-05,1,40.00,", "2,B,2024-01-06,1,50.00,0"]
    with read_sales(written(tmp_path, header, *rows)) as sales:
        assert totals(sales) == (140.0, 0.0, 140.0)
        assert any("10.00 of column 'discount amount' come off" in note for note in sales.notes)
        assert dropped(sales, "discount") == (0, 10.0)
        assert sales.ledger.came_in.units == 1_500_000


def test_a_discount_as_a_line_makes_the_order_cheaper_and_is_no_return(tmp_path: Path):
    header = "order,customer,date,product,quantity,price"
    rows = ["1,A,2024-01-05,Pot,1,100.00", "1,A,2024-01-05,Discount 10%,1,-10.00", "2,B,2024-01-06,Pan,1,-5.00"]
    with read_sales(written(tmp_path, header, *rows, "3,B,2024-01-07,Pan,1,1.00")) as sales:
        assert totals(sales) == (91.0, 0.0, 91.0)
        assert any("1 lines below zero are discounts" in note and "10.00" in note for note in sales.notes)
        assert dropped(sales, "non_positive_price") == (1, -5.0)


def test_rows_that_add_up_the_others_are_no_sales(tmp_path: Path):
    rows = ["1,A,2024-01-05,10.00", "2,B,2024-01-06,5.00", "2 orders,Total,2024-01-06,15.00"]
    with read_sales(written(tmp_path, "order,customer,date,amount", *rows)) as sales:
        assert totals(sales)[0] == 15.0 and dropped(sales, "not_a_sale") == (1, 15.0)
        assert any("'Total' add up the others" in note for note in sales.notes)
    with read_sales(str(tmp_path / "sales.csv"), rules=CleaningRules(sold=("total",))) as sales:
        assert totals(sales)[0] == 30.0  # a shop may have a customer of that name


def test_kept_sales_are_the_same_as_of_an_earlier_day(tmp_path: Path):
    header = "order,customer,date,status,quantity,price,discount amount"
    rows = [
        *("1,A,2024-01-05,paid,1,30.00,3.00", "2,A,2024-01-06,refunded,1,8.00,0", "3,B,2024-01-07,cancelled,1,9.00,0"),
        "4,B,2024-01-09,paid,1,2.00,1.00",
    ]
    source, day = written(tmp_path, header, *rows), date(2024, 1, 8)
    with read_sales(source) as sales, read_sales(source, as_of=day) as then:
        sales.keep(tmp_path / "kept.parquet")
        origin = {name: getattr(sales, name) for name in ("name", "title", "synthetic", "mapping", "fingerprint")}
        kept = open_kept(
            tmp_path / "kept.parquet", Origin(**origin), sales.ledger, CleaningRules(), Reading(), as_of=day
        )
        with kept:
            assert totals(kept) == totals(then) == (35.0, 8.0, 27.0)
            assert kept.ledger.to_dict() == then.ledger.to_dict()
