"""The window in which a marketer says how a list is wanted: format, columns, and a control group."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashboard.components.attributes import aria
from dashboard.exports.choices import LEAST_SHARE, MOST_SEED, MOST_SHARE
from dashboard.exports.files import column_order
from dashboard.i18n.texts import noted, say, titled
from dashboard.services import Services
from engines.columns import SEGMENT
from storage.contract import Selection

_FORMATS = {"csv": "CSV", "xlsx": "Excel (.xlsx)", "parquet": "Parquet"}
_COLUMNS = {
    "all": noted("All columns"),
    "table": noted("Those shown in the table of customers"),
    "ticked": noted("Those ticked here"),
}
_PARTS = {
    "all": noted("Everyone, with a column control_group that says who is in it"),
    "campaign": noted("Without the control group"),
    "control": noted("The control group alone"),
}
_SHARE, _SEED = 10, 1


def _words() -> dict[str, str]:
    """Sentences that the browser fills in; {count} and {total} are written there."""
    least, most = round(100 * LEAST_SHARE), round(100 * MOST_SHARE)
    return {
        "export": say("Export {count} customers"),
        "export_one": say("Export 1 customer"),
        "drawn": say("{count} of {total} customers are drawn by lot. The same seed draws the same customers again."),
        "bad_share": say("The control group is {least} to {most} % of the customers.", least=least, most=most),
        "bad_seed": say("The seed is a whole number from 0 to {most}.", most=f"{MOST_SEED:,}"),
        "no_columns": say("Tick at least one column."),
    }


def opener(page: str) -> Component:
    """The entry of the export menu that opens the window."""
    return dbc.DropdownMenuItem(say("Choose columns, control group …"), id=f"{page}-choices-open", n_clicks=0)


def panel(page: str) -> Component:
    """The window, closed."""
    control = html.Div(
        [
            html.Div(
                [
                    _number(page, "share", say("Share, %"), _SHARE, round(100 * LEAST_SHARE), round(100 * MOST_SHARE)),
                    _number(page, "seed", say("Seed"), _SEED, 0, MOST_SEED),
                ],
                className="choices-numbers",
            ),
            _radio(page, "part", say("Who is in the file"), _PARTS, inline=False),
        ],
        id=f"{page}-choices-drawing",
        hidden=True,
    )
    ticks = html.Div(
        dbc.Checklist(id=f"{page}-choices-ticked", options=[], value=[]),
        id=f"{page}-choices-list",
        className="choices-list",
        hidden=True,
        role="group",
        **aria(label=say("Columns of the file")),
    )
    body = [
        _radio(page, "format", say("Format"), _FORMATS),
        html.Div([_radio(page, "columns", say("Columns"), _COLUMNS, inline=False), ticks], className="choices-group"),
        html.Div(
            [
                dbc.Switch(
                    id=f"{page}-choices-control", label=say("Draw a control group that gets nothing"), value=False
                ),
                control,
                html.P(id=f"{page}-choices-hint", className="seg-hint mb-0", role="status"),
            ],
            className="choices-group",
        ),
    ]
    foot = [
        dcc.Link(say("All exports"), href="/exports", className="me-auto"),
        dbc.Button(say("Close"), id=f"{page}-choices-close", color="secondary", outline=True),
        html.A(say("Export"), id=f"{page}-choices-export", className="btn btn-primary"),
    ]
    return html.Div(
        [
            dcc.Store(id=f"{page}-choices-words", data=_words()),
            dbc.Modal(
                [
                    dbc.ModalHeader(dbc.ModalTitle(say("Export with choices"), tag="h2")),
                    dbc.ModalBody(body),
                    dbc.ModalFooter(foot),
                ],
                id=f"{page}-choices",
                is_open=False,
                centered=True,
                scrollable=True,
            ),
        ]
    )


def _radio(page: str, name: str, label: str, options: dict[str, str], *, inline: bool = True) -> Component:
    listed = [{"label": say(text), "value": value} for value, text in options.items()]
    return html.Fieldset(
        [
            html.Legend(label, className="choices-label"),
            dbc.RadioItems(id=f"{page}-choices-{name}", options=listed, value=next(iter(options)), inline=inline),
        ],
        className="choices-group" if inline else "",
    )


def _number(page: str, name: str, label: str, value: int, low: int, high: int) -> Component:
    made = dbc.Input(id=f"{page}-choices-{name}", type="number", value=value, min=low, max=high, step=1)
    return html.Div([html.Label(label, htmlFor=f"{page}-choices-{name}", className="choices-label"), made])


def register(app: Dash, services: Services, page: str, drawn: str, export: str, table: str) -> None:
    """Opening asks the server for the columns; what is chosen becomes an address in the browser itself.

    ``drawn``: the store that says which run is shown. ``export``: the button that exports everything as CSV.
    ``table``: the list of the columns that the table of customers shows.
    """

    @app.callback(
        Output(f"{page}-choices", "is_open"),
        Output(f"{page}-choices-ticked", "options"),
        Output(f"{page}-choices-ticked", "value"),
        Input(f"{page}-choices-open", "n_clicks"),
        Input(f"{page}-choices-close", "n_clicks"),
        State(drawn, "data"),
        State(f"{page}-choices-ticked", "value"),
        prevent_initial_call=True,
    )
    def show(opened: int | None, closed: int | None, shown: dict[str, Any] | None, ticked: list[str]) -> Any:
        if ctx.triggered_id != f"{page}-choices-open" or not opened or not shown:
            return False, no_update, no_update
        options = columns_of(services, shown["run"])
        names = [option["value"] for option in options]
        return True, options, [name for name in names if name in ticked] or names

    app.clientside_callback(
        ClientsideFunction("segmentry_choices", "compose"),
        Output(f"{page}-choices-export", "href"),
        Output(f"{page}-choices-export", "children"),
        Output(f"{page}-choices-export", "className"),
        Output(f"{page}-choices-hint", "children"),
        Output(f"{page}-choices-list", "hidden"),
        Output(f"{page}-choices-drawing", "hidden"),
        Input(f"{page}-choices-format", "value"),
        Input(f"{page}-choices-columns", "value"),
        Input(f"{page}-choices-ticked", "value"),
        Input(f"{page}-choices-control", "value"),
        Input(f"{page}-choices-share", "value"),
        Input(f"{page}-choices-seed", "value"),
        Input(f"{page}-choices-part", "value"),
        Input(export, "href"),
        Input(export, "children"),
        Input(table, "value"),
        State(f"{page}-choices-words", "data"),
    )


def columns_of(services: Services, run_id: int) -> list[dict[str, str]]:
    """The columns that a list of a run can have, in its order, each under its title."""
    reader = services.store.stream(run_id, Selection())
    names = column_order(reader.schema.names)
    reader.close()
    frame = services.frames.get(run_id)
    return [
        {"value": name, "label": say("Segment") if name == SEGMENT else titled(frame.describe(name))} for name in names
    ]
