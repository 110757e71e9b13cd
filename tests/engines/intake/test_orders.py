"""What stands once per order is told from what stands on its lines: totals count once, and blanks are filled."""

from __future__ import annotations

import csv
import gzip
import random
from pathlib import Path

import pytest

from engines.errors import InputError
from engines.features import build_customers
from engines.intake import CleaningRules, read_sales

SHOPIFY = [
    "Name",
    "Email",
    "Financial Status",
    "Paid at",
    "Fulfillment Status",
    "Fulfilled at",
    "Accepts Marketing",
    "Currency",
    "Subtotal",
    "Shipping",
    "Taxes",
    "Total",
    "Discount Code",
    "Discount Amount",
    "Shipping Method",
    "Created at",
    "Lineitem quantity",
    "Lineitem name",
    "Lineitem price",
    "Lineitem compare at price",
    "Lineitem sku",
    "Lineitem requires shipping",
    "Billing Name",
    "Billing Country",
    "Shipping Name",
    "Shipping Country",
    "Source",
]
ORDERS = [  # order, e-mail, moment, country, channel, (quantity, price, product) of each line
    ("#1001", "ann@example.org", "2024-01-31 23:30:00 -0500", "DE", "web", [(2, "5.00", "M1"), (1, "7.50", "M2")]),
    ("#1002", "bob@example.org", "2024-02-03 09:00:00 +0100", "FR", "pos", [(1, "9.99", "M3")]),
    ("#1003", "ann@example.org", "2024-02-20 10:00:00 +0100", "AT", "pos", [(1, "5.00", "M1"), (3, "1.00", "M4")]),
]


def write(path: Path, header: list[str], rows: list[dict[str, object]]) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def shopify(path: Path) -> str:
    rows: list[dict[str, object]] = []
    for order, email, moment, country, channel, items in ORDERS:
        total = sum(quantity * float(price) for quantity, price, _ in items)
        once = {"Financial Status": "paid", "Paid at": moment, "Currency": "EUR", "Total": f"{total:.2f}"}
        once |= {"Billing Name": email[:3].title(), "Billing Country": country, "Shipping Country": country}
        once |= {"Source": channel}
        for at, (quantity, price, product) in enumerate(items):
            line = {"Name": order, "Email": email, "Created at": moment, "Lineitem quantity": quantity}
            line |= {"Lineitem price": price, "Lineitem sku": product, "Lineitem name": f"Mug {product}"}
            rows.append({**line, **(once if at == 0 else {})})
    return write(path, SHOPIFY, rows)


def test_a_shopify_export_needs_no_mapping(tmp_path):
    with read_sales(shopify(tmp_path / "orders_export.csv")) as sales:
        assert sales.mapping == {
            "customer_id": "Email",
            "order_id": "Name",
            "order_date": "Created at",
            "quantity": "Lineitem quantity",
            "unit_price": "Lineitem price",
            "product_id": "Lineitem sku",
            "description": "Lineitem name",
            "country": "Shipping Country",
            "currency": "Currency",
            "status": "Financial Status",
            "discount": "Discount Amount",
            "customer_name": "Billing Name",
        }
        assert sales.currency == "EUR"
        rows = sales.table.order_by("order_id", "description").to_pyarrow().to_pylist()
        assert sales.notes[:2] == (
            "Read as a Shopify orders export.",
            "Stands on one line of each order and was taken for all of its lines: Shipping Country, Currency, "
            "Financial Status, Billing Name.",
        )
        assert "All money is in EUR, as column 'Currency' says." in sales.notes
    assert [row["country"] for row in rows] == ["DE", "DE", "FR", "AT", "AT"]
    assert rows[0]["order_date"].isoformat() == "2024-02-01T04:30:00"
    assert [row["amount_units"] for row in rows] == [100_000, 75_000, 99_900, 50_000, 30_000]


@pytest.mark.parametrize("field", ["amount", "order_total"])
def test_a_total_on_the_first_line_only_is_counted_once(tmp_path, field):
    with read_sales(shopify(tmp_path / "a.csv"), mapping={field: "Total", "quantity": ""}) as sales:
        assert sales.ledger.to_dict()["out"] == {"lines": 5, "orders": 3, "customers": 2, "revenue": 35.49}
        rows = sales.table.order_by("order_id", "amount_units").to_pyarrow().to_pylist()
        assert (
            "'Total' is the total of an order: it stands on one line of each of the 2 orders of several lines. "
            "It is counted once per order, in equal parts on its lines."
        ) in sales.notes
        assert sales.mapping["quantity"] == ""
        assert "quantity" not in sales.fields
    assert [row["amount_units"] for row in rows] == [87_500, 87_500, 99_900, 40_000, 40_000]


def test_attributes_of_an_order_reach_its_lines_and_the_customer(tmp_path):
    mapping = {"attribute.name": "Billing Name", "attribute.channel": "Source"}
    with read_sales(shopify(tmp_path / "a.csv"), mapping=mapping) as sales:
        assert sales.mapping["attribute.channel"] == "Source"
        assert set(sales.table.attribute_channel.to_pyarrow().to_pylist()) == {"web", "pos"}
        customers = build_customers(sales.table, as_of=sales.as_of)
    assert customers.attribute_name.to_dict() == {"ann@example.org": "Ann", "bob@example.org": "Bob"}
    assert customers.attribute_channel.to_dict() == {"ann@example.org": "pos", "bob@example.org": "pos"}


WOOCOMMERCE = [
    "Order Number",
    "Order Status",
    "Order Date",
    "First Name (Billing)",
    "Last Name (Billing)",
    "Country Code (Billing)",
    "Email (Billing)",
    "Order Subtotal Amount",
    "Order Shipping Amount",
    "Order Refund Amount",
    "Order Total Amount",
    "SKU",
    "Item #",
    "Item Name",
    "Quantity (- Refund)",
    "Item Cost",
]


def woocommerce(path: Path) -> str:
    rows = []
    for order, email, _, country, _, items in ORDERS:
        total = sum(quantity * float(price) for quantity, price, _ in items)
        for at, (quantity, price, product) in enumerate(items, 1):
            once = {
                "Order Number": order[1:],
                "Order Status": "Completed",
                "Order Date": f"2024-02-0{order[-1]} 9:0{at}",
            }
            once |= {"Email (Billing)": email, "Country Code (Billing)": country, "Order Total Amount": f"{total:.2f}"}
            rows.append(
                {**once, "SKU": product, "Item Name": product, "Quantity (- Refund)": quantity, "Item Cost": price}
            )
    return write(path, WOOCOMMERCE, rows)


def test_a_woocommerce_export_needs_no_mapping(tmp_path):
    with read_sales(woocommerce(tmp_path / "orders.csv")) as sales:
        assert sales.mapping == {
            "customer_id": "Email (Billing)",
            "order_id": "Order Number",
            "order_date": "Order Date",
            "quantity": "Quantity (- Refund)",
            "unit_price": "Item Cost",
            "product_id": "SKU",
            "description": "Item Name",
            "country": "Country Code (Billing)",
            "status": "Order Status",
            "customer_name": "Last Name (Billing)",
        }
        assert sales.ledger.to_dict()["out"] == {"lines": 5, "orders": 3, "customers": 2, "revenue": 35.49}
    with read_sales(woocommerce(tmp_path / "orders.csv"), mapping={"order_total": "Order Total Amount"}) as sales:
        assert sales.ledger.to_dict()["out"]["revenue"] == 35.49


def repeating(path: Path, orders: int = 12, lines: int = 3, *, shuffled: int = 0) -> str:
    rows = [
        f"c{order % 5},o{order},2024-01-{order + 1:02d},{10 + order}.01,p{line}"
        for order in range(orders)
        for line in range(lines)
    ]
    if shuffled:
        random.Random(shuffled).shuffle(rows)
    path.write_text("customer,order,date,amount,product\n" + "\n".join(rows) + "\n")
    return str(path)


def test_an_amount_that_repeats_on_all_lines_of_all_orders_is_their_total(tmp_path):
    tables = []
    for seed in (0, 1, 2):
        with read_sales(repeating(tmp_path / "a.csv", shuffled=seed)) as sales:
            assert sales.ledger.to_dict()["out"]["revenue"] == pytest.approx(sum(10.01 + order for order in range(12)))
            assert sales.notes[0].startswith(
                "'amount' is the total of an order: it stands on every line of each of the 12"
            )
            tables.append(sales.table.order_by("order_id", "description").to_pyarrow())
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])


def test_a_few_orders_prove_nothing_but_are_pointed_out(tmp_path):
    with read_sales(repeating(tmp_path / "a.csv", orders=3)) as sales:
        assert sales.ledger.to_dict()["out"]["revenue"] == pytest.approx(3 * (10.01 + 11.01 + 12.01))
        assert sales.notes[0].endswith("If it is the total of the order, say --map order_total=amount.")


def test_parts_of_a_total_add_up_and_go_to_lines_that_stay(tmp_path):
    text = "customer,order,date,order total,quantity,product\n" + "".join(
        f"1,A,2024-01-01,10.00,{quantity},{product}\n"
        for quantity, product in ((1, "x"), (2, "y"), (1, "z"), (-1, "w"))
    )
    text += "1,B,2024-01-02,-4.00,1,x\n1,B,2024-01-02,-4.00,1,y\n" + "2,C,2024-01-03,6.00,1,x\n" * 2
    path = tmp_path / "a.csv"
    path.write_text(text)
    with read_sales(str(path), rules=CleaningRules(returns="drop")) as sales:
        rules = {rule["rule"]: (rule["lines"], rule["revenue"]) for rule in sales.ledger.to_dict()["rules"]}
        units = sales.table.filter(sales.table.order_id == "A").amount_units.to_pyarrow().to_pylist()
        assert sales.ledger.to_dict()["out"]["revenue"] == 16.0
    assert sorted(units) == [33_333, 33_333, 33_334]
    assert rules["non_positive_quantity"] == (1, 0.0)
    assert rules["negative_amount"] == (2, -4.0)
    with read_sales(str(path), rules=CleaningRules(returns="drop", drop_exact_duplicates=True)) as sales:
        assert sales.ledger.to_dict()["out"]["revenue"] == 16.0


def test_an_order_with_two_totals_cannot_be_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("customer,order,date,order_total\n1,A,2024-01-01,10\n1,A,2024-01-01,11\n2,B,2024-01-01,5\n")
    with pytest.raises(InputError, match=r"'order_total' .*the one total of an order on line 2 \('10'\), line 3"):
        read_sales(str(path))


def test_totals_without_orders_are_amounts_and_both_at_once_are_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("customer,date,order_total,sum\n1,2024-01-01,10,1\n1,2024-01-02,11,2\n")
    with read_sales(str(path)) as sales:
        assert sales.ledger.to_dict()["out"]["revenue"] == 21.0
        assert sales.notes[0].startswith("Without order_id every line was taken for an order of its own")
    with pytest.raises(InputError, match="both amount and order_total are mapped"):
        read_sales(str(path), mapping={"amount": "sum", "order_total": "order_total"})


@pytest.mark.parametrize("mapping", [{}, {"amount": "payment_value_total"}, {"order_total": "payment_value_total"}])
def test_olist_repeats_the_payment_of_an_order_on_its_lines(shared_data: Path, mapping):
    paid, cancelled = {}, {}
    with gzip.open(shared_data / "olist_transactions.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            paid[row["order_id"]] = round(float(row["payment_value_total"]) * 100)
            if row["order_status"] == "canceled":
                cancelled[row["order_id"]] = paid.pop(row["order_id"])
            elif not row["order_purchase_timestamp"]:
                del paid[row["order_id"]]  # two orders of one line have no date
    with read_sales(str(shared_data / "olist_transactions.csv.gz"), mapping=mapping) as sales:
        ledger, notes = sales.ledger.to_dict(), sales.notes
        customers = build_customers(sales.table, as_of=sales.as_of)
    assert ledger["in"]["lines"] == 30_931
    no_sale, unreadable = ledger["rules"][:2]
    assert (no_sale["rule"], no_sale["lines"], no_sale["orders"]) == ("not_a_sale", 706, len(cancelled))
    assert round(no_sale["revenue"] * 100) == sum(cancelled.values())
    assert unreadable == {"rule": "unreadable", "lines": 2, "orders": 2, "customers": 2, "revenue": 0.0}
    assert round(ledger["out"]["revenue"] * 100) == sum(paid.values())
    assert int(customers.frequency.sum()) == len(paid) == 27_243 - len(cancelled)
    assert "on every line of each of the 2,599 orders of several lines" in notes[0]
    assert "'canceled': no sale. Not known, and counted as sold: 'unavailable', 'created'." in notes[-1]
    assert customers.unique_products.isna().all()


def test_prices_that_are_missing_on_too_many_lines_refuse_olist(shared_data: Path):
    with pytest.raises(InputError, match=r"'price' .*\(blank\) and 772 more.*777 of 30,931"):
        read_sales(str(shared_data / "olist_transactions.csv.gz"), mapping={"amount": "price", "status": ""})
