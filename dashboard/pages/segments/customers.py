"""The table of customers: its columns, and the rows of the page a browser asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import dash
import dash_ag_grid as dag
import dash_bootstrap_components as dbc
import numpy as np
from dash import ClientsideFunction, Input, Output, State, html
from dash.development.base_component import Component

from dashboard.components.attributes import aria
from dashboard.components.cards import theme_colour
from dashboard.frames.columns import Mask
from dashboard.frames.run import RunFrame
from dashboard.i18n.numbers import day, symbol, titled
from dashboard.i18n.texts import column_meaning, column_title, noted, say, segment_name
from dashboard.queries.customer import MUCH_RETURNED
from engines.columns import (
    CHURN_RISK,
    CLV,
    CLV_HIGH,
    CLV_LOW,
    COUNTRY,
    CUSTOMER_ID,
    MONETARY,
    RETURN_RATE,
    SEGMENT,
    WITHOUT_MONEY,
    in_order,
)

CUSTOMERS, CHOSEN = "segments-customers", "segments-customers-chosen"
BLOCK = 100  # rows fetched at a time
_UNKNOWN = {
    CHURN_RISK: noted("Unknown: this customer came too short a while ago to say."),
    CLV: noted("Unknown: no value model could be asked about this customer."),
    COUNTRY: noted("The sales do not say where this customer lives."),
}
_EPOCH = date(1970, 1, 1)

_PLACES = {"days": 0, "count": 0, "share": 1}  # by kind of column; 2 else


def grid() -> dag.AgGrid:
    """The empty table; its columns come with the run."""
    return dag.AgGrid(
        id=CUSTOMERS,
        rowModelType="infinite",
        columnDefs=[],
        defaultColDef={
            "sortable": True,
            "resizable": True,
            "wrapHeaderText": True,
            "autoHeaderHeight": True,
            "suppressMovable": True,
            "minWidth": 90,
            "flex": 1,
        },
        dashGridOptions={
            "cacheBlockSize": BLOCK,
            "maxBlocksInCache": 20,
            "rowHeight": 36,
            "multiSortKey": "none",
            "suppressMultiSort": True,
            "animateRows": False,
            "enableCellTextSelection": True,
            "ensureDomOrder": True,
            "tooltipShowDelay": 400,
            "localeText": {"loadingOoo": say("Loading …"), "noRowsToShow": say("Nobody is in view.")},
        },
        className="customer-table",
        style={"height": "560px"},
    )


def column_definitions(frame: RunFrame) -> list[dict[str, Any]]:
    """Column definitions for a run: titles, units and help from the data dictionary; absent columns are left out.

    What is hidden at first can be chosen to be seen.
    """
    country = [COUNTRY] if frame.has_country else []
    names = in_order([CUSTOMER_ID, SEGMENT, *country, *frame.customers.columns, *frame.texts])
    first = CLV if CLV in names else MONETARY
    return [_column(frame, name, name == first) | {"hide": not frame.describe(name).shown} for name in names]


def _column(frame: RunFrame, name: str, sorted_first: bool) -> dict[str, Any]:
    if name == SEGMENT:
        colour = "params.data ? {'borderLeft': '4px solid ' + params.data.colour} : null"
        return {
            "field": SEGMENT,
            "headerName": say("Segment"),
            "headerTooltip": say("The customer's segment in this run."),
            "minWidth": 160,
            "cellStyle": {"function": colour},
        }
    column = frame.describe(name)
    title, help = column_title(column), column_meaning(column)
    if column.unit != "-":
        help = say("{meaning} Unit: {unit}.", meaning=help, unit=say(column.unit))
    definition: dict[str, Any] = {
        "field": name,
        "headerName": title,
        "headerTooltip": help,
        "sortingOrder": ["desc", "asc"],
    }
    nothing = say(_UNKNOWN[name]) if name in _UNKNOWN else say("{title} is not known of this customer.", title=title)
    definition["tooltipValueGetter"] = {
        "function": f"params.value == null && params.data ? {json.dumps(nothing)} : null"
    }
    if column.kind in ("text", "date", "flag"):
        empty = {"valueFormatter": {"function": "params.value == null && params.data ? '–' : params.value"}}
        if name == CUSTOMER_ID and frame.has(RETURN_RATE):
            empty = _marked()
        return {**definition, **empty, "minWidth": 140, "sortingOrder": ["asc", "desc"]}
    if column.kind == "money":
        definition["headerName"] = titled(title, symbol(frame.currency).strip())
    shown = f"params.data ? {_written(column.kind, 'params.value')} : ''"
    if column.kind == "money" and frame.currency == WITHOUT_MONEY:
        none = json.dumps(say("none"))
        shown = f"params.data ? {none} : ''"
    elif name == CLV and frame.has(CLV_LOW) and frame.has(CLV_HIGH):
        # whole units: an interval so wide says nothing of pennies
        parts = [_written("days", f"params.data.{part}") for part in (CLV, CLV_LOW, CLV_HIGH)]
        shown = f"!params.data || params.data.{CLV_LOW} == null ? ({shown}) : {parts[0]} + ' (' + {parts[1]} + '–' + "
        shown += f"{parts[2]} + ')'"
    definition |= {
        "type": "rightAligned",
        "valueFormatter": {"function": shown},
        "minWidth": 176 if name == CLV and frame.has(CLV_LOW) else 124 if column.kind == "money" else 112,
    }
    if sorted_first:
        definition["sort"] = "desc"
    return definition


def _marked() -> dict[str, Any]:
    """The ids of customers, those of who returned half or more marked with how much."""
    much = f"params.data && params.data.{RETURN_RATE} >= {MUCH_RETURNED}"
    share = _written("share", f"params.data.{RETURN_RATE}")
    before, after = map(json.dumps, say("{share} returned").split("{share}"))
    mark = f"{before} + {share} + {after}"
    return {
        "valueFormatter": {"function": f"{much} ? params.value + ' · ' + {mark} : params.value"},
        "cellClassRules": {"customer-returned": much},
    }


def _written(kind: str, value: str) -> str:
    """JavaScript that writes a number as its kind asks for; what is not there is a dash."""
    return f"segmentryNumber({value}, {_PLACES.get(kind, 2)}, {json.dumps(kind == 'share')})"


def chooser() -> Component:
    """The button above the table that opens the list of its columns; what is chosen stays in the browser."""
    return html.Div(
        [
            html.P(
                say("A click on a column sorts by it; a click on a customer (or Enter) opens what is known of them."),
                className="seg-hint",
            ),
            html.Details(
                [
                    html.Summary(say("Columns"), className="btn btn-sm btn-outline-secondary"),
                    html.Div(
                        dbc.Checklist(id=CHOSEN, options=[], value=[]),
                        className="column-list",
                        role="group",
                        **aria(label=say("Columns of the table")),
                    ),
                ],
                className="columns",
            ),
        ],
        className="table-head",
    )


def register(app: dash.Dash) -> None:
    """What the list of columns does, all of it in the browser."""
    here = "segmentry_segments"
    app.clientside_callback(
        ClientsideFunction(here, "columns"),
        Output(CHOSEN, "options"),
        Output(CHOSEN, "value"),
        Input(CUSTOMERS, "columnDefs"),
    )
    app.clientside_callback(
        ClientsideFunction(here, "choose"),
        Output(CHOSEN, "className"),
        Input(CHOSEN, "value"),
        State(CUSTOMERS, "columnDefs"),
        prevent_initial_call=True,
    )


def answer(frame: RunFrame, mask: Mask, request: Mapping[str, Any]) -> dict[str, Any]:
    """The rows a browser asks for, and how many there are: AG Grid's ``getRowsResponse``."""
    sort = (request.get("sortModel") or [{"colId": CUSTOMER_ID, "sort": "asc"}])[0]
    start, stop = int(request.get("startRow", 0)), int(request.get("endRow", BLOCK))
    positions = frame.page(mask, str(sort["colId"]), sort["sort"] == "desc", start, min(stop, start + 10 * BLOCK))
    return {"rowData": rows(frame, positions), "rowCount": int(np.count_nonzero(mask))}


def rows(frame: RunFrame, positions: np.ndarray) -> list[dict[str, Any]]:
    """The customers at some positions as the table shows them; None where there is no value."""
    ids = frame.customers.ids.take(positions).to_pylist()
    cells = {
        name: _cells(frame.describe(name).kind, values[positions]) for name, values in frame.customers.columns.items()
    }
    cells |= {name: values.take(positions).to_pylist() for name, values in frame.texts.items()}
    colours = [theme_colour(item.colour) for item in frame.segments]
    called = [segment_name(item.name) for item in frame.segments]
    records = []
    for i, (position, customer) in enumerate(zip(positions, ids, strict=True)):
        code, country = int(frame.segment_codes[position]), int(frame.country_codes[position])
        row: dict[str, Any] = {CUSTOMER_ID: customer, SEGMENT: called[code], "colour": colours[code]}
        row[COUNTRY] = frame.countries[country] if country >= 0 else None
        records.append(row | {name: values[i] for name, values in cells.items()})
    return records


def _cells(kind: str, values: np.ndarray) -> list[Any]:
    """The values of a column as cells of the table; None where there is none."""
    numbers = [None if value != value else value for value in values.tolist()]
    if kind == "date":
        return [None if value is None else day(_EPOCH + timedelta(days=int(value))) for value in numbers]
    if kind == "flag":
        return [None if value is None else say("yes") if value else say("no") for value in numbers]
    return numbers
