"""Customers read from a table: recognised by its header, the same from every kind of file, refused with the line."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from engines.errors import InputError
from engines.intake.schema.customers import read_customers

NEEDED = ["recency_days", "monetary"]
TEXT = "Customer_ID;Recency_Days;monetary;home;note\n17850.0;3;12.5;Yes;x\n'=1+1;4;1e3;no;y\n\n B ;5;0.1;TRUE;z\n"


@pytest.fixture
def file(tmp_path):
    def write(text, name="customers.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return write


def test_a_csv_of_customers(file):
    found = read_customers(file(TEXT), [*NEEDED, "home"])
    assert list(found.index) == ["17850", "=1+1", "B"]
    assert found.index.name == "customer_id"
    assert found.to_numpy().tolist() == [[3.0, 12.5, 1.0], [4.0, 1000.0, 0.0], [5.0, 0.1, 1.0]]


def test_every_kind_of_file_gives_the_same_numbers(tmp_path):
    draw = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "customer_id": [f"{number:04d}" for number in range(200)],
            "monetary": draw.gamma(1, 100, 200).round(4),
            "recency_days": draw.integers(1, 500, 200),
            "home": draw.random(200) < 0.5,
        }
    )
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_csv(tmp_path / "a.csv.gz", index=False)
    table.to_parquet(tmp_path / "a.parquet", index=False)
    table.to_excel(tmp_path / "a.xlsx", index=False, engine="xlsxwriter")
    wanted = table.set_index("customer_id")[["recency_days", "monetary", "home"]].astype("float64")
    for path in sorted(tmp_path.iterdir()):
        found = read_customers(str(path), list(wanted.columns))
        assert_frame_equal(found, wanted, check_index_type=False, obj=path.name)


def test_floats_come_back_bit_for_bit(tmp_path):
    values = np.random.default_rng(0).lognormal(size=500)
    table = pd.DataFrame({"customer_id": np.arange(500).astype(str), "monetary": values})
    for path in (tmp_path / "a.csv", tmp_path / "a.parquet"):
        table.to_csv(path, index=False) if path.suffix == ".csv" else table.to_parquet(path)
        assert np.array_equal(read_customers(str(path), ["monetary"])["monetary"], values)


def test_sales_are_left_to_others(file):
    sales = "customer_id,order_date,amount\na,2024-01-01,3\n"
    assert read_customers(file(sales), NEEDED) is None
    assert read_customers("cdnow-sample", NEEDED) is None
    assert read_customers(file(TEXT), NEEDED, mapping={"order_date": "note"}) is None
    both = "customer_id,order_date,amount,recency_days,monetary\na,2024-01-01,3,4,5\n"
    assert read_customers(file(both), NEEDED)["monetary"].tolist() == [5.0]


def test_an_id_of_another_name_is_mapped(file):
    found = read_customers(file("Kunde,recency_days,monetary\n7,1,2\n"), NEEDED, mapping={"customer_id": "kunde"})
    assert list(found.index) == ["7"]


def test_a_blank_cell_is_nothing(file):
    found = read_customers(file("customer_id,monetary\na,\nb,2\n"), ["monetary"])
    assert found["monetary"].isna().tolist() == [True, False]


HEADER = "customer_id,recency_days,monetary\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("customer_id,recency_days\na,3\n", "customers.csv has no column monetary. Give a table of customers with"),
        ("customer_id,note\na,3\n", "has no column recency_days, monetary"),
        ("note,more\na,3\n", "no column looks like customer_id"),
        (HEADER, "has a header but no lines"),
        (HEADER + "a,1,2\n,1,2\n", r"'customer_id' has no id on line 3; add it"),
        (HEADER + "a,1,2\nb,1,2\n a ,1,2\n", r"a is there more than once \(line 2 and line 4\)"),
        (HEADER + 'a,1,2\nb,1,"3,5"\nc,1,x\n', r"'monetary' \(monetary\) .* number on line 3 \('3,5'\) and 1 more"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(file, text, words):
    with pytest.raises(InputError, match=words):
        read_customers(file(text), NEEDED)


def test_no_such_file_and_no_such_kind(file, tmp_path):
    with pytest.raises(InputError, match="There is no file"):
        read_customers(str(tmp_path / "none.csv"), NEEDED)
    with pytest.raises(InputError, match="cannot be read"):
        read_customers(file("x", "model.pkl"), NEEDED)
