"""Whether segments made some time ago still fit: the timeline of a frozen model, and what moved."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashboard.components import cards, ids
from dashboard.components.panels import graph, panel
from dashboard.components.rules import rules_notice
from dashboard.components.tables import Head, number_heads, table, table_row
from dashboard.figures import drift as figures
from dashboard.i18n.numbers import NOTHING, count, day, percent, plural, round_money, written
from dashboard.i18n.texts import noted, say
from dashboard.pipeline.series import live_points_of
from dashboard.queries.which_run import engine_titles, run_from, run_label, title_of
from dashboard.services import Services
from engines.columns import RECENCY, describe
from engines.contract import AgeAgreement, DriftPoint, LivePoint
from engines.evaluation.calendar import HISTORY_DAYS, cutoffs
from engines.evaluation.timeline import SOME_SHIFT
from storage.contract import Run, Snapshot

PATH = "/drift"
TITLE = noted("Drift")
ORDER = 20
AREA = "models"

TIMELINE = "drift-timeline"
AGES = "drift-ages"
MOVED = "drift-moved"
SHIFTS = "drift-shifts"
RUN = "drift-run"

_GRID = {"gridTemplateColumns": "repeat(auto-fit, minmax(min(100%, 260px), 1fr))"}


def layout(services: Services, **query: Any) -> Component:
    """The page for the run in the address."""
    run = run_from(services.store, query.get("run"))
    if run is None:
        return cards.empty_state(say("No timeline yet"), cards.sales_first())
    snapshot = services.store.snapshot(run.snapshot_id)
    label = run_label(run, engine_titles())
    points, live = services.store.drift(run.id), _live(run, services)
    if not points and not live:
        return cards.empty_state(
            say("{run} on {dataset} has no timeline", run=label, dataset=title_of(snapshot)),
            [
                say(
                    "A timeline needs {days} days of sales before the model is frozen and a month after; it is drawn "
                    "when sales are read with segmentry run. Choose another data set above.",
                    days=HISTORY_DAYS,
                ),
            ],
        )
    threshold = services.config.drift.threshold
    lead = [
        html.P(_verdict(points, threshold), className="seg-lead mb-1"),
        html.P(_advice(run), className="seg-lead mb-1"),
        html.P(_lead_words(run, snapshot, points, threshold), className="seg-lead"),
    ]
    shift_parts = [
        panel(
            say("What moved: the customers or the model"),
            graph(MOVED, f"moved-run-{run.id}", "320px"),
            hint=_movement_words(points) if points else "",
        ),
        panel(
            say("How the customers themselves have changed"),
            html.Div(id=SHIFTS, className="seg-grid", style=_GRID),
            hint=_shift_words(run, points, services.config.drift.shift),
        ),
        panel(say("The figures"), _table(points)),
    ]
    without = say("There is no timeline of the past; below are the runs against the runs before them.")
    return html.Div(
        [
            html.H1(say("Drift of {run}", run=label)),
            *rules_notice(services, run, snapshot),
            *(lead if points else [html.P(without, className="seg-lead")]),
            html.Div(_by_age(), hidden=not _ages(run), className="mb-3"),
            panel(say("Agreement date by date"), graph(TIMELINE, f"drift-run-{run.id}", "460px")),
            *([_against(live)] if live else []),
            html.Div(shift_parts, hidden=not points, className="mt-3"),
            html.P(
                dcc.Link(say("Who went where between two dates"), href=f"/migration?run={run.id}"),
                className="mt-3 mb-0",
            ),
            dcc.Store(id=RUN, data=run.id),
        ]
    )


def _by_age() -> Component:
    hint = say(
        "At each date models made some months before label its customers, and so does one made anew. Dots are means, "
        "lines reach from the least to the largest; the dashed line is the alarm line."
    )
    return panel(say("Agreement by age of the model"), graph(AGES, "agreement-by-age", "260px"), hint=hint)


def _ages(run: Run) -> list[AgeAgreement]:
    """What a run knows of its models by age; nothing where an earlier version made it."""
    return [AgeAgreement(**item) for item in (run.info.get("drift") or {}).get("ages") or ()]


def _live(run: Run, services: Services) -> dict[int, LivePoint]:
    """Runs of this kind up to this one that were compared with the run before."""
    points = live_points_of(services.store, run)
    return {number: point for number, point in points.items() if point.as_of <= run.as_of.isoformat()}


def _against(live: Mapping[int, LivePoint]) -> Component:
    """Each run against the one before it, the newest first."""
    heads = [
        Head(say("Date")),
        Head(say("Run")),
        Head(say("Against")),
        *number_heads(say("Customers of both"), say("ARI"), say("Noise reaches to"), say("Changed segment")),
        Head(say("Alert")),
    ]
    lines = [
        table_row(
            html.Span(day(date.fromisoformat(point.as_of)), className="seg-nowrap"),
            html.Td(dcc.Link(say("run {run}", run=number), href=f"{PATH}?run={number}")),
            html.Td(
                say("run {run}, {day}", run=point.against, day=day(date.fromisoformat(point.before))),
                className="seg-nowrap",
            ),
            count(point.customers),
            written(point.ari, ".3f"),
            _noise(point),
            percent(point.moved_share),
            _alert(point),
        )
        for number, point in reversed(list(live.items()))
    ]
    hint = say(
        "Both models, that of the run before and the new one, label the customers of both as they are "
        "now. Noise is that of the timeline at the same date; without one it is measured below the alarm line."
    )
    return panel(say("Runs against the runs before them"), table(say("Live runs"), heads, lines), hint=hint)


def _noise(point: LivePoint | DriftPoint) -> str:
    return NOTHING if point.noise_low is None else written(point.noise_low, ".3f")


def _alert(point: LivePoint | DriftPoint) -> Component:
    if not point.alert:
        return html.Td("")
    cause = point.cause if isinstance(point, DriftPoint) else "agreement"
    words = {
        "agreement": say("▲ alert: segments differ"),
        "population": say("▲ alert: customers changed"),
        None: say("▲ alert"),
    }
    return html.Td(words[cause], className="seg-alarm")


def frozen_on(run: Run, snapshot: Snapshot) -> date | None:
    """The day the model was frozen, as the run says, or as follows from where the snapshot's sales begin."""
    drift_info = run.info.get("drift") or {}
    if isinstance(drift_info.get("frozen_at"), str):
        return date.fromisoformat(drift_info["frozen_at"])
    first = snapshot.info.get("first_day")
    dates = cutoffs(date.fromisoformat(first), snapshot.as_of) if isinstance(first, str) else []
    return dates[0] if dates else None


def _verdict(points: Sequence[DriftPoint], threshold: float) -> list[Any]:
    alerts = [point for point in points if point.alert]
    if not alerts:
        return [
            say(
                "No alert at {dates}: the segments of then still fit.",
                dates=plural(len(points), "{n} date", "{n} dates"),
            )
        ]
    latest = alerts[-1]
    sentence = say(
        "▲ {alerts} at {dates}, the latest on {day} (ARI {ari}).",
        alerts=plural(len(alerts), "{n} alert", "{n} alerts"),
        dates=plural(len(points), "{n} date", "{n} dates"),
        day=_day(latest),
        ari=written(latest.ari, ".2f"),
    )
    return [html.Span(" ".join([sentence, *_cause_words(latest)]), className="seg-alarm")]


def _cause_words(point: DriftPoint) -> list[str]:
    """What an alert is about, where that was kept."""
    if point.cause is None:
        return []
    if point.cause == "agreement":
        return [say("A model made anew would draw the segments otherwise, and the customers have changed.")]
    moved = sorted((item for item in point.shifts if item.column != RECENCY), key=lambda item: -item.size)
    names = [say(describe(item.column).title) for item in moved if item.size >= SOME_SHIFT]
    return [say("The customers themselves have changed: {columns}.", columns=", ".join(names))]


def _advice(run: Run) -> str:
    drift_info = run.info.get("drift") or {}
    reason = drift_info.get("reason")
    return say(reason) if reason else ""


def _lead_words(run: Run, snapshot: Snapshot, points: Sequence[DriftPoint], threshold: float) -> str:
    frozen = frozen_on(run, snapshot)
    if frozen is not None:
        model = say(
            "A model with these settings, frozen on {day}, with the sales before that day, labels the customers of "
            "each later date, and so does one fitted anew.",
            day=day(frozen),
        )
    else:
        model = say(
            "A model with these settings, frozen at the start, labels the customers of each later date, and so does "
            "one fitted anew."
        )
    index = say("The adjusted Rand index says how far the two agree: 1 is the same segments, 0 what chance gives.")
    sentences = [model, *_window_words(run), index]
    if any(point.noise_low is not None for point in points):
        band = say(
            "The band is what refitting alone makes of it; an alert is below the line and below the band while the "
            "customers have changed, or a large change of the customers."
        )
        sentences.append(band)
    else:
        unknown = say(
            "An alert is below {threshold}; how far refitting alone moves it was not measured, so it may be chance.",
            threshold=f"{threshold:g}",
        )
        sentences.append(unknown)
    measured = sum(point.noise_measured for point in points)
    dates = plural(measured, "{n} date", "{n} dates")
    if 0 < measured < len(points):
        where = say("It was measured at {dates}; at the others it follows from the nearest of these.", dates=dates)
        sentences.append(where)
    return " ".join(sentences)


def _window_words(run: Run) -> list[str]:
    """How far back each date looks, and why no further; nothing where an earlier version made the run."""
    drift_info = run.info.get("drift") or {}
    if "window_days" not in drift_info:
        return []
    window, asked = drift_info["window_days"], drift_info["asked_days"]
    if window < asked:
        young = say(
            "Each date looks back over {days} days of sales, as there are too few for {asked}: seasons may show as "
            "change.",
            days=count(window),
            asked=count(asked),
        )
        return [young]
    return [say("Each date looks back over {days} days of sales.", days=count(window))]


def _shift_words(run: Run, points: Sequence[DriftPoint], line: float) -> str:
    """What the stability indices are of, and from where on they are an alert."""
    custom = say("By custom a population stability index (PSI) below 0.1 is little, above 0.25 much.")
    drift_info = run.info.get("drift") or {}
    if "recent_days" not in drift_info:
        return custom
    whom = say(
        "Who ordered in the {days} days before each date, against those before the model was frozen.",
        days=count(drift_info["recent_days"]),
    )
    alert = say(
        "From {line} on it is an alert, but for recency, which follows the calendar, if it is more than chance and "
        "customers who are as long known as those of then show it too (dotted).",
        line=f"{line:g}",
    )
    sentences = [whom, custom, alert]
    if points and points[-1].shifts and all(item.same_age_psi is None for item in points[-1].shifts):
        nobody = say(
            "No customers of the latest date are as long known as those of then, so nobody can tell a change from age, "
            "and there is no such alert."
        )
        sentences.append(nobody)
    return " ".join(sentences)


def _movement_words(points: Sequence[DriftPoint]) -> str:
    """The latest date in words: bars are about people, the line is about the model."""
    latest = points[-1]
    sentences = [
        say("Bars: customers whom the frozen model puts into another segment than at the date before: people change."),
        say("Line: customers whom a model made anew would put elsewhere: the segments themselves would change."),
    ]
    if latest.moved_share is not None and latest.model_moved is not None:
        bars, line = percent(latest.moved_share), percent(latest.model_moved)
        sentences.append(say("On {day}: {bars} and {line}.", day=_day(latest), bars=bars, line=line))
    return " ".join(sentences)


def _table(points: Sequence[DriftPoint]) -> Component:
    heads = [
        Head(say("Date")),
        *number_heads(say("Customers"), say("ARI"), say("Noise reaches to"), say("Changed segment")),
        *number_heads(say("New model moves")),
        Head(say("Alert")),
    ]
    lines = [
        table_row(
            html.Span(_day(point), className="seg-nowrap"),
            count(point.customers),
            written(point.ari, ".3f"),
            _noise(point),
            percent(point.moved_share),
            percent(point.model_moved),
            _alert(point),
        )
        for point in reversed(points)
    ]
    return table(say("Points of the timeline"), heads, lines)


def _day(point: DriftPoint) -> str:
    return day(date.fromisoformat(point.as_of))


def shift_panels(points: Sequence[DriftPoint], theme: str, currency: str) -> list[Component]:
    """A panel for each column that is watched: how far it has moved, in figures and by date."""
    shifts = figures.shift_data(points)
    if not shifts:
        return [
            html.P(say("How customers changed was not kept with this run; run its engine again."), className="seg-hint")
        ]
    top = max(0.3, 1.1 * max(float(np.nanmax([*item.psi, *item.same_age])) for item in shifts))
    panels: list[Component] = []
    for item in shifts:
        same_age = item.same_age[-1]
        sentence = say(
            "PSI {psi} ({same_age} at the same age), Cliff's delta {delta}; median {before} → {now}",
            psi=written(item.psi[-1], ".2f"),
            same_age=NOTHING if math.isnan(same_age) else written(same_age, ".2f"),
            delta=written(item.effect[-1], "+.2f"),
            before=_median(item.column, item.before, currency),
            now=_median(item.column, item.now, currency),
        )
        figure = figures.draw_shift(item, theme, top)
        chart = graph(f"drift-shift-{item.column}", f"psi-{item.column}", "170px", figure, bar=False)
        panels.append(
            html.Div(
                [html.H3(say(item.title), className="h6 mb-0"), html.P(sentence, className="seg-hint mb-0"), chart]
            )
        )
    return panels


def _median(column: str, value: float, currency: str) -> str:
    return round_money(value, currency) if describe(column).kind == "money" else written(value, ",.6g")


def register(app: Dash, services: Services) -> None:
    """One callback draws the timeline and what moved, another agreement by age, in the theme that holds."""

    @app.callback(
        Output(TIMELINE, "figure"),
        Output(MOVED, "figure"),
        Output(SHIFTS, "children"),
        Input(ids.THEME, "data"),
        State(RUN, "data"),
    )
    def draw(theme: str | None, run_id: int) -> Any:
        shade = theme or "light"
        run, points = services.store.run(run_id), services.store.drift(run_id)
        snapshot = services.store.snapshot(run.snapshot_id)
        frozen, currency = frozen_on(run, snapshot), snapshot.currency
        live = list(_live(run, services).values())
        data = figures.timeline_data(points, services.config.drift.threshold, frozen, live)
        moved_figure = figures.draw_moved(figures.moved_data(points), shade)
        return figures.draw_timeline(data, shade), moved_figure, shift_panels(points, shade, currency)

    @app.callback(Output(AGES, "figure"), Input(ids.THEME, "data"), State(RUN, "data"))
    def draw_ages(theme: str | None, run_id: int) -> Any:
        threshold = services.config.drift.threshold
        return figures.draw_ages(_ages(services.store.run(run_id)), threshold, theme or "light")
