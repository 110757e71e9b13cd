"""Which customers are meant: the one filter behind cards, charts, tables, the API and exports."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Self

from engines.columns import CHURN_RISK, CLV, FREQUENCY, FUTURE_SPEND, MONETARY, P_PURCHASE, RECENCY
from engines.errors import InputError
from storage.contract.area import MOST_AREAS, Area, number_text


class Bound(NamedTuple):
    """A bound of a selection: its field, the column it is on, and whether it is the least allowed (else the most)."""

    field: str
    column: str
    least: bool


_BOUNDED = (
    ("clv", CLV),
    ("frequency", FREQUENCY),
    ("monetary", MONETARY),
    ("recency", RECENCY),
    ("churn", CHURN_RISK),
    ("buys_again", P_PURCHASE),
    ("future_spend", FUTURE_SPEND),
)
#: Every bound there is: ``min_clv``, ``max_clv``, ``min_frequency``...
BOUNDS = tuple(Bound(f"{end}_{name}", column, end == "min") for name, column in _BOUNDED for end in ("min", "max"))
BOUND_FIELDS = frozenset(bound.field for bound in BOUNDS)

#: query parameter by field, where the two differ
_PARAMETERS = {"segments": "segment", "countries": "country", "shares": "min_share", "areas": "area"}


@dataclass(frozen=True)
class Selection:
    """Which customers of a run are meant. Empty means everyone; conditions are joined by "and".

    ``segments`` are segment names, ``countries`` primary countries; bounds are inclusive; ``shares`` are pairs of a
    category and the least share of a customer's spend that goes to it, 0 to 1; ``areas`` are shapes that customers
    stand in; ``q`` is looked for anywhere in the customer id, whatever the case. A customer without a value (no CLV, no
    country) never meets a condition on it.
    """

    segments: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    min_clv: float | None = None
    max_clv: float | None = None
    min_frequency: float | None = None
    max_frequency: float | None = None
    min_monetary: float | None = None
    max_monetary: float | None = None
    min_recency: float | None = None
    max_recency: float | None = None
    min_churn: float | None = None
    max_churn: float | None = None
    min_buys_again: float | None = None
    max_buys_again: float | None = None
    min_future_spend: float | None = None
    max_future_spend: float | None = None
    shares: tuple[tuple[str, float], ...] = ()
    areas: tuple[Area, ...] = ()
    q: str = ""

    @classmethod
    def parameters(cls) -> tuple[str, ...]:
        """The names of the query parameters."""
        return tuple(_PARAMETERS.get(item.name, item.name) for item in fields(cls))

    @classmethod
    def from_query(cls, pairs: Iterable[tuple[str, str]]) -> Self:
        """The selection that (name, value) pairs of a query string describe; unknown names are left alone.

        Raises:
            InputError: a bound that is not a finite number, a share without its category, or an area that is none.
        """
        names = {_PARAMETERS.get(item.name, item.name): item.name for item in fields(cls)}
        values: dict[str, Any] = {}
        for name, text in pairs:
            target = names.get(name)
            if target in ("segments", "countries"):
                values[target] = (*values.get(target, ()), text)
            elif target == "q":
                values["q"] = text
            elif target == "shares" and text != "":
                values["shares"] = (*values.get("shares", ()), _share(text))
            elif target == "areas" and text != "":
                values["areas"] = (*values.get("areas", ()), Area.from_text(text))
            elif target is not None and text != "":
                values[target] = _finite(name, text)
        if len(values.get("areas", ())) > MOST_AREAS:
            raise InputError(f"area may be given at most {MOST_AREAS} times.")
        return cls(**values)

    def to_query(self) -> list[tuple[str, str]]:
        """The (name, value) pairs that ``from_query`` reads back to an equal selection."""
        pairs: list[tuple[str, str]] = []
        for item in fields(self):
            value = getattr(self, item.name)
            name = _PARAMETERS.get(item.name, item.name)
            if item.name == "shares":
                pairs += [(name, f"{category}:{number_text(share)}") for category, share in value]
            elif item.name == "areas":
                pairs += [(name, area.to_text()) for area in value]
            elif isinstance(value, tuple):
                pairs += [(name, text) for text in value]
            elif value not in (None, ""):
                pairs.append((name, value if isinstance(value, str) else number_text(value)))
        return pairs

    @property
    def is_everyone(self) -> bool:
        """Whether nothing is filtered."""
        return self == type(self)()

    def bounds(self) -> list[tuple[Bound, float]]:
        """The bounds that are given.

        Raises:
            InputError: one of them is not a finite number.
        """
        given = [(bound, getattr(self, bound.field)) for bound in BOUNDS]
        for bound, value in given:
            if value is not None and not math.isfinite(value):
                raise InputError(f"{bound.field} must be a finite number, not {value!r}.")
        return [(bound, float(value)) for bound, value in given if value is not None]


def _finite(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{name} must be a number, not {text!r}.")
    return number


def _share(text: str) -> tuple[str, float]:
    category, _, share = text.rpartition(":")
    if not category:
        raise InputError(f"min_share must be a category and the least share of spend, as bags:0.25, not {text!r}.")
    return category, _finite("min_share", share)
