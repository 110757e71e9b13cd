"""A selection as conditions on the database, so that what is on screen is what is counted and exported."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, select

from engines.columns import CHURN_RISK, CLV, COUNTRY, CUSTOMER_ID, FREQUENCY, MONETARY, RECENCY, SEGMENT_KEY
from engines.errors import InputError
from storage.contract import Selection
from storage.layout import FOLDED, ROW_NO, fold, is_storable
from storage.tables import customers, labels

_AT_LEAST = {"min_clv": CLV, "min_frequency": FREQUENCY, "min_monetary": MONETARY}
_AT_MOST = {"max_recency": RECENCY, "max_churn": CHURN_RISK}


def selected(
    columns: Sequence[Any],
    *,
    run_id: int,
    snapshot_id: int,
    selection: Selection,
    keys: Mapping[str, int],
    sqlite: bool,
) -> Select[Any]:
    """These columns of the labelled customers that meet a selection; ``keys`` are segment keys by name.

    Raises:
        InputError: a bound that is not a finite number.
    """
    same_customer = and_(customers.c.snapshot_id == snapshot_id, customers.c[ROW_NO] == labels.c[ROW_NO])
    statement = select(*columns).select_from(labels).join(customers, same_customer)
    return statement.where(labels.c.run_id == run_id, *_conditions(selection, keys, sqlite=sqlite))


def ordered(statement: Select[Any], *, by_row: bool, sqlite: bool) -> Select[Any]:
    """In code point order of the customer ids, which mostly is the order of the rows already."""
    if by_row:
        return statement.order_by(customers.c[ROW_NO])
    return statement.order_by(customers.c[CUSTOMER_ID].collate("BINARY" if sqlite else "C"))


def _conditions(selection: Selection, keys: Mapping[str, int], *, sqlite: bool) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if selection.segments:
        found.append(labels.c[SEGMENT_KEY].in_([keys[name] for name in selection.segments if name in keys]))
    if selection.countries:
        found.append(customers.c[COUNTRY].in_([name for name in selection.countries if is_storable(name)]))
    found += [customers.c[column] >= bound for column, bound in _bounds(selection, _AT_LEAST)]
    found += [customers.c[column] <= bound for column, bound in _bounds(selection, _AT_MOST)]
    if selection.q:
        found.append(_contains(selection.q, sqlite=sqlite))
    return found


def _bounds(selection: Selection, fields: Mapping[str, str]) -> list[tuple[str, float]]:
    given = [(name, column, getattr(selection, name)) for name, column in fields.items()]
    for name, _, bound in given:
        if bound is not None and not math.isfinite(bound):
            raise InputError(f"{name} must be a finite number, not {bound!r}.")
    return [(column, float(bound)) for _, column, bound in given if bound is not None]


def _contains(text: str, *, sqlite: bool) -> ColumnElement[bool]:
    """Whether the id holds the text, whatever the case.

    Both sides are folded by us: the databases' own ideas of upper and lower case differ. It asks for the place of the
    text instead of using LIKE, so that no character of it means anything but itself.
    """
    if not is_storable(text):
        return false()
    where = func.coalesce(customers.c[FOLDED], customers.c[CUSTOMER_ID])
    return (func.instr if sqlite else func.strpos)(where, fold(text)) > 0
