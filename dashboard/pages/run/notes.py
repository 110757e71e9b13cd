"""The note and the tags of a run: a plain form on its page."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard.components.cards import alert
from dashboard.components.dialogs import button
from dashboard.components.fields import field
from dashboard.components.panels import panel
from dashboard.i18n.texts import say
from dashboard.services import Services
from engines.errors import InputError
from storage.contract import NotFoundError, Run
from storage.contract.runs import MOST_TAGS, NOTE_LENGTH, TAG_LENGTH

NOTE, TAGS, SAVE, MESSAGE = "run-note", "run-tags", "run-note-save", "run-note-message"


def note_form(run: Run) -> Component:
    """The form, with what is written down already."""
    hint = say("Such as Q4 test; separate several with commas.")
    longest = MOST_TAGS * (TAG_LENGTH + 2)
    tags = dbc.Input(id=TAGS, value=", ".join(run.tags), size="sm", maxlength=longest)
    note = dbc.Textarea(id=NOTE, value=run.note, maxLength=NOTE_LENGTH, rows=3)
    return panel(
        say("Note and tags"),
        html.Div(
            [
                field(say("Note"), note),
                field(say("Tags"), tags, hint),
                html.Div(button(SAVE, say("Save")), className="mt-2"),
                html.Div(id=MESSAGE, role="status", className="mt-2"),
            ]
        ),
        hint=say("For people who look at this run later; it changes nothing that was computed."),
    )


def register(app: Dash, services: Services, run: str) -> None:
    """What was filled in is kept with the run whose number the store ``run`` holds."""

    @app.callback(
        Output(MESSAGE, "children"),
        Output(NOTE, "value"),
        Output(TAGS, "value"),
        Input(SAVE, "n_clicks"),
        State(NOTE, "value"),
        State(TAGS, "value"),
        State(run, "data"),
        prevent_initial_call=True,
    )
    def save(clicks: int | None, note: str | None, tags: str | None, run_id: int) -> tuple[Any, ...]:
        if not clicks:
            raise PreventUpdate
        try:
            saved = services.store.set_run_note(run_id, note=note or "", tags=(tags or "").split(","))
        except (InputError, NotFoundError) as error:
            return alert(say(error.message), "warning"), note, tags
        return alert(say("Saved."), "info"), saved.note, ", ".join(saved.tags)
