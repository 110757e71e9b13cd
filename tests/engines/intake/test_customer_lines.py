"""Kept sales of one customer: the same lines that all kept sales have of them, by every rule and as of any date."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import ibis
import pytest

from engines import intake
from engines.columns import CUSTOMER_ID
from engines.intake import CleaningRules, Reading
from engines.intake.sales import Sales

HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country,Channel\n"
ODD = ("o'Brien", 'say ""hi""', "50%_off", "back\\slash", "Ä", "0042")


def lines() -> list[str]:
    """Lines of six customers, with returns, repeated lines, slips of the keyboard and unknown countries."""
    draw, made = random.Random(4), []
    for number in range(400):
        back = number % 17 == 0
        name = f'"{ODD[number % 6]}"'
        day = f"2024-0{1 + number % 5}-{1 + number % 27:02d} 1{number % 10}:00"
        price = "9000.00" if number % 97 == 5 else f"{draw.randint(1, 9)}.50"
        country = ("Italy", "", "Spain")[number % 3]
        made.append(
            f"{'C' if back else ''}{100 + number // 4},P{number % 7},THING {number % 7},"
            f"{-1 if back else draw.randint(1, 5)},{day},{price},{name},{country},{('web', 'shop')[number % 2]}\n"
        )
    return made + made[50:60]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kept") / "shop.csv"
    path.write_text(HEAD + "".join(lines()), encoding="utf-8")
    return path


def rows(table: ibis.Table) -> list[str]:
    return sorted(map(repr, table.to_pyarrow().to_pylist()))


RULES = {
    "as shipped": CleaningRules(),
    "returns set apart": CleaningRules(returns="drop"),
    "without repeated lines": CleaningRules(drop_exact_duplicates=True),
    "without outliers": CleaningRules(drop_outliers=True, outlier_z=2.0),
    "all of it": CleaningRules(returns="net", drop_exact_duplicates=True, drop_outliers=True, outlier_z=2.0),
}


@pytest.fixture(scope="module", params=RULES)
def kept(request: pytest.FixtureRequest, source: Path) -> Iterator[tuple[Sales, CleaningRules, Path]]:
    rules, file = RULES[request.param], source.with_name(f"{request.param}.parquet")
    with intake.read_sales(str(source), rules=rules, mapping={"attribute.channel": "Channel"}) as sales:
        sales.keep(file)
        yield sales, rules, file


@pytest.mark.parametrize("as_of", [None, date(2024, 3, 3)])
def test_one_customer_has_the_lines_that_all_together_have_of_them(
    kept: tuple[Sales, CleaningRules, Path], as_of: date | None
):
    sales, rules, file = kept
    as_of = as_of or sales.as_of
    with intake.open_kept(file, sales, sales.ledger, rules, Reading(), as_of=as_of) as opened:
        table, seen = opened.table, 0
        for customer in (*(name.replace('""', '"') for name in ODD), "nobody", ""):
            with intake.customer_lines(file, customer, rules, Reading(), mapped=sales.fields, as_of=as_of) as mine:
                assert rows(mine) == rows(table.filter(table[CUSTOMER_ID] == customer))
                seen += len(rows(mine))
        assert seen == len(rows(table)) > 50
