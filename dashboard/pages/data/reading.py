"""How a file is read: what was found out about it, and the settings that can be said instead, folded away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard.components.attributes import aria
from dashboard.components.fields import field, fields
from dashboard.i18n.texts import noted, say
from dashboard.pages.data.questions import currency_codes
from dashboard.pages.data.words import MARKS, READING_LABELS
from engines.intake.schema.preview import Preview
from engines.intake.schema.time_zones import ZONES
from engines.settings import Reading

#: The id of the control by setting of reading.
CONTROLS = {name: f"data-{name.replace('_', '-')}" for name in READING_LABELS}
MONEY = "data-currency"
OPTIONS, FACTS, SHEETS_PLACE, TEXT_PLACE = "data-reading", "data-facts", "data-sheets-place", "data-text-place"
#: Settings of text files alone.
_OF_TEXTS = ("separator", "encoding", "quote", "escape")
#: What a select says where nothing is said.
FOUND_OUT = "found out"
_NUMBERS = ("header_row", "skip", "unreadable_lines")
_SHARES = ("unreadable_share",)
_LISTS = ("sheets", "columns")
_ENCODINGS = ("utf-8", "utf-16", "cp1252", "iso-8859-1", "cp1250", "mac_roman", "shift_jis", "gb18030")
_DATE_ORDERS = (
    ("day-first", noted("day first")),
    ("month-first", noted("month first")),
    ("year-first", noted("a year of two digits first")),
)
_DECIMALS = ((".", noted("decimal point")), (",", noted("decimal comma")))


def reading_part(seen: Preview | None, reading: Mapping[str, Any], currency: str) -> Component:
    """All settings of reading, folded; open where the file cannot be read without one."""
    sheets = dbc.Checklist(
        id=CONTROLS["sheets"], options=sheet_options(seen, reading), value=list(reading.get("sheets") or ())
    )
    texts = {
        "separator": _select("separator", reading, [(mark, MARKS[mark]) for mark in (",", ";", "\t", "|", " ")]),
        "encoding": _typed("encoding", reading, _ENCODINGS),
        "quote": _select("quote", reading, [(mark, MARKS[mark]) for mark in ('"', "'")]),
        "escape": _select("escape", reading, [(mark, MARKS[mark]) for mark in ('"', "'", "\\")]),
    }
    money = dbc.Input(id=MONEY, type="text", value=currency, list="data-codes", size="sm", debounce=True, maxlength=3)
    about = html.Div(
        [
            html.Div(
                [html.Div(say(READING_LABELS["sheets"]), className="seg-field", id="data-sheets-label"), sheets],
                id=SHEETS_PLACE,
                hidden=not has_sheets(seen),
                role="group",
                className="mb-3",
                **aria(labelledby="data-sheets-label"),
            ),
            html.Div(
                fields(*[field(say(READING_LABELS[name]), control) for name, control in texts.items()]),
                id=TEXT_PLACE,
                hidden=not is_text(seen),
                className="mb-3",
            ),
            fields(
                _labelled("header_row", _number("header_row", reading)),
                _labelled("skip", _number("skip", reading)),
                _labelled("columns", _typed("columns", reading, ()), say("In order, with commas.")),
                _labelled("date_order", _select("date_order", reading, _DATE_ORDERS)),
                _labelled("decimal", _select("decimal", reading, _DECIMALS)),
                _labelled("time_zone", _typed("time_zone", reading, ZONES)),
                field(say("Currency"), money),
                _labelled("unreadable_lines", _number("unreadable_lines", reading)),
                _labelled("unreadable_share", _number("unreadable_share", reading)),
            ),
            html.Datalist([html.Option(value=code) for code in currency_codes(None)], id="data-codes"),
        ]
    )
    summary = html.Summary([say("How the file is read"), html.Span(facts(seen), id=FACTS, className="seg-hint ms-2")])
    return html.Details([summary, html.Div(about, className="data-inside")], id=OPTIONS, open=seen is None)


def _labelled(name: str, control: Component, hint: str = "") -> Component:
    return field(say(READING_LABELS[name]), control, hint)


def _select(name: str, reading: Mapping[str, Any], options: Sequence[tuple[str, str]]) -> Component:
    listed = [{"value": FOUND_OUT, "label": say("found out")}] + [
        {"value": value, "label": say(words)} for value, words in options
    ]
    made: Component = dbc.Select(id=CONTROLS[name], options=listed, value=reading.get(name) or FOUND_OUT, size="sm")
    return made


def _typed(name: str, reading: Mapping[str, Any], options: Sequence[str]) -> Component:
    given, listed = reading.get(name) or "", f"{CONTROLS[name]}-list"
    text = ", ".join(given) if isinstance(given, list | tuple) else given
    control = dbc.Input(
        id=CONTROLS[name],
        type="text",
        value=text,
        list=listed,
        size="sm",
        debounce=True,
        placeholder=say("found out"),
    )
    return html.Span([control, html.Datalist([html.Option(value=each) for each in options], id=listed)])


def _number(name: str, reading: Mapping[str, Any]) -> Component:
    made: Component = dbc.Input(
        id=CONTROLS[name],
        type="number",
        min=0,
        max=1 if name in _SHARES else None,
        step="any" if name in _SHARES else 1,
        value=reading.get(name) or None,
        size="sm",
        debounce=True,
        placeholder=say("found out") if name == "header_row" else str(getattr(Reading(), name)),
    )
    return made


def sheet_options(seen: Preview | None, reading: Mapping[str, Any]) -> list[dict[str, str]]:
    """The sheets that there are; those that were chosen where the file could not be opened."""
    there = [sheet.name for sheet in seen.source.all_sheets] if seen is not None else []
    return [{"value": name, "label": name} for name in dict.fromkeys([*there, *(reading.get("sheets") or ())])]


def has_sheets(seen: Preview | None) -> bool:
    """Whether there are sheets to choose from."""
    return seen is not None and len(seen.source.all_sheets) > 1


def is_text(seen: Preview | None) -> bool:
    """Whether it is a text, whose columns are parted by a sign; what cannot be read may be one."""
    return seen is None or seen.source.kind in ("text", "folder", "pattern")


def facts(seen: Preview | None) -> str:
    """What was found out about the file, in few words."""
    if seen is None:
        return ""
    source = seen.source
    parts = [say("encoding {encoding}", encoding=source.encoding)] if source.encoding else []
    if source.separator:
        parts.append(say("between the columns: {mark}", mark=say(MARKS.get(source.separator, source.separator))))
    if source.sheets:
        parts.append(say("sheets: {sheets}", sheets=", ".join(source.sheets)))
    if source.header_row:
        parts.append(say("column names in row {row}", row=source.header_row))
    return " · ".join(parts)


def reading_request(filled: Mapping[str, Any]) -> dict[str, Any]:
    """What the controls say, by setting; what is left to be found out is left out."""
    said: dict[str, Any] = {}
    for name, value in filled.items():
        if value == FOUND_OUT:
            continue
        if name in _LISTS and isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        if name in _NUMBERS and value not in (None, ""):
            value = int(value)
        if name in _SHARES and value not in (None, ""):
            value = float(value)
        if name not in ("separator",) and isinstance(value, str):
            value = value.strip()
        if value:
            said[name] = value
    return said
