"""The filters of the Segments page: the rail of controls, what they ask for, and what clicks on charts ask for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import dash_bootstrap_components as dbc
import numpy as np
from dash import html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard.components import elements
from dashboard.components.attributes import aria
from dashboard.components.cards import swatch, theme_colour
from dashboard.figures.country_bars import is_rest
from dashboard.figures.heatmap import spans_of
from dashboard.figures.scales import Axis, axis_of
from dashboard.frames import filters
from dashboard.frames.aggregates import Aggregate
from dashboard.frames.filters import LISTS
from dashboard.frames.run import RunFrame, per_run
from dashboard.i18n.locales import spoken
from dashboard.i18n.numbers import count, significant
from dashboard.i18n.texts import column_meaning, column_title, say, segment_name
from dashboard.pages.segments.charts import CLOUDS, COUNTRIES, MAP, TILES, Chart
from engines.columns import CATEGORY_SHARE, FILTERS, FREQUENCY, RECENCY, Column, describe
from storage.contract import Selection
from storage.contract.selection import BOUNDS, Range

CATEGORY, LEAST = "share_of", "share_least"  # the category, and the least share of spend that goes to it
COUNTRY_GROUP, COUNTRY_SEARCH = "segments-country-group", "segments-country-search"
CATEGORY_GROUP = "segments-category-group"
#: What the controls ask for, by name: lists, bounds, the search in ids, and one category's share.
FIELDS = (*LISTS, *BOUNDS, "q", CATEGORY, LEAST)
_DIGITS = 5  # what the eye can aim at, and short in an address


def control(field: str) -> str:
    """The id of the control of a field."""
    return f"segments-filter-{field.replace('_', '-')}"


def place(column: Column) -> str:
    """The id of what holds a column's two controls."""
    return f"segments-filter-{(column.parameter or column.name).replace('_', '-')}"


def rail() -> list[Component]:
    """All controls; the options of the lists are filled in by the page."""
    return [
        _group(say("Segment"), dbc.Checklist(id=control("segments"), options=[], value=[], class_name="options")),
        html.Div(
            _group(
                say("Country"),
                _country_search(),
                html.Div(
                    dbc.Checklist(id=control("countries"), options=[], value=[], class_name="options"),
                    id="segments-country-list",
                    className="options-scroll",
                    tabIndex=0,
                    role="group",
                    **aria(label=say("Countries")),
                ),
            ),
            id=COUNTRY_GROUP,
        ),
        _group(
            say("Value and behaviour"),
            html.Div([html.Span(), html.Span(say("from")), html.Span(say("to"))], className="range range-head"),
            *[_range_inputs(column) for column in FILTERS if column.shown],
            html.Details(
                [
                    html.Summary(say("More filters")),
                    *(_range_inputs(column) for column in FILTERS if not column.shown),
                ],
                id="segments-more-filters",
            ),
        ),
        html.Div(_group(say("Category"), *_share_inputs()), id=CATEGORY_GROUP, hidden=True),
        _group(
            say("Customer"),
            html.Label(say("Id contains"), htmlFor=control("q"), className="bound-label"),
            dbc.Input(id=control("q"), type="search", size="sm", debounce=400, value=""),
        ),
    ]


def _country_search() -> Component:
    return html.Div(
        [
            html.Label(say("Find a country"), htmlFor=COUNTRY_SEARCH, className="bound-label"),
            dbc.Input(id=COUNTRY_SEARCH, type="search", size="sm"),
        ]
    )


def _group(title: str, *children: Component) -> Component:
    return html.Section([html.H2(title), *children], className="filter-group")


def _range_inputs(column: Column) -> Component:
    label = _label(column)
    inputs: list[Component] = []
    for name, words in zip(column.bounds, (say("{measure} at least"), say("{measure} at most")), strict=True):
        control_id = control(name)
        inputs += [
            html.Label(words.format(measure=label), htmlFor=control_id, className="seg-unseen"),
            dbc.Input(
                id=control_id,
                type="number",
                step="1" if column.kind in ("count", "days") else "any",
                size="sm",
                debounce=500,
                placeholder=say("any"),
                value=None,
            ),
        ]
    return html.Div(
        [html.Span(label, className="bound-label", title=column_meaning(column)), *inputs],
        className="range",
        id=place(column),
    )


def _label(column: Column) -> str:
    """What the filter of a column is called; shares are given in per cent."""
    label = say(column.filter_label) if column.filter_label else column_title(column)
    return f"{label}, %" if column.kind == "share" else label


def _share_inputs() -> list[Component]:
    return [
        html.Label(say("Category"), htmlFor=control(CATEGORY), className="bound-label"),
        dbc.Select(id=control(CATEGORY), options=[], value="", size="sm"),
        html.Div(
            [
                html.Label(say("At least … % of spend"), htmlFor=control(LEAST), className="bound-label"),
                dbc.Input(
                    id=control(LEAST),
                    type="number",
                    min=0,
                    max=100,
                    step="any",
                    size="sm",
                    debounce=500,
                    placeholder=say("any"),
                    value=None,
                ),
            ],
            className="bound",
        ),
    ]


# --- between controls and selection -----------------------------------------------------------------------------------


def control_values(selection: Selection, category: str = "") -> dict[str, Any]:
    """What the controls show for a selection, by field; ``category`` is the one whose share is shown."""
    values: dict[str, Any] = {name: list(getattr(selection, name)) for name in LISTS}
    for column in FILTERS:
        scale = 100 if column.kind == "share" else 1
        for name, end in zip(column.bounds, selection.bounds.get(column.name, Range()), strict=True):
            values[name] = _short(None if end is None else scale * end)
    category = category or next(iter(dict(selection.shares)), "")
    values |= {CATEGORY: category, LEAST: share_of(selection, category)}
    return {**values, "q": selection.q}


def from_controls(values: Mapping[str, Any], now: Selection = Selection()) -> Selection:  # noqa: B008 - it is frozen
    """The selection that the controls show; a number that is not one yet is no condition.

    ``now`` is what holds meanwhile: it knows the categories for which there is no control.
    """
    bounds: dict[str, Range] = {}
    for column in FILTERS:
        ends = (_number(values.get(name)) for name in column.bounds)
        if column.kind == "share":
            ends = (None if end is None else round(end / 100, 12) for end in ends)
        bounds[column.name] = Range(*ends)
    lists = {name: tuple(values.get(name) or ()) for name in LISTS}
    return replace(now, **lists, bounds=bounds, q=(values.get("q") or "").strip(), shares=_shares(values, now))


def share_of(selection: Selection, category: str) -> float | int | None:
    """What the control of shares shows for a category, in per cent."""
    share = dict(selection.shares).get(category)
    return _short(None if share is None else 100 * share)


def _shares(values: Mapping[str, Any], now: Selection) -> tuple[tuple[str, float], ...]:
    category, least = values.get(CATEGORY) or "", _number(values.get(LEAST))
    if not category:
        return now.shares
    others = tuple(pair for pair in now.shares if pair[0] != category)
    return others if least is None else (*others, (category, round(least / 100, 12)))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _short(value: float | None) -> float | int | None:
    if value is None:
        return None
    value = round(value, 10)
    return int(value) if value == int(value) else value


# --- what a click or a box on a chart means --------------------------------------------------------------------------


def selected_by(frame: RunFrame, selection: Selection, pair: tuple[str, str], box: Mapping[str, Any]) -> Selection:
    """The selection narrowed to a box over two columns, as Plotly reports its ends: two ranges.

    What is drawn beyond the end of a logarithmic axis takes in those who stand at its edge because their values are
    smaller.
    """
    for column, ends in zip(pair, (box["x"], box["y"]), strict=True):
        selection = selection.with_bound(column, *_range(axis_of(frame, column), min(ends), max(ends)))
    return selection


def _range(axis: Axis, low: float, high: float) -> tuple[float | None, float | None]:
    """The least and greatest value that a box takes in; None where it reaches the end of the axis."""
    least = None if low <= axis.edges[0] else low
    most = None if high >= axis.edges[-1] else high
    if axis.counts_days_or_orders:
        least = None if least is None else float(math.ceil(least))
        most = None if most is None else float(math.floor(most))
        if least is not None and most is not None and least > most:  # between two whole numbers: the nearest
            least = most = float(round((low + high) / 2))
        return least, most
    return (
        None if least is None else significant(least, _DIGITS),
        None if most is None else significant(most, _DIGITS),
    )


def selection_after_click(
    now: Selection, chart: Chart, data: Mapping[str, Any] | None, identities: Mapping[str, str] = {}
) -> Selection:
    """The selection after a click on a part of a chart: a segment or a country; a second click takes it back.

    Raises:
        PreventUpdate: nothing was clicked that means anybody.
    """
    if not data or not data.get("points"):
        raise PreventUpdate
    point = data["points"][0]
    name = point.get("y")
    if chart is TILES:
        name = point.get("customdata")
    elif chart is MAP:
        name = next(iter(point.get("customdata") or ()), None)
    if not isinstance(name, str) or (chart == COUNTRIES and is_rest(name)):
        raise PreventUpdate
    if chart in (COUNTRIES, MAP):
        return filters.toggle_option(now, "countries", name)
    return filters.toggle_option(now, "segments", identities.get(name, name))


def in_cell(frame: RunFrame, now: Selection, data: Mapping[str, Any] | None) -> Selection:
    """The selection after a click on a square of the grid of scores: exactly its customers; a second click undoes it.

    Raises:
        PreventUpdate: nobody has the scores of that square.
    """
    point = data["points"][0] if data and data.get("points") else {}
    spans = spans_of(frame, str(point.get("x")), str(point.get("y")))
    if spans is None:
        raise PreventUpdate
    return filters.toggle_ranges(now, {RECENCY: Range(*spans[0]), FREQUENCY: Range(*spans[1])})


def selection_in_box(frame: RunFrame, now: Selection, shape: Mapping[str, Any] | None) -> Selection:
    """The selection narrowed by the box that was drawn over one of the clouds.

    Raises:
        PreventUpdate: nothing was drawn, or nothing that narrows.
    """
    chart = next((chart for chart in CLOUDS if shape and chart.name == shape.get("chart")), None)
    if chart is None or chart.pair is None or shape is None:
        raise PreventUpdate
    selection = selected_by(frame, now, chart.pair, shape["range"])
    if selection == now:
        raise PreventUpdate
    return selection


# --- what a run offers ------------------------------------------------------------------------------------------------


def category_options(frame: RunFrame) -> list[dict[str, str]]:
    """The categories of which shares of spend are known."""
    options = [
        {"value": name, "label": describe(f"{CATEGORY_SHARE}{name}").title.removeprefix("Share of ")}
        for name in frame.customers.categories
    ]
    return [{"value": "", "label": say("any")}, *options]


def value_ranges(frame: RunFrame) -> dict[str, str]:
    """The least and the greatest value that a customer of the run has, by bound, as a hint in its control."""
    return {**dict.fromkeys(BOUNDS, say("any")), **_reach(frame, spoken())}


@per_run
def _reach(frame: RunFrame, _language: str) -> dict[str, str]:
    reaches: dict[str, str] = {}
    for column in FILTERS:
        if not frame.has(column.name) or not len(frame):
            continue
        values = frame.values(column.name)
        scale = 100 if column.kind == "share" else 1
        ends = np.floor(np.nanmin(values) * scale), np.ceil(np.nanmax(values) * scale)
        reaches |= {name: count(float(end)) for name, end in zip(column.bounds, ends, strict=True)}
    return reaches


def absent_columns(frame: RunFrame) -> dict[str, bool]:
    """Which columns these customers do not have."""
    return {column.name: not frame.has(column.name) for column in FILTERS}


def segment_options(frame: RunFrame, view: Aggregate) -> list[dict[str, Any]]:
    """The segments of a run with colour, name, and how many customers in view each has; ``view`` knows no segment."""
    counts = view.sizes_by_segment(len(frame.segments))
    most = max(int(counts.max(initial=0)), 1)
    return [
        _option(
            item.known_by, int(number), swatch(item.colour), item.colour, int(number) / most, segment_name(item.name)
        )
        for item, number in zip(frame.segments, counts, strict=True)
    ]


def country_options(frame: RunFrame, view: Aggregate, chosen: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The countries of a run with how many customers in view each has; ``view`` knows no country."""
    counts = view.sizes_by_country(len(frame.countries))[:-1]
    unknown = [name for name in chosen if name not in frame.countries]
    options = [_option(name, int(number)) for name, number in zip(frame.countries, counts, strict=True)]
    return options + [_option(name, 0) for name in unknown]


def _option(
    name: str, customers: int, before: Component | None = None, colour: str = "", bar: float = 0.0, called: str = ""
) -> dict[str, Any]:
    text = [before] if before is not None else []
    text += [
        elements.Span(called or name, className="option-name"),
        elements.Span(count(customers), className="option-count"),
    ]
    if colour:
        text.append(
            elements.Span(
                className="option-bar", style={"width": f"{100 * bar:.1f}%", "backgroundColor": theme_colour(colour)}
            )
        )
    return {
        "label": elements.Span(text, className="option" + ("" if customers else " none"), title=called or name),
        "value": name,
    }
