"""Columns are found by their names or by what the user says, and dates are read as they were meant."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from engines.errors import InputError
from engines.intake import read_sales
from engines.intake.schema.mapping import choose_columns


def chosen(columns: str, **mapping: str) -> dict[str, str]:
    names = columns.split(",")
    return {field: names[index] for field, index in choose_columns(names, mapping, "a.csv").items()}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
            "customer_id=CustomerID order_id=InvoiceNo order_date=InvoiceDate quantity=Quantity unit_price=UnitPrice "
            "product_id=StockCode description=Description country=Country",
        ),
        (
            "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer_ID,Country",
            "customer_id=Customer_ID order_id=Invoice order_date=InvoiceDate quantity=Quantity unit_price=Price "
            "product_id=StockCode description=Description country=Country",
        ),
        ("customer_id,trans_date,tran_amount", "customer_id=customer_id order_date=trans_date amount=tran_amount"),
        (
            "customer_id,date,number_of_cds,dollar_value",
            "customer_id=customer_id order_date=date quantity=number_of_cds amount=dollar_value",
        ),
        (
            "ORDER-ID,customer id,Order Date,qty,Unit Price,Amount",
            "customer_id=customer id order_id=ORDER-ID order_date=Order Date quantity=qty unit_price=Unit Price",
        ),
    ],
)
def test_common_exports_need_no_mapping(columns, expected):
    assert " ".join(f"{field}={name}" for field, name in chosen(columns).items()) == expected


def test_what_the_user_maps_wins_over_the_guess():
    columns = "customer_id,client,date,quantity,price,amount"
    assert chosen(columns, customer_id="client")["customer_id"] == "client"
    mapped = chosen(columns, amount="AMOUNT")
    assert mapped["amount"] == "amount"
    assert "unit_price" not in mapped


@pytest.mark.parametrize(
    ("columns", "mapping", "says"),
    [
        ("a,b", {"customer_id": "c"}, "a.csv has no column 'c' for customer_id; its columns are a, b"),
        ("a,b", {"colour": "a"}, "no field 'colour'.* customer_id, order_id"),
        ("customer,b", {}, "no column looks like order_date.*--map order_date=COLUMN.*customer, b"),
        ("customer,date,count", {}, "no column looks like unit_price.*--map unit_price=COLUMN .or --map amount=COLUMN"),
        (
            "a,a,date,amount",
            {"customer_id": "a"},
            "2 columns called 'a'; say which one: --map customer_id=.a .column 1",
        ),
    ],
)
def test_mapping_errors_name_the_column_and_the_remedy(columns, mapping, says):
    with pytest.raises(InputError, match=says):
        choose_columns(columns.split(","), mapping, "a.csv")


def dates_of(folder: Path, values: list[str]) -> list[datetime]:
    path = folder / "sales.csv"
    path.write_text("customer_id;date;amount\n" + "".join(f'1;"{value}";{i}\n' for i, value in enumerate(values, 1)))
    with read_sales(str(path)) as sales:
        return sales.table.order_by("amount_units").order_date.to_pyarrow().to_pylist()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["2010-12-01", "2010-12-31"], ["2010-12-01", "2010-12-31"]),
        (["2010-12-01 08:26", "2010-12-01"], ["2010-12-01 08:26", "2010-12-01"]),
        (["2010-12-01T08:26:05", "2010-12-01T08:26:05.250Z"], ["2010-12-01 08:26:05", "2010-12-01 08:26:05.250"]),
        (["2010/1/2 8:05:01.1234567"], ["2010-01-02 08:05:01.123456"]),
        (["20101201", "20101231"], ["2010-12-01", "2010-12-31"]),
        (["12/1/2010 8:26", "12/13/2010 18:26"], ["2010-12-01 08:26", "2010-12-13 18:26"]),
        (["1.12.2010", "13.12.2010"], ["2010-12-01", "2010-12-13"]),
        (["01-12-10", "13-12-10"], ["2010-12-01", "2010-12-13"]),
        (["5/5/2010", "6/6/2010"], ["2010-05-05", "2010-06-06"]),
        (["12/1/2010 8:26 PM", "12/13/2010 12:00:01 a.m."], ["2010-12-01 20:26", "2010-12-13 00:00:01"]),
        (["11-Feb-13", "1-MAR-13"], ["2013-02-11", "2013-03-01"]),
        (["11-Feb-2013", "11 February 2013 10:00"], ["2013-02-11", "2013-02-11 10:00"]),
        (["Feb 11, 2013", "March 2 2013"], ["2013-02-11", "2013-03-02"]),
    ],
)
def test_dates_are_read_by_the_format_of_their_column(tmp_path, values, expected):
    assert dates_of(tmp_path, values) == [datetime.fromisoformat(text) for text in expected]


@pytest.mark.parametrize("values", [["12/1/2010 8:26", "11/2/2010 9:00"], ["01.02.10"]])
def test_dates_that_can_be_read_both_ways_are_refused_with_both_readings(tmp_path, values):
    with pytest.raises(InputError) as caught:
        dates_of(tmp_path, values)
    message = str(caught.value)
    assert "'date'" in message
    assert "day/month/" in message
    assert "month/day/" in message
    both = {
        ("12 January 2010", "01 December 2010"),
        ("11 February 2010", "02 November 2010"),
        ("01 February", "02 January"),
    }
    assert any(one in message and other in message for one, other in both)


def test_a_column_is_never_read_row_by_row(tmp_path):
    with pytest.raises(InputError, match=r"cannot be read as a date on line 2 \('13/1/2010'\)"):
        dates_of(tmp_path, ["13/1/2010", "14/1/2010", "1/14/2010", "1/15/2010", "1/16/2010"])
    with pytest.raises(InputError, match=r"line 4 \('1-Feb-10'\)"):
        dates_of(tmp_path, ["2010-12-01", "2010-12-02", "1-Feb-10", "2-Feb-10"])


def test_the_note_says_which_order_was_decided_on(tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text("customer_id,date,amount\n1,1/2/2010,5\n1,1/31/2010,5\n")
    with read_sales(str(path)) as sales:
        assert sales.notes == ("Dates were read as month/day/year.",)
        assert sales.as_of == date(2010, 2, 1)
