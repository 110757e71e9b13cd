"""Filters as people see them: the rail of controls, chips to take one away, and the address that brings a view back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

import dash_bootstrap_components as dbc
import numpy as np
from dash import html
from dash.development.base_component import Component

from dashboard.cards import swatch, themed
from dashboard.numbers import count, decimal, percent, round_money
from dashboard.run_frame import Mask, RunFrame
from dashboard.totals import option_counts
from engines.columns import CHURN_RISK, CLV, FREQUENCY, MONETARY, RECENCY, describe
from engines.errors import InputError
from storage.contract import Selection

LISTS = ("segments", "countries")
_PARAMETERS = {"segments": "segment", "countries": "country"}


class Bound(NamedTuple):
    """One number a user may give: its field in the selection, its column, and how it is worded."""

    field: str
    column: str
    label: str
    step: str


BOUNDS = (
    Bound("min_clv", CLV, "CLV at least", "any"),
    Bound("min_monetary", MONETARY, "Spent at least", "any"),
    Bound("min_frequency", FREQUENCY, "Orders at least", "1"),
    Bound("max_recency", RECENCY, "Last order at most … days ago", "1"),
    Bound("max_churn", CHURN_RISK, "Churn risk at most … %", "any"),
)
FIELDS = (*LISTS, *(bound.field for bound in BOUNDS), "q")


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
    ours = {_PARAMETERS.get(f.name, f.name) for f in fields(Selection)}
    for name, text in parse_qsl((search or "").removeprefix("?")):
        if name == "run":
            run = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
            problems += [] if run is not None else [f"There is no run {text!r}."]
        elif name not in ours:
            others.append((name, text))
        else:
            try:
                Selection.from_query([(name, text)])
                good.append((name, text))
            except InputError as error:
                problems.append(str(error))
    return View(run, Selection.from_query(good), tuple(problems), tuple(others))


def write_view(run: int | None, selection: Selection, others: Iterable[tuple[str, str]] = ()) -> str:
    """The query string that ``read_view`` reads back."""
    pairs = [("run", str(run))] if run is not None else []
    query = urlencode([*pairs, *selection.to_query(), *others])
    return f"?{query}" if query else ""


# --- conditions, one by one -------------------------------------------------------------------------------------------


class Condition(NamedTuple):
    """One part of a selection that can be taken away; ``value`` matters for lists only."""

    field: str
    value: str
    words: str


def conditions(selection: Selection, currency: str) -> list[Condition]:
    """Every condition of a selection, in words."""
    found = [Condition(name, value, value) for name in LISTS for value in getattr(selection, name)]
    for bound in BOUNDS:
        value = getattr(selection, bound.field)
        if value is not None:
            found.append(Condition(bound.field, "", _bound_words(bound, value, currency)))
    if selection.q:
        found.append(Condition("q", "", f"id contains “{selection.q}”"))
    return found


def _bound_words(bound: Bound, value: float, currency: str) -> str:
    column = describe(bound.column)
    sign = "≥" if bound.field.startswith("min") else "≤"
    if column.kind == "money":
        shown = round_money(value, currency)
    elif column.kind == "share":
        shown = percent(value)
    else:
        number = count(value) if value == int(value) else decimal(value, 2)
        shown = f"{number} days" if column.kind == "days" else number
    return f"{column.title} {sign} {shown}"


def without(selection: Selection, field: str, value: str = "") -> Selection:
    """The selection less one condition; a list without a value is taken away as a whole."""
    if field in LISTS and value:
        return replace(selection, **{field: tuple(item for item in getattr(selection, field) if item != value)})
    return replace(selection, **{field: getattr(Selection(), field)})


def toggled(selection: Selection, field: str, value: str) -> Selection:
    """The selection with one option of a list alone, or without any when it was that one alone."""
    return replace(selection, **{field: () if getattr(selection, field) == (value,) else (value,)})


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
    for field in FIELDS:
        if getattr(selection, field) == getattr(Selection(), field):
            continue
        customers = int(np.count_nonzero(frame.mask_but(selection, field)))
        if customers:
            words = " or ".join(item.words for item in conditions(selection, frame.currency) if item.field == field)
            found.append(Remedy(Condition(field, "", words), customers))
    return sorted(found, key=lambda item: -item.customers)


def chips(found: Sequence[Condition], prefix: str) -> list[Component]:
    """A chip per condition; its id says which: ``{"type": "<prefix>-chip", "field": ..., "value": ...}``."""
    if not found:
        return [html.Span("No filters: everyone is in view.", className="seg-hint")]
    return [
        html.Button(
            [item.words, html.Span("×", **{"aria-hidden": "true"})],
            id={"type": f"{prefix}-chip", "field": item.field, "value": item.value},
            className="chip",
            title=f"Remove the filter {item.words}",
            **{"aria-label": f"Remove the filter {item.words}"},
        )
        for item in found
    ]


# --- the rail --------------------------------------------------------------------------------------------------------


def control(prefix: str, field: str) -> str:
    """The id of the control of a field."""
    return f"{prefix}-filter-{field.replace('_', '-')}"


def rail(prefix: str) -> list[Component]:
    """All controls; the options of the two lists are filled in by the page."""
    return [
        _group("Segment", dbc.Checklist(id=control(prefix, "segments"), options=[], value=[], class_name="options")),
        html.Div(
            _group(
                "Country",
                _country_search(prefix),
                html.Div(
                    dbc.Checklist(id=control(prefix, "countries"), options=[], value=[], class_name="options"),
                    id=f"{prefix}-country-list",
                    className="options-scroll",
                    tabIndex=0,
                    role="group",
                    **{"aria-label": "Countries"},
                ),
            ),
            id=f"{prefix}-country-group",
        ),
        _group("Value and behaviour", *[_bound_input(prefix, bound) for bound in BOUNDS]),
        _group(
            "Customer",
            html.Label("Id contains", htmlFor=control(prefix, "q"), className="bound-label"),
            dbc.Input(id=control(prefix, "q"), type="search", size="sm", debounce=400, value=""),
        ),
    ]


def _country_search(prefix: str) -> Component:
    return html.Div(
        [
            html.Label("Find a country", htmlFor=f"{prefix}-country-search", className="bound-label"),
            dbc.Input(
                id=f"{prefix}-country-search",
                type="search",
                size="sm",
            ),
        ]
    )


def _group(title: str, *children: Component) -> Component:
    return html.Section([html.H2(title), *children], className="filter-group")


def _bound_input(prefix: str, bound: Bound) -> Component:
    field_id = control(prefix, bound.field)
    return html.Div(
        [
            html.Label(bound.label, htmlFor=field_id, className="bound-label", title=describe(bound.column).meaning),
            dbc.Input(
                id=field_id,
                type="number",
                min=0,
                step=bound.step,
                size="sm",
                debounce=500,
                placeholder="any",
                value=None,
            ),
        ],
        className="bound",
    )


def control_values(selection: Selection) -> dict[str, Any]:
    """What the controls show for a selection, by field."""
    values: dict[str, Any] = {name: list(getattr(selection, name)) for name in LISTS}
    for bound in BOUNDS:
        value = getattr(selection, bound.field)
        if value is not None and describe(bound.column).kind == "share":
            value = round(100 * value, 10)
        values[bound.field] = int(value) if value is not None and value == int(value) else value
    return {**values, "q": selection.q}


def from_controls(values: Mapping[str, Any]) -> Selection:
    """The selection that the controls show; a number that is not one yet is no condition."""
    bounds: dict[str, float | None] = {}
    for bound in BOUNDS:
        value = values.get(bound.field)
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
        is_share = describe(bound.column).kind == "share"
        bounds[bound.field] = round(number / 100, 12) if number is not None and is_share else number
    lists = {name: tuple(values.get(name) or ()) for name in LISTS}
    return Selection(**lists, **bounds, q=(values.get("q") or "").strip())


def segment_options(frame: RunFrame, mask: Mask) -> list[dict[str, Any]]:
    """The segments of a run with colour, name, and how many customers in view each has; ``mask`` knows no segment."""
    counts = option_counts(frame.segment_codes, mask, len(frame.segments))
    most = max(int(counts.max(initial=0)), 1)
    return [
        _option(item.name, int(number), swatch(item.colour), item.colour, int(number) / most)
        for item, number in zip(frame.segments, counts, strict=True)
    ]


def country_options(frame: RunFrame, mask: Mask, chosen: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The countries of a run with how many customers in view each has; ``mask`` knows no country."""
    counts = option_counts(frame.country_codes, mask, len(frame.countries))
    unknown = [name for name in chosen if name not in frame.countries]
    known = [_option(name, int(number)) for name, number in zip(frame.countries, counts, strict=True)]
    return known + [_option(name, 0) for name in unknown]


def _option(
    name: str, customers: int, before: Component | None = None, colour: str = "", bar: float = 0.0
) -> dict[str, Any]:
    text = [before] if before is not None else []
    text += [html.Span(name, className="option-name"), html.Span(count(customers), className="option-count")]
    if colour:
        text.append(
            html.Span(className="option-bar", style={"width": f"{100 * bar:.1f}%", "backgroundColor": themed(colour)})
        )
    return {"label": html.Span(text, className="option" + ("" if customers else " none"), title=name), "value": name}
