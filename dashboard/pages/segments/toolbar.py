"""The top of the Segments page: what is looked at, the filters in force, and what can be done with the list."""

from __future__ import annotations

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard.components.attributes import aria
from dashboard.i18n.texts import say
from dashboard.pages.segments import audience_window as audience_saver
from dashboard.pages.segments import export_window as export_panel
from dashboard.pages.segments.ids import (
    BAR,
    CHIPS,
    EXPORT,
    EXPORT_PARQUET,
    EXPORT_XLSX,
    HEAD,
    OPEN,
    PAGE,
    PINNED,
    RESET,
)


def toolbar() -> Component:
    """The toolbar, still empty; the page's callback fills it."""
    export = html.Div(
        [
            html.A(say("Export"), id=EXPORT, className="btn btn-primary"),
            dbc.DropdownMenu(
                [
                    dbc.DropdownMenuItem("Excel (.xlsx)", id=EXPORT_XLSX, external_link=True, href=""),
                    dbc.DropdownMenuItem("Parquet (.parquet)", id=EXPORT_PARQUET, external_link=True, href=""),
                    export_panel.opener(PAGE),
                ],
                label=html.Span(say("Other formats and choices"), className="visually-hidden"),
                group=True,
                align_end=True,
                color="primary",
            ),
        ],
        className="btn-group",
    )
    return html.Div(
        [
            html.Div(
                [
                    html.Div(id=HEAD, className="segments-head"),
                    html.Div(
                        [
                            html.Button(say("Filters"), id=OPEN, className="btn btn-outline-secondary segments-open"),
                            audience_saver.opener(PAGE),
                            export,
                        ],
                        id=BAR,
                        className="segments-bar",
                    ),
                ],
                className="segments-title",
            ),
            html.Div(
                [
                    html.Div(id=CHIPS, className="chips", role="group", **aria(label=say("Filters in force"))),
                    html.Button(say("Reset all"), id=RESET, className="link-button reset", hidden=True),
                ],
                className="chip-row",
            ),
            html.Div(id=PINNED),
        ],
        className="segments-top",
    )
