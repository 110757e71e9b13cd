"""The dialogs of the Segments page: exporting a list with choices, and saving the customers in view as an audience."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard.components.attributes import aria
from dashboard.components.dialogs import button, dialog, name_input
from dashboard.exports.choices import LEAST_SHARE, MOST_SEED, MOST_SHARE
from dashboard.frames import filters
from dashboard.i18n.texts import column_title, noted, say
from dashboard.queries.audiences import audience_run, audience_selection, save
from dashboard.services import Services
from engines.columns import SEGMENT, in_order
from engines.errors import InputError
from storage.contract import NotFoundError, Run, Selection
from storage.contract.audiences import NAME_LENGTH

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

# --- exporting with choices -------------------------------------------------------------------------------------------


def _export_words() -> dict[str, str]:
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


def export_entry() -> Component:
    """The entry of the export menu that opens the dialog."""
    label = say("Choose columns, control group …")
    made: Component = dbc.DropdownMenuItem(label, id="segments-choices-open", n_clicks=0)
    return made


def export_dialog() -> Component:
    """The dialog of export choices, closed."""
    control = html.Div(
        [
            html.Div(
                [
                    _number("share", say("Share, %"), _SHARE, round(100 * LEAST_SHARE), round(100 * MOST_SHARE)),
                    _number("seed", say("Seed"), _SEED, 0, MOST_SEED),
                ],
                className="choices-numbers",
            ),
            _radio("part", say("Who is in the file"), _PARTS, inline=False),
        ],
        id="segments-choices-drawing",
        hidden=True,
    )
    ticks = html.Div(
        dbc.Checklist(id="segments-choices-ticked", options=[], value=[]),
        id="segments-choices-list",
        className="choices-list",
        hidden=True,
        role="group",
        **aria(label=say("Columns of the file")),
    )
    body = [
        _radio("format", say("Format"), _FORMATS),
        html.Div([_radio("columns", say("Columns"), _COLUMNS, inline=False), ticks], className="choices-group"),
        html.Div(
            [
                dbc.Switch(
                    id="segments-choices-control", label=say("Draw a control group that gets nothing"), value=False
                ),
                control,
                html.P(id="segments-choices-hint", className="seg-hint mb-0", role="status"),
            ],
            className="choices-group",
        ),
    ]
    foot = [
        dcc.Link(say("All exports"), href="/exports", className="me-auto"),
        button("segments-choices-close", say("Close"), "secondary"),
        html.A(say("Export"), id="segments-choices-export", className="btn btn-primary"),
    ]
    return html.Div(
        [
            dcc.Store(id="segments-choices-words", data=_export_words()),
            dialog("segments-choices", say("Export with choices"), body, foot),
        ]
    )


def _radio(name: str, label: str, options: dict[str, str], *, inline: bool = True) -> Component:
    listed = [{"label": say(text), "value": value} for value, text in options.items()]
    return html.Fieldset(
        [
            html.Legend(label, className="choices-label"),
            dbc.RadioItems(id=f"segments-choices-{name}", options=listed, value=next(iter(options)), inline=inline),
        ],
        className="choices-group" if inline else "",
    )


def _number(name: str, label: str, value: int, low: int, high: int) -> Component:
    made = dbc.Input(id=f"segments-choices-{name}", type="number", value=value, min=low, max=high, step=1)
    return html.Div([html.Label(label, htmlFor=f"segments-choices-{name}", className="choices-label"), made])


def register_export(app: Dash, services: Services, drawn: str, export: str, table: str) -> None:
    """Opening asks the server for the columns; what is chosen becomes an address in the browser itself.

    ``drawn``: the store that says which run is shown. ``export``: the button that exports everything as CSV.
    ``table``: the list of the columns that the table of customers shows.
    """

    @app.callback(
        Output("segments-choices", "is_open"),
        Output("segments-choices-ticked", "options"),
        Output("segments-choices-ticked", "value"),
        Input("segments-choices-open", "n_clicks"),
        Input("segments-choices-close", "n_clicks"),
        State(drawn, "data"),
        State("segments-choices-ticked", "value"),
        prevent_initial_call=True,
    )
    def show(opened: int | None, closed: int | None, shown: dict[str, Any] | None, ticked: list[str]) -> Any:
        if ctx.triggered_id != "segments-choices-open" or not opened or not shown:
            return False, no_update, no_update
        options = export_columns(services, shown["run"])
        names = [option["value"] for option in options]
        return True, options, [name for name in names if name in ticked] or names

    app.clientside_callback(
        ClientsideFunction("segmentry_choices", "compose"),
        Output("segments-choices-export", "href"),
        Output("segments-choices-export", "children"),
        Output("segments-choices-export", "className"),
        Output("segments-choices-hint", "children"),
        Output("segments-choices-list", "hidden"),
        Output("segments-choices-drawing", "hidden"),
        Input("segments-choices-format", "value"),
        Input("segments-choices-columns", "value"),
        Input("segments-choices-ticked", "value"),
        Input("segments-choices-control", "value"),
        Input("segments-choices-share", "value"),
        Input("segments-choices-seed", "value"),
        Input("segments-choices-part", "value"),
        Input(export, "href"),
        Input(export, "children"),
        Input(table, "value"),
        State("segments-choices-words", "data"),
    )


def export_columns(services: Services, run_id: int) -> list[dict[str, str]]:
    """The columns that a list of a run can have, in its order, each under its title."""
    reader = services.store.stream(run_id, Selection())
    frame = services.frames.get(run_id)
    names = in_order(name for name in reader.schema.names if frame.describe(name).exported)
    reader.close()
    return [
        {"value": name, "label": say("Segment") if name == SEGMENT else column_title(frame.describe(name))}
        for name in names
    ]


# --- saving an audience -----------------------------------------------------------------------------------------------


def audience_button() -> Component:
    """The button that opens the dialog."""
    return html.Button(say("Save as audience"), id="segments-audience-open", className="btn btn-outline-secondary")


def audience_dialog() -> Component:
    """The dialog that gives the filters a name, closed."""
    body = [
        html.P(id="segments-audience-words", className="seg-hint"),
        *name_input("segments-audience-name", say("Name"), NAME_LENGTH),
        dbc.Checkbox(
            id="segments-audience-pin", label=say("Pin: one click away on this page for everyone"), value=True
        ),
        dbc.Alert(id="segments-audience-refused", color="warning", is_open=False, className="mt-3 mb-0"),
    ]
    buttons = [
        button("segments-audience-cancel", say("Cancel"), "secondary"),
        button("segments-audience-save", say("Save")),
    ]
    return dialog("segments-audience-window", say("Save as audience"), body, buttons)


def pinned_audiences(services: Services, run: Run) -> Component | None:
    """The pinned audiences of a run's data set, each a link that brings its customers into view."""
    links = []
    for audience in services.store.audiences():
        if not audience.pinned or audience.dataset not in ("", run.dataset):
            continue
        try:
            selection = audience_selection(audience)
        except InputError:  # of an older version; the page of audiences says so
            continue
        target: Run | None = run
        if selection.segments and audience.engine not in ("", run.engine):  # names of segments belong to an engine
            target = audience_run(services, audience)
        if target is not None:
            href = "/" + filters.write_view(target.id, selection)
            title = say("Show the audience {audience}", audience=audience.name)
            links.append(dcc.Link(audience.name, href=href, className="chip", title=title))
    if not links:
        return None
    return html.Div([html.Span(say("Audiences"), className="seg-hint"), *links], className="chips audience-chips")


def register_audience(app: Dash, services: Services, drawn: str, place: str) -> None:
    """One callback opens the dialog, saves and closes it; ``place`` is where the chips stand."""

    @app.callback(
        output={
            "open": Output("segments-audience-window", "is_open"),
            "words": Output("segments-audience-words", "children"),
            "name": Output("segments-audience-name", "value"),
            "refused": Output("segments-audience-refused", "children"),
            "is_refused": Output("segments-audience-refused", "is_open"),
            "chips": Output(place, "children", allow_duplicate=True),
        },
        inputs={
            "opened": Input("segments-audience-open", "n_clicks"),
            "cancelled": Input("segments-audience-cancel", "n_clicks"),
            "saved": Input("segments-audience-save", "n_clicks"),
            "entered": Input("segments-audience-name", "n_submit"),
            "name": State("segments-audience-name", "value"),
            "pinned": State("segments-audience-pin", "value"),
            "drawn": State(drawn, "data"),
        },
        prevent_initial_call=True,
    )
    def answer(
        opened: Any,
        cancelled: Any,
        saved: Any,
        entered: Any,
        name: str | None,
        pinned: bool,
        drawn: dict[str, Any] | None,
    ) -> dict[str, Any]:
        if not drawn or not ctx.triggered[0]["value"]:
            raise PreventUpdate
        if ctx.triggered_id == "segments-audience-open":
            return _parts(open=True, words=_audience_words(services, drawn), name="", is_refused=False)
        if ctx.triggered_id == "segments-audience-cancel":
            return _parts(open=False)
        if not (name or "").strip():
            return _parts(refused=say("Give the audience a name."), is_refused=True)
        try:
            run = services.store.run(drawn["run"])
            save(services, name or "", filters.read_view(drawn["query"]).selection, run, pinned=bool(pinned))
        except (InputError, NotFoundError) as error:
            return _parts(refused=say(error.message), is_refused=True)
        return _parts(open=False, chips=pinned_audiences(services, run))


def _audience_words(services: Services, drawn: dict[str, Any]) -> str:
    """What is about to be saved."""
    frame = services.frames.get(drawn["run"])
    selection, names = filters.read_view(drawn["query"]).selection, filters.segment_names(frame.segments)
    conditions = filters.condition_texts(selection, frame.currency, names)
    if not conditions:
        return say("No filter is set: this audience will be everyone.")
    return say(
        "Whoever meets {conditions}, on every later date of {dataset}.",
        conditions=", ".join(item.words for item in conditions),
        dataset=frame.dataset,
    )


def _parts(**parts: Any) -> dict[str, Any]:
    names = ("open", "words", "name", "refused", "is_refused", "chips")
    return {name: parts.get(name, no_update) for name in names}
