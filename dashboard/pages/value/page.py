"""What customers are likely to spend, how far to trust that, and how the models did on a past that is over."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, html
from dash.development.base_component import Component

from dashboard.components import cards, ids
from dashboard.components.attributes import aria
from dashboard.components.computing import follow, progress_card, ticker
from dashboard.components.panels import graph, panel
from dashboard.figures import empty_figure, values
from dashboard.i18n.numbers import day, percent
from dashboard.i18n.texts import noted, say
from dashboard.pages.value.expected import expected_cards, season_words, trust_words
from dashboard.pages.value.receipts import (
    Receipt,
    coverage_section,
    figures_table,
    golden_parts,
    lead,
    measure_meanings,
    model_section,
    origin_section,
    plan_words,
    verdicts,
)
from dashboard.pipeline.validate import golden_question
from dashboard.queries.receipts import FORESIGHT, LOSS
from dashboard.queries.which_run import run_from, title_of
from dashboard.services import Services
from engines.columns import WITHOUT_MONEY, describe
from engines.errors import InputError
from engines.value.registry import registered_models
from storage.contract import Snapshot

PATH = "/value"
TITLE = noted("Value")
ORDER = 20
AREA = "marketing"

RECEIPT = "value"  #: the name under which the store keeps the receipt of a snapshot's value models

SNAPSHOT = "value-snapshot"
CALIBRATION = "value-calibration"
RELIABILITY = "value-reliability"
IMPORTANCES = "value-importances"
GOLDEN = "value-golden"
GOLDEN_BUTTON = "value-golden-button"
GOLDEN_TICK = "value-golden-tick"
GOLDEN_JOB = "value-golden-job"
_GRAPHS = (CALIBRATION, RELIABILITY, IMPORTANCES)
_HEIGHT = "340px"


def layout(services: Services, **query: Any) -> Component:
    """The page for the snapshot of the run in the address."""
    run = run_from(services.store, query.get("run"))
    if run is None:
        return cards.empty_state(say("Nobody to value yet"), cards.sales_first())
    snapshot = services.store.snapshot(run.snapshot_id)
    receipt = _receipt(services, snapshot)
    head = [
        html.H1(say("Value, and how far to trust it")),
        html.P(_place(snapshot), className="seg-lead mb-1"),
        expected_cards(snapshot),
        *([html.P(words, className="seg-hint")] if (words := season_words(snapshot)) else []),
    ]
    if receipt is None:
        return html.Div([*head, _unchecked(snapshot), _golden_place(), dcc.Store(id=SNAPSHOT)])
    currency = snapshot.currency
    notes = receipt.get("notes", ())
    has_money = currency != WITHOUT_MONEY
    spend = html.Div([_spend(receipt), _spend_figures(receipt)], className=f"seg-grid mt-3 {_pair(receipt)}")
    coverage = coverage_section(receipt, currency) if has_money else None
    trust = html.P(trust_words(receipt, currency), className="seg-lead value-trust", role="note")
    parts = [
        *([trust] if has_money else []),
        html.H2(say("How the models did"), id="value-models", className="mt-4"),
        html.P(lead(receipt), className="seg-lead"),
        verdicts(receipt, has_money=has_money),
        html.Div([_purchases(receipt), _purchase_figures(receipt)], className="seg-grid value-pair mt-3"),
        html.Div([_churn(receipt), _churn_figures(receipt)], className="seg-grid value-pair mt-3"),
        *([spend] if has_money else []),
        html.Div(
            [part for part in (coverage, origin_section(receipt), model_section(receipt)) if part is not None],
            className="seg-grid mt-3 mb-3",
        ),
        *([panel(say("Notes"), *cards.note_list(notes))] if notes else []),
        _golden_place(),
        dcc.Store(id=SNAPSHOT, data=snapshot.id),
    ]
    return html.Div([*head, *parts])


def _place(snapshot: Snapshot) -> str:
    return say("{dataset}, as of {day}", dataset=title_of(snapshot), day=day(snapshot.as_of))


def _receipt(services: Services, snapshot: Snapshot) -> Receipt | None:
    return next((item.receipt for item in services.store.validations(snapshot.id) if item.name == RECEIPT), None)


def _unchecked(snapshot: Snapshot) -> Component:
    """Why there is no check, and what to do."""
    notes = snapshot.info.get("value_notes", ())
    return cards.empty_state(
        say("These figures have not been checked"),
        [
            say(
                "A check needs 90 days of sales to learn from and 28 to be held against, and is made when sales "
                "are read. Read them again once there are enough; until then take every figure about the future "
                "as rough."
            ),
        ],
        [html.Ul([html.Li(note) for note in notes], className="seg-notes text-start")] if notes else [],
    )


# --- sections ---------------------------------------------------------------------------------------------------------


def _purchases(receipt: Receipt) -> Component:
    table = figures_table(
        say("Purchases: models and baselines"),
        receipt["holdout"],
        FORESIGHT,
        receipt,
        receipt["chosen"].get("purchases"),
    )
    hint = say(
        "Purchases foreseen for every customer against those made. A model earns its keep by beating the baselines."
    )
    return panel(say("Forecast accuracy: purchases"), table, measure_meanings(FORESIGHT), hint=hint)


def _churn(receipt: Receipt) -> Component:
    table = figures_table(say("Churn: models"), receipt["churn"], LOSS, receipt, receipt["chosen"].get("churn"))
    hint = say(
        "Lost means no purchase within the days ahead. {plan} Being alive by the model is never the "
        "churn score: it takes every one-time buyer to be alive.",
        plan=plan_words(receipt["plan"]["churn"]),
    )
    return panel(say("Forecast accuracy: who stays away"), table, _unknown(receipt), measure_meanings(LOSS), hint=hint)


def _unknown(receipt: Receipt) -> Component | None:
    share = receipt.get("unknown_churn")
    if not share:
        return None
    return html.P(
        say(
            "{share} of customers came too recently to say anything: their risk is unknown, not low.",
            share=percent(share),
        ),
        className="seg-hint mt-2 mb-0",
    )


def _spend(receipt: Receipt) -> Component:
    table = figures_table(
        say("Spend: models and baselines"), receipt["ltv"], FORESIGHT, receipt, receipt["chosen"].get("ltv")
    )
    hint = say(
        "Money foreseen for every customer against what was spent. {plan}", plan=plan_words(receipt["plan"]["ltv"])
    )
    return panel(say("Forecast accuracy: spend"), table, hint=hint)


def _pair(receipt: Receipt) -> str:
    return "value-pair" if receipt.get("importances") else "value-alone"


def _chart(name: str, title: str, hint: str, *, hidden: bool = False) -> Component:
    words = f"{name}-words"
    return html.Figure(
        [
            html.H2(title, id=f"{name}-title"),
            html.P(hint, className="seg-hint mb-1"),
            html.Figcaption(id=words, className="seg-hint"),
            graph(name, name, _HEIGHT),
        ],
        className="seg-card",
        hidden=hidden,
        **aria(labelledby=f"{name}-title", describedby=words),
    )


def _purchase_figures(receipt: Receipt) -> Component:
    title = receipt["titles"].get(receipt["chosen"]["purchases"], "")
    hint = say("A point is a group of customers of whom alike was expected; on the dotted line exactly that came.")
    return _chart(CALIBRATION, say("Purchases: expected and made, {model}", model=title), hint)


def _churn_figures(receipt: Receipt) -> Component:
    title = receipt["titles"].get(receipt["chosen"].get("churn"), "")
    hint = say("Of customers with a risk of 70 %, seven in ten should be lost: points on the dotted line.")
    return _chart(RELIABILITY, say("Churn risk: foreseen and come true, {model}", model=title), hint)


def _spend_figures(receipt: Receipt) -> Component:
    title = receipt["titles"].get(receipt["chosen"].get("ltv"), "")
    hint = say("What the model leans on: how much worse it foresees spend when one column is shuffled among customers.")
    shown = bool(receipt.get("importances"))  # a lifetime model knows purchases and their values alone
    return _chart(IMPORTANCES, say("What the spend forecast hangs on, {model}", model=title), hint, hidden=not shown)


def _golden_place() -> Component:
    hint = say(
        "CDNOW is a real shop whose figures have been published. Fitting it here and comparing shows "
        "that this installation works things out as the literature does."
    )
    button = html.Button(say("Fit CDNOW now"), id=GOLDEN_BUTTON, className="btn btn-sm btn-outline-secondary")
    place = html.Div([button], id=GOLDEN, **aria(live="polite"))
    return panel(say("Golden run"), place, ticker(GOLDEN_TICK), dcc.Store(id=GOLDEN_JOB), hint=hint)


# --- what happens -----------------------------------------------------------------------------------------------------


def register(app: Dash, services: Services) -> None:
    """One callback draws the charts in the theme that holds, one fits CDNOW when asked."""

    @app.callback(
        {name: Output(name, "figure") for name in _GRAPHS},
        {name: Output(f"{name}-words", "children") for name in _GRAPHS},
        Input(ids.THEME, "data"),
        State(SNAPSHOT, "data"),
    )
    def draw(theme: str | None, snapshot_id: int) -> Any:
        receipt = _receipt(services, services.store.snapshot(snapshot_id)) if snapshot_id else None
        drawn = draw_receipt_charts(receipt, theme or "light")
        return {name: item[0] for name, item in drawn.items()}, {name: item[1] for name, item in drawn.items()}

    @app.callback(
        Output(GOLDEN, "children"),
        Output(GOLDEN_TICK, "disabled"),
        Output(GOLDEN_JOB, "data"),
        Input(GOLDEN_BUTTON, "n_clicks"),
        Input(GOLDEN_TICK, "n_intervals"),
        State(GOLDEN_JOB, "data"),
        prevent_initial_call=True,
    )
    def fit(clicks: int | None, ticks: int | None, job_id: int | None) -> tuple[Any, bool, int | None]:
        question = golden_question(services.config)
        try:
            figures, job = follow(question, services.store, job_id if ctx.triggered_id == GOLDEN_TICK else None)
        except InputError as error:
            return cards.alert(say(error.message), "warning"), True, None
        if figures is None:
            # the button stays, hidden: it is an input of this callback
            button = html.Button(id=GOLDEN_BUTTON, hidden=True)
            return [button, progress_card(say("Fitting CDNOW …"), job, ticks)], False, job.id
        return golden_parts(figures, model_titles()), True, None


def model_titles() -> dict[str, str]:
    """What every registered value model is called, by its name."""
    return {item.name: item.title for item in registered_models()}


def draw_receipt_charts(receipt: Receipt | None, theme: str) -> dict[str, tuple[Any, str]]:
    """The charts of a receipt with their words, by the id of their graph; what is missing says so."""
    receipt = receipt or {}
    chosen = receipt.get("chosen", {})
    calibration = receipt.get("calibration", {}).get(chosen.get("purchases"))
    reliability = receipt.get("reliability", {}).get(chosen.get("churn"))
    importances = receipt.get("importances")
    drawn = dict.fromkeys(_GRAPHS, (empty_figure(say("Nothing was checked."), theme), ""))
    if calibration:
        data = values.calibration_data(calibration)
        axes = {"foreseen": say("purchases expected per customer"), "actual": say("purchases made per customer")}
        drawn[CALIBRATION] = (values.draw_bins(data, theme, **axes), values.bin_words(data))
    if reliability:
        data = values.reliability_data(reliability)
        axes = {"foreseen": say("risk foreseen"), "actual": say("share that was lost")}
        drawn[RELIABILITY] = (values.draw_bins(data, theme, **axes), values.bin_words(data))
    if importances:
        ranked = values.importance_data(importances, lambda name: say(describe(name).title))
        words = say("It leans most on {column}.", column=ranked.features[0])
        drawn[IMPORTANCES] = (values.draw_importances(ranked, theme), words)
    return drawn
