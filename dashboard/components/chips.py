"""The filters in force as chips, each with a cross that removes it."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.components.attributes import aria
from dashboard.frames.filters import Condition
from dashboard.i18n.texts import say


def chips(found: Sequence[Condition], prefix: str) -> list[Component]:
    """A chip per condition; its id says which: ``{"type": "<prefix>-chip", "field": ..., "value": ...}``."""
    if not found:
        return [html.Span(say("No filters: everyone is in view."), className="seg-hint")]
    return [
        html.Button(
            [item.words, html.Span("×", **aria(hidden="true"))],
            id={"type": f"{prefix}-chip", "field": item.field, "value": item.value},
            className="chip",
            title=say("Remove the filter {filter}", filter=item.words),
            **aria(label=say("Remove the filter {filter}", filter=item.words)),
        )
        for item in found
    ]
