"""A log of who bought when, without money, is read; one that may have money is asked about."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.errors import InputError
from engines.features import build_customers
from engines.intake import read_sales
from engines.intake.schema.preview import preview


def written(folder: Path, header: str, *rows: str) -> str:
    path = folder / "log.csv"
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return str(path)


def test_a_log_without_numbers_has_purchases_and_no_money(tmp_path: Path):
    source = written(tmp_path, "customer_id,order_date", "A,2024-01-05", "A,2024-02-05", "B,2024-01-06")
    assert preview(source).usable
    with read_sales(source) as sales:
        customers = build_customers(sales.table, as_of=sales.as_of)
        assert customers.frequency.to_dict() == {"A": 2, "B": 1} and customers.monetary.tolist() == [0, 0]
        assert any("No column holds money" in note for note in sales.notes)
        assert sales.ledger.left.lines == 3 and sales.ledger.left.units == 0


def test_a_column_that_may_be_money_is_asked_about_unless_there_is_said_to_be_none(tmp_path: Path):
    source = written(tmp_path, "customer_id,order_date,points", "A,2024-01-05,10", "A,2024-02-05,11", "B,2024-01-06,12")
    with pytest.raises(InputError, match=r"--map amount=COLUMN; --map amount= if there is no money in it"):
        read_sales(source)
    with read_sales(source, mapping={"amount": ""}) as sales:
        assert sales.ledger.left.lines == 3
