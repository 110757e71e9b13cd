"""Panels: a card with a heading, and what it holds: a chart, the numbers behind it, and files of both."""

from __future__ import annotations

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.attributes import data
from dashboard.figures import Drawing, empty_figure, graph_config
from dashboard.i18n.texts import say


def panel(title: Any, *parts: Any, hint: Any = "", style: str = "", **props: Any) -> Component:
    """A card with its heading and, under it, a word on what it shows."""
    under = [html.P(hint, className="seg-hint mb-2")] if hint else []
    return html.Section([html.H2(title), *under, *parts], className=f"seg-card {style}".strip(), **props)


def step(number: int, title: str, *parts: Any) -> Component:
    """A panel that is one of several steps, with its number."""
    return panel([html.Span(str(number), className="seg-step"), title], *parts)


def graph(name: str, file: str, height: str, figure: Drawing | None = None, *, bar: bool = True) -> Component:
    """A chart; without a figure an empty one. ``file``: the name of its picture; ``bar``: whether it has a toolbar."""
    config: Any = graph_config(file) if bar else {**graph_config(file), "displayModeBar": False}
    shown = empty_figure("", "light") if figure is None else figure
    return dcc.Graph(id=name, config=config, figure=shown, style={"height": height})


def picture_buttons(graph_id: str, file: str) -> list[Component]:
    """Buttons that download a chart as a picture; the browser draws it."""
    return [
        html.Button(
            kind.upper(),
            className="link-button",
            title=say("Download the picture as {kind}", kind=kind.upper()),
            **data(picture=kind, graph=graph_id, name=file),
        )
        for kind in ("png", "svg")
    ]


def file_links(address: str) -> list[Component]:
    """Links to the numbers as files; ``{kind}`` in the address is filled in."""
    return [
        html.A(
            kind.upper(),
            href=address.replace("{kind}", kind),
            title=say("Download the numbers as {kind}", kind=kind.upper()),
        )
        for kind in ("csv", "xlsx")
    ]
