"""Values as callers see them, from rows of the tables."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Value = TypeVar("Value", bound="DataclassInstance")


def value_from_rows(kind: type[Value], *rows: Any, **known: Any) -> Value:
    """A value as callers see it: what is known of it, and for its other fields the columns of these names.

    A column is taken from the first of the rows that has it.
    """
    names = [field.name for field in dataclasses.fields(kind) if field.name not in known]
    return kind(**{name: getattr(next(row for row in rows if hasattr(row, name)), name) for name in names}, **known)
