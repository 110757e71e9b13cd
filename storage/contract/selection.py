"""Which customers are meant: the one filter behind cards, charts, tables, the API and exports."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from engines.columns import CLV, FILTERS, FUTURE_SPEND
from engines.errors import InputError
from engines.messages import noted


class Range(NamedTuple):
    """The least and the greatest value that is meant, both included; None where there is no such end."""

    low: float | None = None
    high: float | None = None


class Parameter(NamedTuple):
    """A query parameter of a bound: the column it is on, and whether it is the least value (else the greatest)."""

    column: str
    is_low: bool


#: Every query parameter of a bound: ``min_clv``, ``max_clv``, ``min_frequency`` ...
BOUNDS = {
    name: Parameter(column.name, is_low)
    for column in FILTERS
    for name, is_low in zip(column.bounds, (True, False), strict=True)
}
#: Old names of query parameters and columns, which answer for one version.
OLD_BOUNDS = {"min_future_spend": Parameter(CLV, True), "max_future_spend": Parameter(CLV, False)}
_OLD_COLUMNS = {FUTURE_SPEND: CLV}
#: Said to who still asks by them.
NO_FUTURE_SPEND = noted("future_spend is an old name and answers for one version: there is one forecast, clv.")
#: What a selection could have once, with what to do instead: passed over in silence it would select more customers.
REMOVED = {
    "area": noted(
        "Shapes drawn around customers (area) are no longer understood; give a range of each column instead, such as "
        "min_recency=10&max_recency=90&min_frequency=2."
    )
}


@dataclass(frozen=True)
class Selection:
    """Which customers of a run are meant. Empty means everyone; conditions are joined by "and".

    ``segments`` are segment names, ``countries`` primary countries; ``bounds`` are ranges by column; ``shares`` are
    pairs of a category and the least share of a customer's spend that goes to it, 0 to 1; ``q`` is looked for anywhere
    in the customer id, whatever the case. Who has no value (no CLV, no country) never meets a condition on it.

    Raises:
        InputError: a bound on a column that cannot be filtered by, or one that is not a finite number.
    """

    segments: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    bounds: Mapping[str, Range] = field(default_factory=dict)
    shares: tuple[tuple[str, float], ...] = ()
    q: str = ""

    def __post_init__(self) -> None:
        given: dict[str, Range] = {}
        old = {_OLD_COLUMNS[name]: ends for name, ends in self.bounds.items() if name in _OLD_COLUMNS}
        if old:
            object.__setattr__(
                self, "bounds", {**old, **{n: e for n, e in self.bounds.items() if n not in _OLD_COLUMNS}}
            )
        for column in FILTERS:  # in one order, so that equal selections are written alike
            ends = Range(*self.bounds.get(column.name, ()))
            for name, end in zip(column.bounds, ends, strict=True):
                if end is not None and not math.isfinite(end):
                    raise InputError("{name} must be a finite number, not {value}.", name=name, value=repr(end))
            if ends != Range():
                given[column.name] = ends
        if unknown := [name for name in self.bounds if name not in {column.name for column in FILTERS}]:
            raise InputError("Customers cannot be filtered by {unknown!r}.", unknown=unknown[0])
        object.__setattr__(self, "bounds", given)

    def __hash__(self) -> int:
        return hash((self.segments, self.countries, tuple(self.bounds.items()), self.shares, self.q))

    @staticmethod
    def parameters() -> tuple[str, ...]:
        """The names of the query parameters."""
        return ("segment", "country", *BOUNDS, "min_share", "q")

    @classmethod
    def from_query(cls, pairs: Iterable[tuple[str, str]]) -> Self:
        """The selection that (name, value) pairs of a query string describe; unknown names are left alone.

        Raises:
            InputError: a bound that is not a finite number, a share without its category, or a parameter of old.
        """
        segments: list[str] = []
        countries: list[str] = []
        bounds: dict[str, Range] = {}
        shares: list[tuple[str, float]] = []
        q = ""
        for name, text in pairs:
            if name == "segment":
                segments.append(text)
            elif name == "country":
                countries.append(text)
            elif name == "q":
                q = text
            elif text == "":
                continue
            elif name == "min_share":
                shares.append(_share(text))
            elif name in BOUNDS or name in OLD_BOUNDS:
                column, is_low = BOUNDS.get(name) or OLD_BOUNDS[name]
                now, end = bounds.get(column, Range()), _finite(name, text)
                bounds[column] = now._replace(low=end) if is_low else now._replace(high=end)
            elif name in REMOVED:
                raise InputError(REMOVED[name])
        return cls(tuple(segments), tuple(countries), bounds, tuple(shares), q)

    def to_query(self) -> list[tuple[str, str]]:
        """The (name, value) pairs that ``from_query`` reads back to an equal selection."""
        pairs = [("segment", name) for name in self.segments] + [("country", name) for name in self.countries]
        for name, (column, is_low) in BOUNDS.items():
            ends = self.bounds.get(column, Range())
            end = ends.low if is_low else ends.high
            if end is not None:
                pairs.append((name, number_text(end)))
        pairs += [("min_share", f"{category}:{number_text(share)}") for category, share in self.shares]
        return [*pairs, ("q", self.q)] if self.q else pairs

    @property
    def is_everyone(self) -> bool:
        """Whether nothing is filtered."""
        return self == type(self)()

    def with_bound(self, column: str, low: float | None = None, high: float | None = None) -> Self:
        """The same with another range of a column; without one where neither end is given."""
        return type(self)(self.segments, self.countries, {**self.bounds, column: Range(low, high)}, self.shares, self.q)


def number_text(value: float) -> str:
    """A number in as few letters as bring it back exactly."""
    return repr(float(value)).removesuffix(".0")


def _finite(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError("{name} must be a number, not {text!r}.", name=name, text=text)
    return number


def _share(text: str) -> tuple[str, float]:
    category, _, share = text.rpartition(":")
    if not category:
        raise InputError(
            "min_share must be a category and the least share of spend, as bags:0.25, not {text!r}.", text=text
        )
    return category, _finite("min_share", share)
