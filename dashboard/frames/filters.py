"""Filters as people see them: the address that brings a view back, and chips to take a condition away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

import numpy as np

from dashboard.frames.run import RunFrame
from dashboard.i18n.numbers import count, decimal, percent, round_money
from dashboard.i18n.texts import column_title, say, segment_name
from engines.columns import Column, describe
from engines.contract import NamedSegment, segments_meant
from engines.errors import InputError
from storage.contract import Selection
from storage.contract.selection import REMOVED, Range

LISTS = ("segments", "countries")


# --- the address -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class View:
    """What an address asks for: a run, a selection, what could not be read, and other parameters.

    Without a run (None) the one to begin with is meant.
    """

    run: int | None
    selection: Selection
    problems: tuple[str, ...] = ()
    others: tuple[tuple[str, str], ...] = ()


def read_view(search: str | None) -> View:
    """What the query string of an address asks for; what cannot be read is named and left out."""
    run: int | None = None
    good: list[tuple[str, str]] = []
    problems: list[str] = []
    others: list[tuple[str, str]] = []
    ours = Selection.parameters()
    for name, text in parse_qsl((search or "").removeprefix("?")):
        if name == "run":
            run = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
            problems += [] if run is not None else [say("There is no run {run}.", run=repr(text))]
        elif name not in ours and name not in REMOVED:
            others.append((name, text))
        else:
            try:
                Selection.from_query([*good, (name, text)])
                good.append((name, text))
            except InputError as error:
                problems.append(say(error.message))
    return View(run, Selection.from_query(good), tuple(problems), tuple(others))


def write_view(run: int | None, selection: Selection, others: Iterable[tuple[str, str]] = ()) -> str:
    """The query string that ``read_view`` reads back."""
    pairs = [("run", str(run))] if run is not None else []
    query = urlencode([*pairs, *selection.to_query(), *others])
    return f"?{query}" if query else ""


# --- conditions, one by one -------------------------------------------------------------------------------------------


class Condition(NamedTuple):
    """One part of a selection that can be taken away.

    ``field`` is a list (``segments``, ``countries``, ``shares``; ``value`` says which item of it), a column with a
    range, or ``q``.
    """

    field: str
    value: str
    words: str


def by_identity(selection: Selection, segments: Sequence[NamedSegment]) -> Selection:
    """The selection with its segments by what they are known by, whatever they are called; unknown ones stay."""
    known: dict[str, None] = {}
    for text in selection.segments:
        meant = segments_meant(segments, [text])
        found = [item.known_by for item, is_meant in zip(segments, meant, strict=True) if is_meant]
        known |= dict.fromkeys(found or [text])
    return replace(selection, segments=tuple(known))


def segment_names(segments: Iterable[NamedSegment]) -> dict[str, str]:
    """What segments are called, by what they are known by."""
    return {item.known_by: item.name for item in segments}


def condition_texts(selection: Selection, currency: str, names: Mapping[str, str] = {}) -> list[Condition]:
    """Every condition of a selection, in words; ``names``: what segments are called, by what they are known by."""
    conditions = [Condition("segments", known, segment_name(names.get(known, known))) for known in selection.segments]
    conditions += [Condition("countries", name, name) for name in selection.countries]
    for name, ends in selection.bounds.items():
        conditions.append(Condition(name, "", _range_words(describe(name), ends, currency)))
    for category, least in selection.shares:
        words = say("{category} ≥ {share} of spend", category=category.replace("_", " "), share=percent(least))
        conditions.append(Condition("shares", category, words))
    if selection.q:
        conditions.append(Condition("q", "", say("id contains “{text}”", text=selection.q)))
    return conditions


def _range_words(column: Column, ends: Range, currency: str) -> str:
    title = column_title(column)
    if ends.low is None or ends.high is None:
        sign, value = ("≥", ends.low) if ends.high is None else ("≤", ends.high)
        assert value is not None
        return f"{title} {sign} {_bound_words(column, value, currency)}"
    first, last = (_bound_words(column, value, currency) for value in (ends.low, ends.high))
    if first == last:
        return f"{title} {last}"
    low = _bound_words(column, ends.low, currency, unit=False)
    return say("{title} {low} to {high}", title=title, low=low, high=last)


def _bound_words(column: Column, value: float, currency: str, *, unit: bool = True) -> str:
    if column.kind == "money":
        return round_money(value, currency)
    if column.kind == "share":
        return percent(value)
    number = count(value) if value == int(value) else decimal(value, 2)
    return say("{number} days", number=number) if column.kind == "days" and unit else number


def without_condition(selection: Selection, field: str, value: str = "") -> Selection:
    """The selection less one condition; a list without a value is taken away as a whole."""
    if field in selection.bounds:
        return selection.with_bound(field)
    if field == "q":
        return replace(selection, q="")
    if field == "shares":
        return replace(selection, shares=tuple(pair for pair in selection.shares if value and pair[0] != value))
    if field in LISTS:
        return _with_list(selection, field, (item for item in getattr(selection, field) if value and item != value))
    return selection


def _with_list(selection: Selection, field: str, items: Iterable[str]) -> Selection:
    if field == "segments":
        return replace(selection, segments=tuple(items))
    return replace(selection, countries=tuple(items))


def toggle_option(selection: Selection, field: str, value: str) -> Selection:
    """The selection with one option of a list alone, or without any when it was that one alone."""
    return _with_list(selection, field, () if getattr(selection, field) == (value,) else (value,))


def toggle_ranges(selection: Selection, ranges: Mapping[str, Range]) -> Selection:
    """The selection with other ranges of columns; the same ranges again take them away, as a second click does."""
    if all(selection.bounds.get(column) == ends for column, ends in ranges.items()):
        ranges = dict.fromkeys(ranges, Range())
    return replace(selection, bounds={**selection.bounds, **ranges})


class Remedy(NamedTuple):
    """A condition that empties a view, and how many customers come back without it."""

    condition: Condition
    customers: int


def remedies(frame: RunFrame, selection: Selection) -> list[Remedy]:
    """Which single conditions, taken away, would bring customers back: most first. Lists are taken away as a whole."""
    choices = []
    every = condition_texts(selection, frame.currency, segment_names(frame.segments))
    for field in dict.fromkeys(item.field for item in every):
        customers = int(np.count_nonzero(frame.mask(without_condition(selection, field))))
        if customers:
            either = say("or")
            words = f" {either} ".join(item.words for item in every if item.field == field)
            choices.append(Remedy(Condition(field, "", words), customers))
    return sorted(choices, key=lambda item: -item.customers)
