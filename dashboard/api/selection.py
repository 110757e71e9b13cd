"""Query parameters that select customers, the same on every route that has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request

from engines.columns import describe
from storage.contract import Selection
from storage.contract.selection import BOUNDS

_NUMBER = {"type": "number"}
_TEXTS = {"type": "array", "items": {"type": "string"}}

#: Query parameters that stand for a selection, by name, with what they mean.
SELECTION_PARAMETERS: dict[str, tuple[str, dict[str, Any]]] = {
    "segment": ("Segment by name; repeat it for several.", _TEXTS),
    "country": ("Primary country; repeat it for several.", _TEXTS),
    **{
        name: (f"{'Least' if is_low else 'Most'} {describe(column).title}.", _NUMBER)
        for name, (column, is_low) in BOUNDS.items()
    },
    "min_share": ("A category and the least share of spend that goes to it, as bags:0.25; repeatable.", _TEXTS),
    "q": ("Looked for anywhere in the customer id.", {"type": "string"}),
}


def openapi_parameters(parameters: Mapping[str, tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """What a route that reads these parameters itself says of them in the description of the API."""
    return {
        "parameters": [
            {"name": name, "in": "query", "required": False, "description": text, "schema": schema}
            for name, (text, schema) in parameters.items()
        ]
    }


SELECTION_DOCS = openapi_parameters(SELECTION_PARAMETERS)


def query_selection(request: Request) -> Selection:
    """The selection that a request's query describes."""
    return Selection.from_query(request.query_params.multi_items())
