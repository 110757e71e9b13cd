"""A dialog: a title, what it asks, and its buttons."""

from __future__ import annotations

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component


def dialog(
    name: str, title: str, body: Sequence[Component], buttons: Sequence[Component], *, is_wide: bool = False
) -> Component:
    """A dialog, closed; ``is_open`` of the part called ``name`` opens it."""
    made: Component = dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle(title, tag="h2")),
            dbc.ModalBody(list(body)),
            dbc.ModalFooter(list(buttons)),
        ],
        id=name,
        is_open=False,
        centered=True,
        scrollable=True,
        size="lg" if is_wide else None,
    )
    return made


def button(name: str, label: str, color: str = "primary") -> Component:
    """A button of a dialog; the way out is drawn as an outline."""
    made: Component = dbc.Button(label, id=name, color=color, outline=color == "secondary")
    return made


def name_input(name: str, label: str, length: int) -> list[Component]:
    """The field for a name with its label; the keyboard is in it when the dialog opens."""
    return [
        html.Label(label, htmlFor=name, className="form-label mb-1"),
        dbc.Input(id=name, maxLength=length, autoComplete="off", autoFocus=True, class_name="mb-3"),
    ]
