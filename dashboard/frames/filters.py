"""Filters as people see them: the address that brings a view back, and chips to take a condition away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

import numpy as np

from dashboard.frames.run import RunFrame
from dashboard.i18n.numbers import count, decimal, percent, round_money
from dashboard.i18n.retelling import reason_of
from dashboard.i18n.texts import noted, say, segment_name, titled
from engines.columns import CHURN_RISK, CLV, FREQUENCY, FUTURE_SPEND, MONETARY, P_PURCHASE, RECENCY, describe
from engines.errors import InputError
from storage.contract import Selection
from storage.contract.area import MOST_AREAS, Area

LISTS = ("segments", "countries")


class Measure(NamedTuple):
    """A column on which customers are filtered: what its bounds are called, its column, and how the rail words it."""

    name: str
    column: str
    label: str
    step: str

    @property
    def fields(self) -> tuple[str, str]:
        """The fields of a selection for its least and its greatest value."""
        return f"min_{self.name}", f"max_{self.name}"


MEASURES = (
    Measure("clv", CLV, noted("CLV"), "any"),
    Measure("monetary", MONETARY, noted("Spent so far"), "any"),
    Measure("frequency", FREQUENCY, noted("Orders"), "1"),
    Measure("recency", RECENCY, noted("Days since last order"), "1"),
    Measure("churn", CHURN_RISK, noted("Churn risk, %"), "any"),
    Measure("buys_again", P_PURCHASE, noted("Buys again, %"), "any"),
    Measure("future_spend", FUTURE_SPEND, noted("Future spend"), "any"),
)
_BY_NAME = {measure.name: measure for measure in MEASURES}


# --- the address -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class View:
    """What an address asks for: a run (None: the newest), a selection, what could not be read, and other parameters."""

    run: int | None
    selection: Selection
    problems: tuple[str, ...] = ()
    others: tuple[tuple[str, str], ...] = ()


def read_view(search: str | None) -> View:
    """What the query string of an address asks for; what cannot be read is named and left out."""
    run, good, problems, others = None, [], [], []
    ours = Selection.parameters()
    for name, text in parse_qsl((search or "").removeprefix("?")):
        if name == "run":
            run = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
            problems += [] if run is not None else [say("There is no run {run}.", run=repr(text))]
        elif name not in ours:
            others.append((name, text))
        else:
            try:
                Selection.from_query([*good, (name, text)])
                good.append((name, text))
            except InputError as error:
                problems.append(reason_of(error))
    return View(run, Selection.from_query(good), tuple(problems), tuple(others))


def write_view(run: int | None, selection: Selection, others: Iterable[tuple[str, str]] = ()) -> str:
    """The query string that ``read_view`` reads back."""
    pairs = [("run", str(run))] if run is not None else []
    query = urlencode([*pairs, *selection.to_query(), *others])
    return f"?{query}" if query else ""


# --- conditions, one by one -------------------------------------------------------------------------------------------


class Condition(NamedTuple):
    """One part of a selection that can be taken away.

    ``field`` is a list (``segments``, ``countries``, ``shares``, ``areas``; ``value`` says which item of it), a measure
    by name, or ``q``.
    """

    field: str
    value: str
    words: str


def conditions(selection: Selection, currency: str) -> list[Condition]:
    """Every condition of a selection, in words."""
    found = [Condition("segments", name, segment_name(name)) for name in selection.segments]
    found += [Condition("countries", name, name) for name in selection.countries]
    for measure in MEASURES:
        least, most = (getattr(selection, field) for field in measure.fields)
        if least is not None or most is not None:
            found.append(Condition(measure.name, "", _range_words(measure, least, most, currency)))
    for category, least in selection.shares:
        words = say("{category} ≥ {share} of spend", category=category.replace("_", " "), share=percent(least))
        found.append(Condition("shares", category, words))
    for area in selection.areas:
        x, y = (titled(describe(column)) for column in (area.x, area.y))
        found.append(Condition("areas", area.to_text(), say("Drawn around {x} and {y}", x=x, y=y)))
    if selection.q:
        found.append(Condition("q", "", say("id contains “{text}”", text=selection.q)))
    return found


def _range_words(measure: Measure, least: float | None, most: float | None, currency: str) -> str:
    title = titled(describe(measure.column))
    if least is None or most is None:
        sign, value = ("≥", least) if most is None else ("≤", most)
        assert value is not None
        return f"{title} {sign} {_bound_words(measure.column, value, currency)}"
    first, last = (_bound_words(measure.column, value, currency) for value in (least, most))
    if first == last:
        return f"{title} {last}"
    return say(
        "{title} {low} to {high}", title=title, low=_bound_words(measure.column, least, currency, unit=False), high=last
    )


def _bound_words(name: str, value: float, currency: str, *, unit: bool = True) -> str:
    column = describe(name)
    if column.kind == "money":
        return round_money(value, currency)
    if column.kind == "share":
        return percent(value)
    number = count(value) if value == int(value) else decimal(value, 2)
    return say("{number} days", number=number) if column.kind == "days" and unit else number


def without(selection: Selection, field: str, value: str = "") -> Selection:
    """The selection less one condition; a list without a value is taken away as a whole."""
    if field in _BY_NAME:
        return replace(selection, **dict.fromkeys(_BY_NAME[field].fields))
    if value and field == "shares":
        return replace(selection, shares=tuple(pair for pair in selection.shares if pair[0] != value))
    if value and field == "areas":
        return replace(selection, areas=tuple(area for area in selection.areas if area.to_text() != value))
    if value and field in LISTS:
        return replace(selection, **{field: tuple(item for item in getattr(selection, field) if item != value)})
    return replace(selection, **{field: getattr(Selection(), field)})


def toggled(selection: Selection, field: str, value: str) -> Selection:
    """The selection with one option of a list alone, or without any when it was that one alone."""
    return replace(selection, **{field: () if getattr(selection, field) == (value,) else (value,)})


def within(selection: Selection, ranges: Mapping[str, tuple[float | None, float | None]]) -> Selection:
    """The selection with other ranges of columns; the same ranges again take them away, as a second click does."""
    bounds: dict[str, float | None] = {}
    for measure in MEASURES:
        if measure.column in ranges:
            bounds |= dict(zip(measure.fields, ranges[measure.column], strict=True))
    if all(getattr(selection, field) == value for field, value in bounds.items()):
        bounds = dict.fromkeys(bounds)
    return replace(selection, **bounds)


def drawn(selection: Selection, area: Area) -> Selection:
    """The selection with a shape, in place of an earlier one on the same two columns."""
    others = [item for item in selection.areas if (item.x, item.y) != (area.x, area.y)]
    return replace(selection, areas=(*others, area)[-MOST_AREAS:])


def renamed(selection: Selection, before: str, name: str) -> Selection:
    """The selection after a segment was given another name: it means the same customers."""
    return replace(selection, segments=tuple(name if item == before else item for item in selection.segments))


class Remedy(NamedTuple):
    """A condition that empties a view, and how many customers come back without it."""

    condition: Condition
    customers: int


def remedies(frame: RunFrame, selection: Selection) -> list[Remedy]:
    """Which single conditions, taken away, would bring customers back: most first. Lists are taken away as a whole."""
    found = []
    every = conditions(selection, frame.currency)
    for field in dict.fromkeys(item.field for item in every):
        customers = int(np.count_nonzero(frame.mask(without(selection, field))))
        if customers:
            words = f" {say('or')} ".join(item.words for item in every if item.field == field)
            found.append(Remedy(Condition(field, "", words), customers))
    return sorted(found, key=lambda item: -item.customers)
