"""Kept sales give what their source would give, as of any date; equal sales are equal files."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from engines.features import build_customers
from engines.intake import CleaningRules, Reading, Sales, open_kept, read_sales

HEAD = "customer_id,order_id,order_date,quantity,unit_price,product_id,description,country,attribute_shop"
RULES = (
    CleaningRules(returns="drop"),
    CleaningRules(returns="net", drop_non_products=True),
    CleaningRules(drop_exact_duplicates=True, drop_outliers=True, returns="net", zero_amount="drop"),
)


def shop(folder: Path, *, shuffled: bool = False) -> Path:
    """Sales with everything that a ledger has a line for."""
    lines = []
    for line in range(1200):
        day = f"2024-{1 + line % 12:02}-{1 + line * 7 % 28:02} {line % 24:02}:10"
        quantity, price = (
            (-1 if line % 17 == 0 else 1 + line % 5),
            (0 if line % 41 == 0 else 99999 if line == 700 else 2.5),
        )
        customer = "" if line % 31 == 0 else line % 60
        order = f"C{line // 3}" if line % 53 == 0 else line // 3
        product = "POST" if line % 29 == 0 else f"P{line % 13}"
        country = "" if line % 43 == 0 else "United Kingdom"
        lines.append(f'{customer},{order},{day},{quantity},{price},{product},"Mug, {product}",{country},s{line % 3}')
    lines += lines[10:30]
    if shuffled:
        random.Random(1).shuffle(lines)
    path = folder / "sales.csv"
    path.write_text("\n".join([HEAD, *lines, ""]), encoding="utf-8")
    return path


def as_frame(sales: Sales) -> pd.DataFrame:
    frame = sales.table.to_pyarrow().to_pandas()
    return frame.sort_values(list(frame.columns)).reset_index(drop=True)


@pytest.mark.parametrize("rules", RULES, ids=["drop", "net", "strict"])
def test_kept_sales_are_those_of_the_source_as_of_any_date(tmp_path: Path, rules: CleaningRules):
    path, kept = shop(tmp_path), tmp_path / "kept.parquet"
    mapping = {"attribute.shop": "attribute_shop"}
    with read_sales(str(path), rules=rules, mapping=mapping, as_of=date(2024, 9, 1)) as sales:
        sales.keep(kept)
        assert kept.stat().st_mode & 0o777 == 0o600
        for day in (date(2024, 4, 1), None):
            with (
                read_sales(str(path), rules=rules, mapping=mapping, as_of=day) as anew,
                open_kept(kept, sales, sales.ledger, rules, Reading(), as_of=day) as found,
            ):
                assert found.ledger == anew.ledger
                assert found.totals() == anew.totals()
                assert (found.as_of, found.first_day, found.last_day) == (anew.as_of, anew.first_day, anew.last_day)
                assert (found.fields, found.mapping, found.notes) == (anew.fields, anew.mapping, anew.notes)
                pd.testing.assert_frame_equal(as_frame(found), as_frame(anew), check_exact=True)
                customers = [build_customers(each.table, as_of=each.as_of) for each in (found, anew)]
                pd.testing.assert_frame_equal(*customers, check_exact=True)


def test_equal_sales_are_equal_files_whatever_the_order_of_lines(tmp_path: Path):
    files = []
    for number, shuffled in enumerate((False, True, False)):
        with read_sales(str(shop(tmp_path, shuffled=shuffled))) as sales:
            sales.keep(tmp_path / f"{number}.parquet")
        files.append((tmp_path / f"{number}.parquet").read_bytes())
    assert files[0] == files[1] == files[2]


def test_what_was_read_for_the_ledger_alone_is_not_kept(tmp_path: Path):
    with read_sales(str(shop(tmp_path)), detail=False) as sales, pytest.raises(ValueError, match="detail=True"):
        sales.keep(tmp_path / "kept.parquet")
