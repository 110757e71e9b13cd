"""Fields of a form and pickers, each with its label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component


def field(label: Any, control: Component, hint: str = "", **props: Any) -> Component:
    """A control under its label, and under it a word on it."""
    under = [html.Div(hint, className="seg-hint")] if hint else []
    return html.Div([html.Label([label, control], className="seg-field"), *under], **{**props})


def fields(*parts: Component, style: str = "") -> Component:
    """Fields side by side, as many in a row as there is room for."""
    return html.Div(list(parts), className=f"seg-cells {style}".strip())


def picker(
    name: str,
    label: str,
    options: Sequence[Mapping[str, str]],
    value: str | None,
    *,
    hidden_label: bool = False,
    **props: Any,
) -> Component:
    """A list to choose one of, beside its label; a label that is hidden is read out."""
    select = dbc.Select(id=name, size="sm", options=list(options), value=value, **props)
    style = "visually-hidden" if hidden_label else None
    return html.Div([html.Label(label, htmlFor=name, className=style), select], className="seg-picker")


def pickers(*parts: Component) -> Component:
    """Pickers and buttons in a row."""
    return html.Div(list(parts), className="seg-pickers")
