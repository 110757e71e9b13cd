"""The table of customers: its columns, and the rows of the page a browser asks for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import dash_ag_grid as dag
import numpy as np

from dashboard.cards import themed
from dashboard.numbers import day, symbol
from dashboard.run_frame import Mask, RunFrame
from engines.columns import (
    AVERAGE_ORDER_VALUE,
    CHURN_RISK,
    CLV,
    COUNTRY,
    CUSTOMER_ID,
    EXPECTED_PURCHASES,
    FREQUENCY,
    LAST_PURCHASE,
    MONETARY,
    RECENCY,
    SEGMENT,
)

BLOCK = 100  # rows fetched at a time
_NUMBERS = (RECENCY, FREQUENCY, MONETARY, CLV, AVERAGE_ORDER_VALUE, EXPECTED_PURCHASES, CHURN_RISK)
_SHOWN = (CUSTOMER_ID, SEGMENT, RECENCY, FREQUENCY, MONETARY, CLV, COUNTRY, CHURN_RISK, AVERAGE_ORDER_VALUE)
_SHOWN_LAST = (EXPECTED_PURCHASES, LAST_PURCHASE)
_SORTED_FIRST = CLV
_EPOCH = date(1970, 1, 1)

_FORMATS = {  # d3 formats by kind of column
    "money": ",.2f",
    "share": ".1%",
    "days": ",.0f",
    "count": ",.0f",
    "number": ",.2f",
}


def grid(component_id: str) -> dag.AgGrid:
    """The empty table; its columns come with the run."""
    return dag.AgGrid(
        id=component_id,
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
        },
        className="customer-table",
        style={"height": "560px"},
    )


def columns(frame: RunFrame) -> list[dict[str, Any]]:
    """Column definitions for a run: titles, units and help from the data dictionary; absent columns are left out.

    Attributes and columns of plug-ins come last, the latter in the plug-ins' own words.
    """
    shown = [name for name in (*_SHOWN, *_SHOWN_LAST, *frame.texts, *frame.added) if _is_there(frame, name)]
    first = _SORTED_FIRST if _SORTED_FIRST in shown else MONETARY
    return [_column(frame, name, name == first) for name in shown]


def _is_there(frame: RunFrame, name: str) -> bool:
    if name == COUNTRY:
        return frame.has_country
    return name in (CUSTOMER_ID, SEGMENT) or name in frame.texts or frame.has(name)


def _column(frame: RunFrame, name: str, sorted_first: bool) -> dict[str, Any]:
    if name == SEGMENT:
        colour = "params.data ? {'borderLeft': '4px solid ' + params.data.colour} : null"
        return {
            "field": SEGMENT,
            "headerName": "Segment",
            "headerTooltip": "The customer's segment in this run.",
            "minWidth": 160,
            "cellStyle": {"function": colour},
        }
    column = frame.describe(name)
    definition: dict[str, Any] = {
        "field": name,
        "headerName": column.title,
        "headerTooltip": f"{column.meaning} Unit: {column.unit}." if column.unit != "-" else column.meaning,
        "sortingOrder": ["desc", "asc"],
    }
    if column.kind in ("text", "date"):
        return {**definition, "minWidth": 140, "sortingOrder": ["asc", "desc"]}
    if column.kind == "money":
        definition["headerName"] = f"{column.title} ({symbol(frame.currency).strip()})"
    shown = f"params.value == null ? '–' : d3.format('{_FORMATS.get(column.kind, ',.2f')}')(params.value)"
    definition |= {
        "type": "rightAligned",
        "valueFormatter": {"function": shown},
        "minWidth": 124 if column.kind == "money" else 116,
    }
    if sorted_first:
        definition["sort"] = "desc"
    return definition


def answer(frame: RunFrame, mask: Mask, request: Mapping[str, Any]) -> dict[str, Any]:
    """The rows a browser asks for, and how many there are: AG Grid's ``getRowsResponse``."""
    sort = (request.get("sortModel") or [{"colId": CUSTOMER_ID, "sort": "asc"}])[0]
    start, stop = int(request.get("startRow", 0)), int(request.get("endRow", BLOCK))
    positions = frame.page(mask, str(sort["colId"]), sort["sort"] == "desc", start, min(stop, start + 10 * BLOCK))
    return {"rowData": rows(frame, positions), "rowCount": int(np.count_nonzero(mask))}


def rows(frame: RunFrame, positions: np.ndarray) -> list[dict[str, Any]]:
    """The customers at some positions as the table shows them; None where there is no value."""
    ids = frame.customers.ids.take(positions).to_pylist()
    numbers = {name: frame.values(name)[positions].tolist() for name in (*_NUMBERS, *frame.added) if frame.has(name)}
    texts = {name: values.take(positions).to_pylist() for name, values in frame.texts.items()}
    colours = [themed(item.colour) for item in frame.segments]
    seen = frame.values(LAST_PURCHASE)[positions] if frame.has(LAST_PURCHASE) else None
    found = []
    for i, (position, customer) in enumerate(zip(positions, ids, strict=True)):
        code, country = int(frame.segment_codes[position]), int(frame.country_codes[position])
        row: dict[str, Any] = {CUSTOMER_ID: customer, SEGMENT: frame.segments[code].name, "colour": colours[code]}
        row[COUNTRY] = frame.countries[country] if country >= 0 else None
        row |= {name: values[i] for name, values in texts.items()}
        for name, values in numbers.items():
            row[name] = None if values[i] != values[i] else values[i]
        if seen is not None:
            row[LAST_PURCHASE] = None if np.isnan(seen[i]) else day(_EPOCH + timedelta(days=int(seen[i])))
        found.append(row)
    return found
