"""How much the names of columns look like those of sales, to tell a table of sales from what stands around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from engines.columns import AMOUNT, CUSTOMER_ID, ORDER_DATE, ORDER_TOTAL, QUANTITY, UNIT_PRICE
from engines.intake.schema.mapping import guess_columns

_MAPPED, _MAIN, _OTHER = 3, 2, 1
_MAIN_FIELDS = frozenset({CUSTOMER_ID, ORDER_DATE, AMOUNT, ORDER_TOTAL, QUANTITY, UNIT_PRICE})


def sales_judge(mapping: Mapping[str, str]) -> Callable[[Sequence[str]], int]:
    """A judge of names: more for columns that are mapped and there, then for the fields that sales need."""
    wanted = {name.strip().casefold() for name in mapping.values() if name.strip()}

    def judge(names: Sequence[str]) -> int:
        columns = [" ".join(name.split()) for name in names]
        found = guess_columns(columns, {}, "")
        score = sum(_MAIN if guess.field in _MAIN_FIELDS else _OTHER for guess in found)
        return score + _MAPPED * len(wanted & {column.casefold() for column in columns})

    return judge
