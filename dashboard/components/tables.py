"""Cards with a heading, and tables that scroll sideways where they are wider than their place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.attributes import aria


def section(title: str, *parts: Any, hint: str = "") -> Component:
    """A card with its heading and, under it, a word on what it shows."""
    under = [html.P(hint, className="seg-hint mb-2")] if hint else []
    return html.Section([html.H2(title), *under, *parts], className="seg-card")


def scrolled(label: str, table: Component) -> Component:
    """A table that can be moved sideways where it is wider than its place."""
    return html.Div(table, className="seg-scroll", tabIndex=0, role="region", **aria(label=label))


def table(label: str, heads: Sequence[tuple[str, bool]], lines: Sequence[Any], style: str = "") -> Component:
    """A table of lines under its heads, each with whether it stands over numbers."""
    head = html.Tr([html.Th(title, scope="col", className="seg-number" if right else "") for title, right in heads])
    body = html.Table([html.Thead(head), html.Tbody(lines)], className=f"seg-table {style}".strip())
    return scrolled(label, body)
