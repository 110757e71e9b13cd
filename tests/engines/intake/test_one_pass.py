"""Lines are read in one pass by what the first of them decide, and once more where a later line speaks against it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.errors import InputError
from engines.intake import Sales, read_sales

FIRST = 21_000  # lines: more than decisions are made on at first


def written(folder: Path, first: str, *later: str, header: str = "customer,order,date,amount") -> str:
    path = folder / "sales.csv"
    path.write_text("\n".join([header, *[first] * FIRST, *later, ""]), encoding="utf-8")
    return str(path)


def days(sales: Sales) -> list[str]:
    return sorted({str(moment.date()) for moment in sales.table.order_date.to_pyarrow().to_pylist()})


def units(sales: Sales) -> set[int]:
    return set(sales.table.amount_units.to_pyarrow().to_pylist())


def test_a_later_line_may_decide_the_order_of_day_and_month(tmp_path: Path):
    with read_sales(written(tmp_path, "1,A,03/04/2024,1.50", "1,B,25/04/2024,1.50")) as sales:
        assert days(sales) == ["2024-04-03", "2024-04-25"]
        assert "Dates were read as day/month/year." in sales.notes
    with pytest.raises(InputError, match="03 April 2024 or 04 March 2024"):
        read_sales(written(tmp_path, "1,A,03/04/2024,1.50", "1,B,05/04/2024,1.50"))


def test_first_lines_that_are_the_same_either_way_decide_nothing(tmp_path: Path):
    with pytest.raises(InputError, match="03 April 2024 or 04 March 2024"):
        read_sales(written(tmp_path, "1,A,01/01/2024,1.50", "1,B,03/04/2024,1.50"))
    with read_sales(written(tmp_path, "1,A,01/01/2024,1.50", "1,B,04/25/2024,1.50")) as sales:
        assert days(sales) == ["2024-01-01", "2024-04-25"]


def test_later_dates_may_be_written_in_another_way_of_the_same_order(tmp_path: Path):
    later = ("1,B,26/04/2024 10:30,1.50", "1,C,27-04-2024 9:15 PM,1.50", "1,D,28.04.2024,1.50")
    with read_sales(written(tmp_path, "1,A,25/04/2024,1.50", *later)) as sales:
        assert days(sales) == ["2024-04-25", "2024-04-26", "2024-04-27", "2024-04-28"]
        assert not sales.ledger.to_dict()["rules"][0]["lines"]


def test_dates_that_nobody_can_read_are_set_aside_with_their_line(tmp_path: Path):
    with read_sales(written(tmp_path, "1,A,2024-04-25,1.50", "1,B,soon,1.50", "1,C,,1.50")) as sales:
        assert sales.ledger.to_dict()["rules"][0] == {
            "rule": "unreadable",
            "lines": 2,
            "orders": 2,
            "customers": 1,
            "revenue": 0.0,
        }
        (note,) = [note for note in sales.notes if "set aside" in note]
        assert f"line {FIRST + 2} ('soon'), line {FIRST + 3} (blank)" in note


def test_later_numbers_may_decide_the_decimal_sign(tmp_path: Path):
    # a point before three digits may be either; a comma before two is a decimal one
    path = written(tmp_path, "1;A;2024-04-25;1.500", "1;B;2024-04-26;2,25", header="customer;order;date;amount")
    with read_sales(path) as sales:
        assert units(sales) == {15_000_000, 22_500}
        assert "Numbers were read with a decimal comma." in sales.notes


def test_most_of_the_numbers_decide_the_decimal_sign(tmp_path: Path):
    later = [f'1,B{line},2024-04-26,"1.234,{line % 90 + 10}"' for line in range(10)]
    with read_sales(written(tmp_path, "1,A,2024-04-25,1.55", *later)) as sales:
        assert units(sales) == {15_500}, "the few that prove a comma are set aside"
        assert sales.ledger.to_dict()["rules"][0]["lines"] == 10


def test_a_total_on_one_line_of_each_order_is_found_beyond_the_first_lines(tmp_path: Path):
    lines = [
        f"{order},{order},2024-04-25,{'10.00' if line == 0 else ''}" for order in range(9_000) for line in (0, 1, 2)
    ]
    path = tmp_path / "sales.csv"
    path.write_text("\n".join(["customer,order,date,amount", *lines, ""]), encoding="utf-8")
    with read_sales(str(path)) as sales:
        assert sales.ledger.to_dict()["out"] == {
            "lines": 27_000,
            "orders": 9_000,
            "customers": 9_000,
            "revenue": 90_000.0,
        }


def test_every_line_keeps_its_number_however_many_there_are(tmp_path: Path):
    path, lines = tmp_path / "sales.csv", 300_000
    with path.open("w", encoding="utf-8") as file:
        file.write("customer,order,date,amount\n")
        file.writelines(f"{line if line % 3 else ''},A,2024-04-25,1.50\n" for line in range(2, lines + 2))
    with read_sales(str(path), keep_dropped=True) as sales:
        dropped = sales.dropped().read_all()
        assert dropped["line"].to_pylist() == [line for line in range(2, lines + 2) if not line % 3]
        found = sales._lines.select("line", "customer_id").to_pyarrow().to_pandas().dropna()
        assert (found["customer_id"].astype(int) == found["line"] + 2).all()


@pytest.mark.parametrize(
    "data",
    [
        b"customer,order,date,amount\r\n1,A,2024-01-01,1.50\r\n2,B,2024-01-02,2.50\r\n",
        b"\xef\xbb\xbfcustomer,order,date,amount\n1,A,2024-01-01,1.50\n2,B,2024-01-02,2.50",
        b'customer,order,date,amount\r\n1,"A",2024-01-01,1.50\r\n2,B,2024-01-02,2.50\r\n',
        b"customer,order,date,amount\n1,A,2024-01-01,1.50\r2,B,2024-01-02,2.50\r\n",
        b"customer\torder\tdate\tamount\n1\tA\t2024-01-01\t1.50\n2 \t B\t2024-01-02\t2.50\n",
        "customer,order,date,amount\n\u00a01,A\u00a0,2024-01-01,1.50\n2,\tB,2024-01-02,2.50\n".encode(),
        b'customer,order,date,amount\n1,"A\n",2024-01-01,1.50\n2,"\nB",2024-01-02,2.50\n',
    ],
    ids=["cr-lf", "byte-order-mark", "cr-lf-quoted", "mixed-ends", "tabs", "odd-blanks", "line-ends-in-cells"],
)
def test_texts_are_read_alike_however_their_lines_end_and_cells_are_padded(tmp_path: Path, data: bytes):
    path = tmp_path / "sales.csv"
    path.write_bytes(data)
    with read_sales(str(path)) as sales:
        rows = sales.table.select("customer_id", "order_id", "amount_units").to_pyarrow().to_pylist()
    assert sorted(map(tuple, (row.values() for row in rows))) == [("1", "A", 15_000), ("2", "B", 25_000)]
