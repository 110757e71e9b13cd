"""Who went where between two dates: ribbons, net flows with money, the list of movers, and segments over time."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from dash import Dash, Input, Output, State, ctx, dcc, html
from dash.development.base_component import Component

from dashboard.components import cards, ids
from dashboard.components.attributes import aria
from dashboard.components.computing import follow, progress_card, ticker
from dashboard.components.fields import picker, pickers
from dashboard.components.panels import graph, panel
from dashboard.components.rules import rules_notice
from dashboard.components.tables import Head, number_cell, number_heads, table, table_row
from dashboard.figures import migration as figures
from dashboard.i18n.numbers import count, day, percent, plural, short_money
from dashboard.i18n.texts import noted, say, segment_name
from dashboard.pipeline.migrate import FOLLOWED_BY, Between, Span, between_dates, between_runs
from dashboard.pipeline.segments_then import History, dates_of, history_question
from dashboard.pipeline.series import series, series_of
from dashboard.queries.which_run import engine_titles, run_from, run_label, title_of
from dashboard.services import Services
from engines.errors import InputError
from engines.evaluation.migration import Migration
from storage import Store
from storage.contract import NotFoundError, Run

PATH = "/migration"
TITLE = noted("Migration")
ORDER = 21
AREA = "models"

START = "migration-from"
END = "migration-to"
RESULT = "migration-result"
TICK = "migration-tick"
JOB = "migration-job"
SIZES = "migration-sizes"
SIZES_TICK = "migration-sizes-tick"
SIZES_JOB = "migration-sizes-job"
RUN = "migration-run"


def layout(services: Services, **query: Any) -> Component:
    """The page for the run in the address; two pickers say between which dates."""
    run = run_from(services.store, query.get("run"))
    if run is None:
        return cards.empty_state(say("Nobody to follow yet"), cards.sales_first())
    snapshot = services.store.snapshot(run.snapshot_id)
    label = run_label(run, engine_titles())
    starts = _starts(run, services) if run.state == "done" else []
    if not starts:
        return cards.empty_state(
            say("{run} on {dataset} has no earlier date", run=label, dataset=title_of(snapshot)),
            [
                say("Customers are followed between two runs of the same engine, or along a run's drift timeline."),
                *rules_notice(services, run, snapshot),
            ],
        )
    start = _among(starts, query.get("from")) or _first_start(starts, run)
    ends = _ends(run, start, services)
    end = _among(ends, query.get("to")) or _first_end(ends, run)
    return html.Div(
        [
            html.H1(say("Who went where: {run}", run=label)),
            html.P(
                say(
                    "{dataset}. From run to run, or both dates by this run's own segments.",
                    dataset=title_of(snapshot),
                ),
                className="seg-lead mb-2",
            ),
            *rules_notice(services, run, snapshot),
            pickers(picker(START, say("From"), starts, start), picker(END, say("to"), ends, end)),
            html.Div(id=RESULT, **aria(live="polite")),
            ticker(TICK),
            dcc.Store(id=JOB),
            html.Div(id=SIZES, **aria(live="polite")),
            ticker(SIZES_TICK),
            dcc.Store(id=SIZES_JOB),
            dcc.Store(id=RUN, data=run.id),
        ]
    )


Options = list[dict[str, str]]


def _starts(run: Run, services: Services) -> Options:
    """Where one can begin: runs of the same kind that have a later one, then dates of the timeline."""
    runs = series_of(services.store, run)
    last = runs[-1].as_of if runs else run.as_of
    return [*(_of_run(item) for item in runs if item.as_of < last), *map(_of_date, dates_of(run, services.store)[:-1])]


def _ends(run: Run, start: str, services: Services) -> Options:
    """Where one can end: from a run at a later run, from a date at a later date."""
    if (begun := _run_id(start)) is not None:
        runs = series_of(services.store, run)
        since = next((item.as_of for item in runs if item.id == begun), run.as_of)
        return [_of_run(item) for item in runs if item.as_of > since]
    return [_of_date(day) for day in dates_of(run, services.store) if day.isoformat() > start]


def _first_start(starts: Options, run: Run) -> str:
    """The run before this one, else the first date of its timeline, else this run itself."""
    values = [item["value"] for item in starts]
    runs = [value for value in values if value.startswith("run-")]
    this = f"run-{run.id}"
    before = runs[: runs.index(this)] if this in runs else runs
    dates = [value for value in values if value not in runs]
    return before[-1] if before else dates[0] if dates else values[0]


def _first_end(ends: Options, run: Run) -> str:
    """This run where it is among them, else the next run or the last date."""
    values = [item["value"] for item in ends]
    runs = [value for value in values if value.startswith("run-")]
    return f"run-{run.id}" if f"run-{run.id}" in runs else next(iter(runs or values[-1:]), "")


def _among(options: Options, value: str | None) -> str | None:
    return value if any(item["value"] == value for item in options) else None


def _of_run(run: Run) -> dict[str, str]:
    return {"value": f"run-{run.id}", "label": say("{day}, run {run}", day=day(run.as_of), run=run.id)}


def _of_date(when: date) -> dict[str, str]:
    return {"value": when.isoformat(), "label": day(when)}


def _run_id(value: str) -> int | None:
    text = value.removeprefix("run-")
    return int(text) if text != value and text.isdecimal() else None


def _span(run_id: int, start: str, end: str, store: Store) -> Span:
    first, last = _run_id(start), _run_id(end)
    if first is not None and last is not None:
        return between_runs(first, last, store)
    try:
        days = date.fromisoformat(start), date.fromisoformat(end)
    except ValueError:
        raise InputError("Choose two runs, or two dates of the timeline.") from None
    return between_dates(run_id, *days, store)


def register(app: Dash, services: Services) -> None:
    """One callback offers the dates there are, one works out who went where, one draws the segments over time."""

    @app.callback(
        Output(END, "options"),
        Output(END, "value"),
        Input(START, "value"),
        State(END, "value"),
        State(RUN, "data"),
        prevent_initial_call=True,
    )
    def offer(start: str, end: str, run_id: int) -> tuple[Options, str]:
        run = services.store.run(run_id)
        ends = _ends(run, start, services)
        return ends, _among(ends, end) or _first_end(ends, run)

    @app.callback(
        Output(RESULT, "children"),
        Output(TICK, "disabled"),
        Output(JOB, "data"),
        Input(START, "value"),
        Input(END, "value"),
        Input(ids.THEME, "data"),
        Input(TICK, "n_intervals"),
        State(JOB, "data"),
        State(RUN, "data"),
    )
    def draw(
        start: str, end: str, theme: str | None, ticks: int | None, job_id: int | None, run_id: int
    ) -> tuple[list[Component], bool, int | None]:
        try:
            question = _span(run_id, start, end, services.store).question(services.config)
            between, job = follow(question, services.store, job_id if ctx.triggered_id == TICK else None)
        except (InputError, NotFoundError) as error:
            return [cards.alert(say(error.message), "warning")], True, None
        if between is None:
            return [progress_card(say("Following customers …"), job, ticks)], False, job.id
        here = f"{PATH}?{urlencode({'run': run_id, 'from': start, 'to': end})}"
        return _shown(between, here, between.currency(services.store), theme or "light"), True, None

    @app.callback(
        Output(SIZES, "children"),
        Output(SIZES_TICK, "disabled"),
        Output(SIZES_JOB, "data"),
        Input(ids.THEME, "data"),
        Input(SIZES_TICK, "n_intervals"),
        State(SIZES_JOB, "data"),
        State(RUN, "data"),
    )
    def over_time(
        theme: str | None, ticks: int | None, job_id: int | None, run_id: int
    ) -> tuple[list[Component], bool, int | None]:
        run = services.store.run(run_id)
        question = history_question(run, services.store, services.config)
        if question is None:
            runs = series(services.store, run.dataset, run.engine, rules=run.rules)
            said = say("Each date by its own run.")
            return _over_time(figures.sizes_of_runs(runs), said, run_id, theme or "light"), True, None
        try:
            history, job = follow(question, services.store, job_id if ctx.triggered_id == SIZES_TICK else None)
        except InputError as error:
            return [cards.alert(say(error.message), "info")], True, None
        if history is None:
            return [progress_card(say("Segments from date to date"), job, ticks)], False, job.id
        return (
            _over_time(figures.size_lines_data(*history[1:5]), _said_of(history), run_id, theme or "light"),
            True,
            None,
        )


def _said_of(history: History) -> str:
    """By what the segments of a history are."""
    if history.by_rule:
        return say("Every date by the rule of this run, applied to the customers of that date.")
    return say("Every date by the model of this run.")


def _over_time(data: figures.SizeLinesData, said: str, run_id: int, theme: str) -> list[Component]:
    if len(data.dates) < 2:
        return []
    panels = (
        ("customers", say("Customers by segment"), data.customers),
        ("revenue", say("Spent so far by segment"), data.revenue),
    )
    return [
        html.P(said, className="seg-hint mt-3 mb-0"),
        html.Div(
            [
                panel(
                    title,
                    graph(
                        f"migration-{name}",
                        f"segments-{name}-run-{run_id}",
                        "320px",
                        figures.draw_size_lines(data, values, title, theme),
                    ),
                )
                for name, title, values in panels
            ],
            className="seg-grid mt-2",
        ),
    ]


def _shown(between: Between, here: str, currency: str, theme: str) -> list[Component]:
    moves = between.migration
    changed = moves.in_both - moves.stayed
    new = int(moves.customers[-1].sum())
    gone = int(moves.customers[:, -1].sum())
    sentence = say(
        "From {start} to {end}, {customers} of {known} ({share}) changed segment; {new} are new, {gone} gone.",
        start=day(between.start),
        end=day(between.end),
        customers=plural(changed, "{n} customer", "{n} customers"),
        known=count(moves.in_both),
        share=percent(changed / moves.in_both if moves.in_both else None),
        new=count(new),
        gone=count(gone),
    )
    if between.note:
        matrix = panel(say("Customers from (rows) to (columns)"), _matrix(moves, currency))
        return [cards.alert(say(between.note), "warning"), matrix]
    links = [
        html.A(
            kind.upper(),
            href=f"/api/v1/runs/{between.run.id}/movers.{kind}?{urlencode(between.query())}",
            className="ms-2",
        )
        for kind in ("csv", "xlsx", "parquet")
    ]
    return [
        panel(
            say("From segment to segment"),
            html.P(sentence, className="mb-1"),
            html.P(say(FOLLOWED_BY[between.by]), className="seg-hint mb-1"),
            html.P(
                [
                    say("{movers} as a list:", movers=plural(len(moves.movers), "{n} mover", "{n} movers")),
                    *links,
                    dcc.Link(say("Link to these dates"), href=here, className="ms-3"),
                ],
                className="seg-hint mb-1",
            ),
            graph(
                "migration-sankey",
                f"migration-run-{between.run.id}",
                "420px",
                figures.draw_sankey(figures.sankey_data(moves), theme),
            ),
        ),
        panel(say("Net flows"), _flows(moves, currency)),
        panel(say("Customers from (rows) to (columns)"), _matrix(moves, currency)),
    ]


def _flows(moves: Migration, currency: str) -> Component:
    heads = [
        Head(say("Segment")),
        *number_heads(say("Before"), say("After"), say("Came"), say("Left"), say("Net")),
        *number_heads(say("Net, in what they had spent")),
    ]
    lines = []
    for flow in moves.net_flows():
        name = [cards.swatch(moves.colours.get(flow.segment, "#999999")), segment_name(flow.segment)]
        counts = (flow.before, flow.after, flow.came, flow.left)
        net = f"{'+' if flow.net > 0 else ''}{count(flow.net)}"
        money = f"{'+' if flow.money_net > 0 else ''}{short_money(flow.money_net, currency)}"
        lines.append(table_row(name, *map(count, counts), net, money))
    return table(say("Net flows"), heads, lines)


def _matrix(moves: Migration, currency: str) -> Component:
    lines = []
    for row, name in enumerate(moves.rows):
        cells = [
            number_cell(
                count(int(moves.customers[row, column])),
                "seg-best" if name == moves.columns[column] else "",
                say("{money} spent so far", money=short_money(float(moves.money[row, column]), currency)),
            )
            for column in range(len(moves.columns))
        ]
        lines.append(table_row(html.Span(figures.row_name(name), className="seg-nowrap"), *cells))
    heads = [Head(say("From")), *number_heads(*map(figures.row_name, moves.columns))]
    return table(say("Customers from segment to segment"), heads, lines)
