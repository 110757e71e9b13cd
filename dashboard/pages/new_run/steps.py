"""The three steps of the New run page as they are drawn: data, engines, review."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components import attributes
from dashboard.components.attributes import aria
from dashboard.i18n.numbers import day, plural
from dashboard.i18n.texts import say
from dashboard.pages.new_run import form
from dashboard.pipeline.run import make_engine
from dashboard.queries.which_run import title_of
from dashboard.services import Services
from engines import registry
from engines.errors import InputError
from storage.contract import Snapshot

DATASET, WHEN, DATE, DATE_PLACE, TOLD = (
    f"new-run-{name}" for name in ("dataset", "snapshot", "date", "date-place", "told")
)
SEED, REVIEW, REFUSED, START = (f"new-run-{name}" for name in ("seed", "review", "refused", "start"))
#: What stands for a date that no snapshot has.
OTHER = "other"


def step(number: int, title: str, *parts: Any) -> Component:
    """One of the three steps, with its number."""
    return html.Section([html.H2([html.Span(str(number), className="data-step"), title]), *parts], className="seg-card")


def data(snapshots: list[Snapshot], begin: Snapshot) -> list[Component]:
    """The first step: which data set, and as of when."""
    names = {item.dataset: title_of(item) for item in reversed(snapshots)}
    datasets = [{"value": name, "label": title} for name, title in sorted(names.items(), key=lambda pair: pair[1])]
    options = dates(snapshots, begin.dataset)
    cells = [
        _cell(say("Data set"), dbc.Select(id=DATASET, options=datasets, value=begin.dataset, size="sm")),
        _cell(say("Customers as of"), dbc.Select(id=WHEN, options=options, value=str(begin.id), size="sm")),
        html.Div(
            _cell(say("Another date"), dbc.Input(id=DATE, type="date", value="", size="sm", debounce=True)),
            id=DATE_PLACE,
            hidden=True,
        ),
    ]
    upload = [say("Other sales?"), " ", dcc.Link(say("Upload them on the Data page"), href="/data"), "."]
    return [
        html.Div(cells, className="data-cells"),
        html.P("", id=TOLD, className="seg-hint mt-2 mb-0", **aria(live="polite")),
        html.P(upload, className="seg-hint mb-0"),
    ]


def _cell(label: str, field: Component) -> Component:
    return html.Label([label, field], className="data-label")


def dates(snapshots: list[Snapshot], dataset: str) -> list[dict[str, str]]:
    """The dates of a data set to choose from, the newest first, and another."""
    mine = [item for item in snapshots if item.dataset == dataset]
    days = [item.as_of for item in mine]
    dated = [
        {
            "value": str(item.id),
            "label": f"{day(item.as_of)}{'' if days.count(item.as_of) == 1 else f' #{item.id}'}"
            f" ({plural(item.customers, 'customer')})",
        }
        for item in mine
    ]
    return [*dated, {"value": OTHER, "label": say("Another date …")}]


def engines(services: Services, begin: Snapshot) -> list[Component]:
    """The second step: a card per engine that is installed, and the seed of them all."""
    columns = services.store.snapshot_columns(begin.id)
    shown = []
    for entry in registry.registered():
        values: Mapping[str, Any] = {}
        if entry.engine is not None:
            try:
                made = make_engine(entry.name, services.config)
            except InputError:  # settings of the configuration that it has no more: the form begins with its defaults
                made = entry.engine()
            values = {knob.name: getattr(made, knob.name) for knob in entry.knobs}
        shown.append(form.card(entry, values, entry.name in services.config.engines.use, columns))
    seed = dbc.Input(
        id=SEED, type="text", value=str(services.config.engines.seed), size="sm", debounce=True, inputmode="numeric"
    )
    hint = say("The same seed gives the same segments.")
    return [
        html.Div(shown, className="new-run-cards"),
        html.Div(
            [html.Label([say("Seed of everything random"), seed], className="data-label", title=hint)],
            className="new-run-seed new-run-bounds",
            **attributes.data(low="0", high="4294967295"),
        ),
    ]


def review() -> list[Component]:
    """The third step: what is going to happen, in words, and the button that has it happen."""
    return [
        html.Div(id=REVIEW, **aria(live="polite")),
        html.Div(id=REFUSED, **aria(live="assertive")),
        dbc.Button(say("Start"), id=START, color="primary", size="sm", disabled=True),
        html.Span(say("A worker computes it; this page may be left and come back to."), className="seg-hint ms-2"),
    ]
