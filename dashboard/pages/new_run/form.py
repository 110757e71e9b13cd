"""The form of an engine, made from its knobs: what it may be asked, within its bounds, with its help on hover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard.components.attributes import data
from dashboard.i18n.texts import column_meaning, column_title, say
from dashboard.pipeline.request import AUTO, Wish
from engines.columns import describe
from engines.contract import Engine, Knob
from engines.registry import Registered

CHOSEN = "new-run-engine"
KNOB = "new-run-knob"
AUTO_K = "new-run-auto"
COLUMNS = "new-run-columns"
WRONG = "new-run-wrong"
#: The knob that stands once for all engines, below the cards.
SEED = "seed"
#: Columns of the customer table are chosen by this knob, wherever an engine has it.
FEATURES = "features"

_FIRST = 3  # knobs that are always in sight
_WIDEST = 100  # a whole number within bounds this far apart gets a slider


def part_id(kind: str, engine: Any, knob: Any = None) -> dict[str, Any]:
    """The id of a part of an engine's card; of a knob's field where one is named."""
    return {"type": kind, "engine": engine} | ({} if knob is None else {"knob": knob})


def title_of_knob(name: str) -> str:
    """A setting's name as people read it: ``Set aside one order``."""
    if len(name) == 1:
        return name
    words = say(name.replace("_", " "))
    return f"{words[0].upper()}{words[1:]}"


def card(entry: Registered[Engine], values: Mapping[str, Any], ticked: bool, columns: Mapping[str, bool]) -> Component:
    """An engine with its form; one that cannot be used says why.

    Args:
        entry: the engine.
        values: what its settings begin with, by name.
        ticked: whether it is chosen to begin with.
        columns: the columns of the customers, by name, and whether they hold numbers.
    """
    if entry.kind is None:
        sentence = say(
            "The engine {engine} of {origin} cannot be used: {error}. Mend or remove it.",
            engine=entry.name,
            origin=entry.origin,
            error=entry.error,
        )
        return html.Section(
            [html.H3(entry.title), html.P(sentence, className="seg-alarm mb-0")], className="new-run-card"
        )
    tick = dbc.Checkbox(
        id=part_id(CHOSEN, entry.name), value=ticked, label=say(entry.title), label_class_name="new-run-title"
    )
    fields = [_field(entry.name, knob, values[knob.name], columns) for knob in entry.knobs if knob.name != SEED]
    more = [html.Details([html.Summary(say("More settings")), *fields[_FIRST:]])] if fields[_FIRST:] else []
    sentence = say(entry.summary) if entry.summary else ""
    if not entry.origin.startswith("segmentry "):
        whose = say("From {origin}.", origin=entry.origin)
        sentence = f"{sentence} {whose}"
    return html.Section(
        [
            tick,
            html.P(sentence, className="seg-hint mb-2"),
            *fields[:_FIRST],
            *more,
            html.P("", id=part_id(WRONG, entry.name), className="seg-alarm new-run-wrong mb-0", role="alert"),
        ],
        className="new-run-card",
    )


def _field(engine: str, knob: Knob, value: Any, columns: Mapping[str, bool]) -> Component:
    name, title = part_id(KNOB, engine, knob.name), title_of_knob(knob.name)
    if knob.type is bool:
        return html.Div(dbc.Switch(id=name, value=value, label=title), title=_help(knob), className="new-run-field")
    if knob.type is tuple and (knob.choices is not None or knob.name == FEATURES):
        return _many(engine, knob, value, columns)
    if knob.choices is not None:
        options = [{"label": str(item), "value": item} for item in knob.choices]
        return _labelled(knob, title, dbc.Select(id=name, options=options, value=value, size="sm"))
    if knob.type is tuple:
        lines = dbc.Textarea(id=name, value="\n".join(value), size="sm", rows=3, debounce=True)
        return _labelled(knob, title, lines, say("one on each line"))
    if _has_slider(knob):
        return _slider(engine, knob, value)
    bounds = {} if knob.type is str else data(low=_bound(knob.low), high=_bound(knob.high))
    mode = {int: "numeric", float: "decimal"}.get(knob.type)
    field = dbc.Input(id=name, type="text", value=str(value), size="sm", debounce=True, inputmode=mode)
    return html.Div(_labelled(knob, title, field, _range_words(knob)), className="new-run-bounds", **bounds)


def _help(knob: Knob) -> str:
    return say(knob.help) if knob.help else ""


def _labelled(knob: Knob, title: str, field: Component, hint: str = "") -> Component:
    head = html.Span([title, html.Span(hint, className="seg-hint ms-2") if hint else None])
    return html.Label([head, field], title=_help(knob), className="new-run-field")


def _slider(engine: str, knob: Knob, value: int) -> Component:
    shown = html.Output(str(value), className="new-run-value")
    field = dbc.Input(
        id=part_id(KNOB, engine, knob.name),
        type="range",
        min=knob.low,
        max=knob.high,
        step=1,
        value=value,
        debounce=250,
        class_name="form-range new-run-range",
    )
    head = html.Span([title_of_knob(knob.name), " ", shown, html.Span(_range_words(knob), className="seg-hint ms-2")])
    parts: list[Component] = [html.Label([head, field], title=_help(knob), className="new-run-field")]
    if knob.name == "k":
        parts.append(dbc.Checkbox(id=part_id(AUTO_K, engine), value=False, label=say("Choose k for me")))
    return html.Div(parts, className="new-run-slider")


def _many(engine: str, knob: Knob, value: Sequence[str], columns: Mapping[str, bool]) -> Component:
    is_columns = knob.choices is None
    options = column_options(columns, value) if is_columns else [{"label": c, "value": c} for c in knob.choices or ()]
    picked = dbc.Checklist(
        id=part_id(COLUMNS if is_columns else KNOB, engine, knob.name), options=options, value=list(value)
    )
    legend = html.Legend(title_of_knob(knob.name), title=_help(knob), className="new-run-legend")
    return html.Fieldset([legend, html.Div(picked, className="new-run-many")], className="new-run-field")


def column_options(columns: Mapping[str, bool], chosen: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The columns that can be grouped by, those that are chosen first; each with its sentence on hover."""
    numbers = [name for name, is_number in columns.items() if is_number]
    first = [*(name for name in chosen if name in numbers), *(name for name in numbers if name not in chosen)]
    gone = [name for name in chosen if name not in numbers]  # stays in sight, so that it can be taken out
    return [
        {"label": column_title(describe(name)), "value": name, "title": column_meaning(describe(name))}
        for name in first
    ] + [{"label": say("{column} (not there)", column=name), "value": name} for name in gone]


def _has_slider(knob: Knob) -> bool:
    if knob.type is not int or knob.low is None or knob.high is None:
        return False
    return knob.high - knob.low <= _WIDEST


def _range_words(knob: Knob) -> str:
    if knob.low is None and knob.high is None:
        return ""
    if knob.high is None or knob.high >= 2**31:
        return say("at least {low}", low=_bound(knob.low))
    return (
        say("up to {high}", high=_bound(knob.high))
        if knob.low is None
        else say("{low} to {high}", low=_bound(knob.low), high=_bound(knob.high))
    )


def _bound(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


# --- what was filled in -----------------------------------------------------------------------------------------------


def value_of(knob: Knob, filled: Any) -> Any:
    """What a field holds, as the knob takes it; what cannot be read stays as it is, for the knob to refuse."""
    if knob.type is tuple:
        lines = filled.splitlines() if isinstance(filled, str) else filled or ()
        return tuple(line.strip() for line in lines if line.strip())
    if knob.type is int and isinstance(filled, str | float):
        return _read(int, filled)
    if knob.type is float and isinstance(filled, str):
        return _read(float, filled)
    return "" if knob.type is str and filled is None else filled


def _read(kind: type[int] | type[float], filled: str | float) -> Any:
    try:
        return kind(filled.strip()) if isinstance(filled, str) else kind(filled)
    except ValueError:
        return filled


def wish_of(entry: Registered[Engine], filled: Mapping[str, Any], seed: Any, auto: bool) -> Wish:
    """What an engine's card asks for.

    Args:
        entry: the engine.
        filled: the values of its fields by the knobs' names.
        seed: what the one field of the seed holds.
        auto: whether k is to be chosen.
    """
    filled = {**filled, SEED: seed}
    settings = {knob.name: value_of(knob, filled[knob.name]) for knob in entry.knobs if knob.name in filled}
    return Wish(entry.name, settings | ({"k": AUTO} if auto else {}))


def in_words(entry: Registered[Engine], wish: Wish) -> str:
    """What an engine is going to do, in a sentence: its number of segments, and what differs from its defaults."""
    parts: list[str] = []
    if wish.choose_k:
        parts.append(say("the number of segments chosen for you"))
    elif "k" in wish.settings:
        parts.append(f"k = {wish.settings['k']}")
    for knob in entry.knobs:
        value = wish.settings.get(knob.name, knob.default)
        if knob.name != "k" and value != knob.default:
            shown = ", ".join(value) if isinstance(value, tuple) else str(value)
            parts.append(f"{title_of_knob(knob.name).lower()} {shown}")
    return (
        f"{entry.title}: {'; '.join(parts)}." if parts else say("{engine} with its usual settings.", engine=entry.title)
    )
