"""What the Segments page shows for an address: every part of it, from one frame and one selection."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from functools import partial
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components import cards, name_editor
from dashboard.components import example as demo
from dashboard.components import html as plain
from dashboard.components.chips import chips
from dashboard.frames import filters
from dashboard.frames.filters import View
from dashboard.frames.run import RunFrame
from dashboard.frames.sums import Tallies, everyone, segment_totals, tallies, totals, totals_of
from dashboard.i18n.locales import spoken
from dashboard.i18n.numbers import day, plural
from dashboard.i18n.retelling import reason_of, retold
from dashboard.i18n.texts import say
from dashboard.pages.segments import audience_window as audience_saver
from dashboard.pages.segments import customers as customer_table
from dashboard.pages.segments import rail
from dashboard.pages.segments import side_panel as asides
from dashboard.pages.segments.charts import Ask, pictures
from dashboard.pages.segments.key_figures import clv_interval, kpi_row
from dashboard.queries.history import moments
from dashboard.queries.insights import growth_base, insights_in_view, told
from dashboard.queries.recent import recent_earlier_runs, recent_run
from dashboard.queries.which_run import first_run
from dashboard.services import Services
from engines.contract import NamedSegment
from storage.contract import NotFoundError, Run, Selection

_SENTENCES = 4  # more than a glance takes in; the run's own page has them all

Parts = dict[str, Any]
Answer = tuple[Tallies, Parts]


def desk(
    services: Services,
    view: View,
    selection: Selection,
    theme: str,
    prefix: str,
    drawn_run: int | None,
    wanted: Collection[str],
    *,
    fresh: bool = True,
) -> Parts:
    """The parts of the page that change, by name; what is missing stays as it is.

    ``drawn_run`` is the run that the page shows already: what depends on the run alone is not sent again. ``wanted``
    are the charts that can be seen. Unless ``fresh``, the run may be as it was a moment ago: while somebody filters, a
    name that somebody else has given just now can wait for the next click.
    """
    try:
        run = _run(services, view, fresh)
    except NotFoundError as error:
        return _closed(cards.empty_state(say("There is no such run"), [reason_of(error)], [_begin_again()]))
    if run is None:
        return _closed(_first_steps())
    if run.state != "done":
        return _closed(_unfinished(run))
    frame = services.frames.of(run)
    sums, found = _answer(services, frame, selection, theme, prefix, tuple(wanted))
    parts = _around(frame, view, selection, sums, prefix, frame.run.id == drawn_run)
    if frame.run.id != drawn_run:
        parts["pinned"] = audience_saver.chips(services, run)
    if not sums.view.customers:
        return {**parts, "body": True, "notice": [parts["notice"], _nothing_left(frame, selection, prefix)]}
    return {**parts, **found}


def _answer(
    services: Services, frame: RunFrame, selection: Selection, theme: str, prefix: str, wanted: tuple[str, ...]
) -> Answer:
    """Sums, figures and charts, worked out once for all who ask for the same: nothing in it is anyone's own."""
    earlier = recent_earlier_runs(services, frame.run)
    runs = tuple((run.id, run.created_at, run.revision) for run in (frame.run, *earlier))

    def work_out() -> Answer:
        views = frame.views(selection)
        sums = tallies(frame, selection, views.rest)
        if not sums.view.customers:
            return sums, {}
        rows = segment_totals(frame, sums.view)
        ask = Ask(frame, views.mask, selection, sums.view, rows, services.config.plays, theme)
        return sums, {**_numbers(services, ask, prefix, earlier), **pictures(ask, wanted)}

    return services.answers.get((runs, selection, theme, prefix, wanted, spoken()), work_out)


def charts_of(services: Services, run_id: int, selection: Selection, theme: str, wanted: Collection[str]) -> Parts:
    """Some charts alone, for a run and a selection that the page shows already."""
    frame = services.frames.get(run_id)
    views = frame.views(selection)
    sums = tallies(frame, selection, views.rest).view
    if not sums.customers:
        return {}
    rows = segment_totals(frame, sums)
    return pictures(Ask(frame, views.mask, selection, sums, rows, services.config.plays, theme), wanted)


def _run(services: Services, view: View, fresh: bool) -> Run | None:
    if view.run is None:
        return first_run(services.store, services.config)
    if fresh:
        return services.store.run(view.run)
    return recent_run(services, view.run)


# --- rail, chips, address and export ----------------------------------------------------------------------------------


def _around(frame: RunFrame, view: View, selection: Selection, sums: Tallies, prefix: str, same_run: bool) -> Parts:
    customers = sums.view.customers
    query = filters.write_view(None, selection)
    address = f"/api/v1/runs/{frame.run.id}/export"
    parts: Parts = {
        "drawn": {
            "run": frame.run.id,
            "query": query,
            "problems": list(view.problems),
            "address": filters.write_view(frame.run.id, selection, _others(view)),
        },
        "options": {
            "segments": rail.segment_options(frame, sums.any_segment),
            "countries": rail.country_options(frame, sums.any_country, selection.countries),
        },
        "notice": [cards.warning(sentence) for sentence in view.problems],
        "body": False,
        "rail": False,
        "chips": chips(filters.conditions(selection, frame.currency), prefix),
        "reset": selection.is_everyone,
        "export": {
            "text": say("Export {customers}", customers=plural(customers, "customer")),
            **{kind: f"{address}.{kind}{query}" for kind in ("csv", "xlsx", "parquet")},
        },
        "bar": False,
    }
    if not same_run:
        parts |= {
            "head": _head(frame),
            "columns": customer_table.columns(frame),
            "country_group": not frame.has_country,
            "category_group": not frame.customers.categories,
            "absent": rail.absent(frame),
            "reach": rail.reach(frame),
        }
        parts["options"][rail.CATEGORY] = rail.category_options(frame)
    return parts


def _others(view: View) -> list[tuple[str, str]]:
    """What else is in the address, without what opens the panel: that is over once something else is asked for."""
    return [pair for pair in view.others if pair[0] not in asides.PARAMETERS]


def _head(frame: RunFrame) -> list[Component]:
    through = day(frame.snapshot.as_of - timedelta(days=1))
    customers, parts = plural(len(frame), "customer"), plural(len(frame.segments), "segment")
    about = say("Sales through {day} · {customers} in {segments}", day=through, customers=customers, segments=parts)
    if frame.run.fitted_on is not None and frame.run.fitted_on < len(frame):
        about = say("{about}, learned from {customers}", about=about, customers=plural(frame.run.fitted_on, "customer"))
    return [html.H1(frame.dataset, title=frame.dataset), html.P(about, className="seg-hint")]


# --- figures and tables -----------------------------------------------------------------------------------------------


def _numbers(services: Services, ask: Ask, prefix: str, earlier: list[Run]) -> Parts:
    frame, selection = ask.frame, ask.selection
    all_of_them = frame.remembered("everyone", lambda: totals_of(frame, everyone(frame)))
    base = growth_base(earlier) if selection.is_everyone else None
    return {
        "kpis": kpi_row(
            totals(ask.rows, valued=frame.has_clv),
            all_of_them,
            frame.currency,
            frame.horizon_weeks,
            moments(services.frames, earlier, selection),
            clv_interval(frame.snapshot.info) if selection.is_everyone else None,
        ),
        "insights": cards.insight_list(
            told(insights_in_view(frame, ask.mask, ask.view, base)[:_SENTENCES], frame.currency)
        ),
        "table": cards.segment_table(
            ask.rows,
            frame.currency,
            lambda name: {"type": f"{prefix}-pick", "name": name},
            selection.segments,
            partial(_beside, prefix, frame.run.id),
        ),
    }


def _beside(prefix: str, run_id: int, segment: NamedSegment) -> Component:
    """What stands beside a segment's name: the pencil, and what opens all about it."""
    return plain.Span([name_editor.pencil(prefix, run_id, segment), asides.opener(segment)], className="text-nowrap")


# --- when there is nothing to show ------------------------------------------------------------------------------------


def _closed(notice: Component) -> Parts:
    return {"notice": notice, "body": True, "rail": True, "bar": True, "drawn": None, "head": []}


def _begin_again() -> Component:
    return dcc.Link(say("Show the newest run"), href="/", className="btn btn-primary")


def _first_steps() -> Component:
    return cards.empty_state(
        say("No customers yet"),
        [
            say("Segments appear here once a file of sales has been read."),
            dcc.Link(say("Add sales"), href="/data", className="btn btn-primary"),
            say("Or have a look first:"),
        ],
        [
            *demo.offer(),
            html.P(say("In a terminal:")),
            html.Dl(
                [
                    html.Dt(html.Code("make demo")),
                    html.Dd(say("loads two example shops and segments them")),
                    html.Dt(html.Code("segmentry run sales.csv")),
                    html.Dd(say("reads your own sales: CSV, Excel or Parquet")),
                ]
            ),
        ],
    )


def _unfinished(run: Run) -> Component:
    if run.state == "failed":
        return cards.empty_state(
            say("Run {run} failed", run=run.id),
            [retold(run.error) if run.error else say("No reason was recorded.")],
            [_begin_again()],
        )
    words = {
        "queued": say("Run {run} is waiting to be worked on", run=run.id),
        "running": say("Run {run} is being worked on", run=run.id),
        "cancelled": say("Run {run} was cancelled", run=run.id),
    }
    return cards.empty_state(
        words[run.state],
        [say("Its segments can be seen once it is finished.")] if run.state != "cancelled" else [],
        [_begin_again()],
    )


def _nothing_left(frame: RunFrame, selection: Selection, prefix: str) -> Component:
    """Which filter empties the view, and a button to drop it."""
    found = filters.remedies(frame, selection)
    if not found:
        sentence = say("No single filter is to blame: only taking several away brings customers back.")
        return cards.empty_state(say("No customer meets these filters"), [sentence, say("Reset them to start again.")])
    first = found[0]
    alone = len(filters.conditions(selection, frame.currency)) == 1
    sentence = (
        say("Nobody meets “{filter}”.", filter=first.condition.words)
        if alone
        else say("Nobody meets “{filter}” together with the other filters.", filter=first.condition.words)
    )
    return cards.empty_state(
        say("No customer meets these filters"),
        [sentence],
        [
            html.Button(
                say(
                    "Drop “{filter}” ({customers})",
                    filter=item.condition.words,
                    customers=plural(item.customers, "customer"),
                ),
                id={"type": f"{prefix}-drop", "field": item.condition.field},
                className="btn btn-primary" if item is first else "btn btn-outline-secondary",
            )
            for item in found[:3]
        ],
    )
