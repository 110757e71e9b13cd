"""Attributes of customers: the latest value, whatever the order of lines, as of any date."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pytest

from engines.columns import describe
from engines.errors import InputError
from engines.features import build_customers, customers_at
from engines.intake import read_sales
from tests.engines.features.one_date import but_windows, customers_of_one_date

LINES = [
    "a,2020-01-01 10:00,5,old@example.org,Ann",
    "a,2020-01-05 10:00,5,zoe@example.org,",
    "a,2020-01-05 10:00,5,new@example.org,",
    "b,2020-01-02,5,,Bob \"the 'Builder'\" 😀",
    "c,2020-01-03,5,,",
]
MAPPING = {"attribute.email": "mail", "attribute.full_name": "name"}


@pytest.mark.parametrize("seed", range(4))
def test_the_latest_value_counts_ties_by_value(tmp_path: Path, seed: int):
    lines = random.Random(seed).sample(LINES, len(LINES))
    path = tmp_path / "a.csv"
    quoted = ('"{}"'.format('","'.join(cell.replace('"', '""') for cell in line.split(","))) for line in lines)
    path.write_text("customer,date,amount,mail,name\n" + "\n".join(quoted) + "\n", encoding="utf-8")
    with read_sales(str(path), mapping=MAPPING) as sales:
        made = build_customers(sales.table, as_of=sales.as_of)
        alone = customers_of_one_date(sales.table, sales.as_of, {})
        (_, early), (_, late) = customers_at(sales.table, [date(2020, 1, 4), sales.as_of])
    assert list(made.columns[-2:]) == ["attribute_email", "attribute_full_name"]
    assert made.attribute_email.fillna("-").to_dict() == {"a": "new@example.org", "b": "-", "c": "-"}
    assert made.attribute_full_name.fillna("-").to_dict() == {"a": "Ann", "b": "Bob \"the 'Builder'\" 😀", "c": "-"}
    assert str(made.attribute_email.dtype) == "str"
    assert early.attribute_email["a"] == "old@example.org"
    assert late.equals(made) and alone.equals(but_windows(made))


def test_an_attribute_is_described_by_its_name():
    entry = describe("attribute_full_name")
    assert (entry.title, entry.kind) == ("Full name", "text")
    assert "attribute.full_name" in entry.formula


@pytest.mark.parametrize("field", ["attribute.", "attribute.E-Mail", "attribute.1st", "email"])
def test_other_names_are_refused(tmp_path: Path, field: str):
    path = tmp_path / "a.csv"
    path.write_text("customer,date,amount,mail\n1,2020-01-01,5,x\n")
    with pytest.raises(InputError, match="There is no field"):
        read_sales(str(path), mapping={field: "mail"})
