"""What the Segments page shows for an address: every part of it, from one frame and one selection."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components import cards, elements, example, name_editor
from dashboard.components.attributes import aria
from dashboard.components.rules import rules_notice
from dashboard.components.segment_table import segment_table
from dashboard.frames import filters
from dashboard.frames.aggregates import (
    SelectionAggregates,
    Totals,
    aggregate_selection,
    everyone,
    segment_totals,
    totals_of,
)
from dashboard.frames.filters import Condition, View
from dashboard.frames.run import RunFrame
from dashboard.i18n.locales import spoken
from dashboard.i18n.numbers import NOTHING, change, count, day, is_number, money, percent, plural, short_money
from dashboard.i18n.texts import column_meaning, noted, say
from dashboard.pages.segments import customers, rail
from dashboard.pages.segments.charts import ChartInput, pictures
from dashboard.pages.segments.dialogs import pinned_audiences
from dashboard.pages.segments.side_panel import CUSTOMER, PARAMETERS, about_button
from dashboard.queries.advice import advice_on
from dashboard.queries.customer import returned_everything
from dashboard.queries.history import DatedTotals, dated_totals
from dashboard.queries.insights import growth_base, insights_in_view, sentences_of
from dashboard.queries.recent import recent_earlier_runs, recent_run
from dashboard.queries.which_run import first_run
from dashboard.services import Services
from engines.columns import CLV, MONETARY, describe
from engines.contract import NamedSegment
from storage.contract import NotFoundError, Run, Selection

_SENTENCES = 4  # more than a glance takes in; the run's own page has them all
_NO_CLV = noted("no value model ran on these customers")
_AT_RISK = noted(
    "What each customer has spent so far times its churn risk, summed: the part of today's revenue that comes from "
    "customers who may not come back."
)
Read = Callable[[Totals], float | None]
_customers, _revenue, _clv, _at_risk = map(attrgetter, ("customers", "revenue", "clv", "at_risk"))
_average_order, _average_clv = attrgetter("average_order_value"), attrgetter("average_clv")

Parts = dict[str, Any]
_Shown = tuple[SelectionAggregates, Parts]


def draw_parts(
    services: Services,
    view: View,
    selection: Selection,
    theme: str,
    drawn_run: int | None,
    charts: Collection[str],
    *,
    fresh: bool = True,
) -> Parts:
    """The parts of the page that change, by name; what is missing stays as it is.

    ``drawn_run`` is the run that the page shows already: what depends on the run alone is not sent again. ``charts``
    are the charts that can be seen. Unless ``fresh``, the run may be as it was a moment ago: while somebody filters, a
    name that somebody else has given just now can wait for the next click.
    """
    try:
        run = _run(services, view, fresh)
    except NotFoundError as error:
        return _closed(cards.empty_state(say("There is no such run"), [say(error.message)], [_link_to_published()]))
    if run is None:
        return _closed(_first_steps())
    if run.state != "done":
        return _closed(_unfinished(run))
    frame = services.frames.of(run)
    selection = filters.by_identity(selection, frame.segments)
    sums, chart_parts = _compute_parts(services, frame, selection, theme, tuple(charts))
    parts = _around(frame, view, selection, sums, frame.run.id == drawn_run)
    parts["notice"] += rules_notice(services, run, frame.snapshot)
    if frame.run.id != drawn_run:
        parts["pinned"] = pinned_audiences(services, run)
    if not sums.view.customers:
        return {**parts, "body": True, "notice": [*parts["notice"], _nothing_left(services, frame, selection)]}
    return {**parts, **chart_parts}


def _compute_parts(
    services: Services, frame: RunFrame, selection: Selection, theme: str, charts: tuple[str, ...]
) -> _Shown:
    """Sums, figures and charts, worked out once for all who ask for the same: nothing in it is anyone's own."""
    earlier = recent_earlier_runs(services, frame.run)
    runs = tuple((run.id, run.created_at, run.revision) for run in (frame.run, *earlier))

    def work_out() -> _Shown:
        views = frame.views(selection)
        sums = aggregate_selection(frame, selection, views.rest)
        if not sums.view.customers:
            return sums, {}
        rows = segment_totals(frame, sums.view)
        given = ChartInput(frame, views.mask, selection, sums.view, rows, services.config.plays, theme)
        return sums, {**_numbers(services, given, earlier), **pictures(given, charts)}

    return services.answers.get((runs, selection, theme, charts, spoken()), work_out)


def draw_chosen_charts(
    services: Services, run_id: int, selection: Selection, theme: str, charts: Collection[str]
) -> Parts:
    """Some charts alone, for a run and a selection that the page shows already."""
    frame = services.frames.get(run_id)
    selection = filters.by_identity(selection, frame.segments)
    views = frame.views(selection)
    sums = aggregate_selection(frame, selection, views.rest).view
    if not sums.customers:
        return {}
    rows = segment_totals(frame, sums)
    return pictures(ChartInput(frame, views.mask, selection, sums, rows, services.config.plays, theme), charts)


def _run(services: Services, view: View, fresh: bool) -> Run | None:
    if view.run is None:
        return first_run(services.store, services.config)
    if fresh:
        return services.store.run(view.run)
    return recent_run(services, view.run)


# --- rail, chips, address and export ----------------------------------------------------------------------------------


def _around(frame: RunFrame, view: View, selection: Selection, sums: SelectionAggregates, same_run: bool) -> Parts:
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
        "notice": [cards.alert(sentence, "warning") for sentence in view.problems],
        "body": False,
        "rail": False,
        "chips": _chips(filters.condition_texts(selection, frame.currency, filters.segment_names(frame.segments))),
        "reset": selection.is_everyone,
        "export": {
            "text": say("Export {customers}", customers=plural(sums.view.customers, "{n} customer", "{n} customers")),
            **{kind: f"{address}.{kind}{query}" for kind in ("csv", "xlsx", "parquet")},
        },
        "bar": False,
    }
    if not same_run:
        parts |= {
            "head": _head(frame),
            "columns": customers.column_definitions(frame),
            "country_group": not frame.has_country,
            "category_group": not frame.customers.categories,
            "absent": rail.absent_columns(frame),
            "reach": rail.value_ranges(frame),
        }
        parts["options"][rail.CATEGORY] = rail.category_options(frame)
    return parts


def _others(view: View) -> list[tuple[str, str]]:
    """What else is in the address, without what opens the panel: that is over once something else is asked for."""
    return [pair for pair in view.others if pair[0] not in PARAMETERS]


def _chips(conditions: Sequence[Condition]) -> list[Component]:
    """A chip for each condition in force, with a cross that removes it."""
    if not conditions:
        return [html.Span(say("No filters: everyone is in view."), className="seg-hint")]
    shown: list[Component] = []
    for item in conditions:
        label = say("Remove the filter {filter}", filter=item.words)
        shown.append(
            html.Button(
                [item.words, html.Span("×", **aria(hidden="true"))],
                id={"type": "segments-chip", "field": item.field, "value": item.value},
                className="chip",
                title=label,
                **aria(label=label),
            )
        )
    return shown


def _head(frame: RunFrame) -> list[Component]:
    through = day(frame.snapshot.as_of - timedelta(days=1))
    size, parts = (
        plural(len(frame), "{n} customer", "{n} customers"),
        plural(len(frame.segments), "{n} segment", "{n} segments"),
    )
    about = say("Sales through {day} · {customers} in {segments}", day=through, customers=size, segments=parts)
    if frame.run.fitted_on is not None and frame.run.fitted_on < len(frame):
        about = say(
            "{about}, learned from {customers}",
            about=about,
            customers=plural(frame.run.fitted_on, "{n} customer", "{n} customers"),
        )
    return [html.H1(frame.dataset, title=frame.dataset), html.P(about, className="seg-hint")]


# --- figures and tables -----------------------------------------------------------------------------------------------


def _numbers(services: Services, given: ChartInput, earlier: list[Run]) -> Parts:
    frame, selection = given.frame, given.selection
    base = growth_base(frame.run, earlier) if selection.is_everyone else None
    return {
        "kpis": kpi_row(
            totals_of(frame, given.view),
            totals_of(frame, everyone(frame)),
            frame.currency,
            frame.horizon_weeks,
            dated_totals(services.frames, earlier, selection),
            clv_interval(frame.snapshot.info) if selection.is_everyone else None,
        ),
        "insights": cards.insight_list(
            sentences_of(insights_in_view(frame, given.mask, given.view, base)[:_SENTENCES], frame.currency)
        ),
        "table": segment_table(
            given.rows,
            frame.currency,
            lambda known: {"type": "segments-pick", "name": known},
            selection.segments,
            partial(_beside, frame.run.id),
            lambda segment: advice_on(segment, services.config.plays, frame.currency).why,
        ),
    }


def _beside(run_id: int, segment: NamedSegment) -> Component:
    """What stands beside a segment's name: the pencil, and what opens all about it."""
    return elements.Span(
        [name_editor.pencil("segments", run_id, segment), about_button(segment)], className="text-nowrap"
    )


# --- key figures ------------------------------------------------------------------------------------------------------


class KeyFigure(NamedTuple):
    """One key figure: how it is read off totals, written short and in full, what it means, and how it stands to all."""

    title: str
    read: Read
    short: Callable[[float | None], str]
    full: Callable[[float | None], str]
    help: str
    note: str


def kpi(
    title: str, value: str, note: str, *, exact: str = "", help: str = "", more: Sequence[Component] = ()
) -> Component:
    """One key figure: what it is, the figure (the exact one on hover), how it stands to the whole, and what follows."""
    shown = elements.Div(value, className="kpi-value", title=exact or value)
    return elements.Div(
        [
            elements.Div(title, className="kpi-title", title=help),
            shown,
            elements.Div(note, className="kpi-note"),
            *more,
        ],
        className="kpi seg-card",
    )


def kpi_skeleton() -> Component:
    """The place of a key figure that is still to come."""
    return html.Div(
        [html.Div("\u00a0", className=f"kpi-{part} skeleton") for part in ("title", "value", "note")],
        className="kpi seg-card",
        **aria(hidden="true"),
    )


def skeleton(lines: int, name: str = "") -> Component:
    """The place of a card or table of so many lines that is still to come: what stands below need not move then."""
    return html.Div(
        [html.Div("\u00a0", className="skeleton") for _ in range(lines)], className=name, **aria(hidden="true")
    )


def kpi_row(
    some: Totals,
    everyone: Totals,
    currency: str,
    horizon_weeks: int | None = None,
    before: Sequence[DatedTotals] = (),
    interval: tuple[float, float] | None = None,
) -> list[Component]:
    """The key figures of the customers in view beside those of all customers of the run.

    ``before``: the same selection on earlier dates, the oldest first. ``interval``: of the total CLV in view, where it
    is known.
    """
    figures = key_figures(some, everyone, currency, horizon_weeks, interval)
    return [
        kpi(
            item.title,
            item.short(item.read(some)),
            item.note,
            exact=item.full(item.read(some)),
            help=item.help,
            more=_change(item, some, before),
        )
        for item in figures
    ]


def key_figures(
    some: Totals,
    everyone: Totals,
    currency: str,
    horizon_weeks: int | None = None,
    interval: tuple[float, float] | None = None,
) -> list[KeyFigure]:
    """The key figures in the order of the row."""

    def short(value: float | None) -> str:
        return short_money(value, currency)

    def full(value: float | None) -> str:
        return money(value, currency)

    ahead = say("next {weeks} weeks", weeks=horizon_weeks) if horizon_weeks else say("in the horizon")
    same = some == everyone

    def share(read: Read) -> str:
        return _share(read(some), read(everyone), same)

    def beside(read: Read) -> str:
        return _beside_all(read(some), read(everyone), short, same)

    return [
        KeyFigure(
            say("Customers"), _customers, count, count, say("Customers that meet the filters."), share(_customers)
        ),
        KeyFigure(say("Revenue"), _revenue, short, full, column_meaning(describe(MONETARY)), share(_revenue)),
        KeyFigure(
            say("Average order"),
            _average_order,
            short,
            full,
            say(
                "Revenue divided by the number of orders: {orders}.",
                orders=plural(some.orders, "{n} order", "{n} orders"),
            ),
            beside(_average_order),
        ),
        KeyFigure(
            say("Average CLV"),
            _average_clv,
            short,
            full,
            say(
                "{meaning} Mean of the customers in view, {ahead}.", meaning=column_meaning(describe(CLV)), ahead=ahead
            ),
            say(_NO_CLV) if some.clv is None else _ranged(interval, some.customers, short) or beside(_average_clv),
        ),
        KeyFigure(
            say("Total CLV"),
            _clv,
            short,
            full,
            say("What these customers together are likely to spend, {ahead}, in today's money.", ahead=ahead),
            say(_NO_CLV) if some.clv is None else _ranged(interval, 1, short) or f"{share(_clv)}, {ahead}",
        ),
        KeyFigure(
            say("Revenue at risk"),
            _at_risk,
            short,
            full,
            f"{say(_AT_RISK)} {_known_risk(some)}",
            say("no churn risk is known")
            if some.at_risk is None
            else say("{share} of revenue", share=percent(some.at_risk / some.revenue) if some.revenue > 0 else NOTHING),
        ),
    ]


def _known_risk(some: Totals) -> str:
    if some.risk_known >= some.customers:
        return ""
    unknown = plural(some.customers - some.risk_known, "{n} customer", "{n} customers")
    return say("The risk of {customers} is unknown; they are left out.", customers=unknown)


def _ranged(interval: tuple[float, float] | None, by: int, short: Callable[[float | None], str]) -> str:
    if interval is None or not by:
        return ""
    low, high = (value / by for value in interval)
    return say("{low} to {high}", low=short(low), high=short(high))


def _share(part: float | None, whole: float | None, is_all: bool) -> str:
    if is_all:
        return say("all customers")
    return say("{share} of all", share=percent(part / whole)) if is_number(part) and whole else NOTHING


def _beside_all(part: float | None, whole: float | None, short: Callable[[float | None], str], is_all: bool) -> str:
    if is_all or not is_number(part) or not is_number(whole):
        return say("all customers")
    return say("{value} over all", value=short(whole))


# --- its change up to now ---------------------------------------------------------------------------------------------


def _change(item: KeyFigure, now: Totals, before: Sequence[DatedTotals]) -> list[Component]:
    """The change since the latest earlier date, and a bar for each date."""
    if not before:
        return []
    last, value = item.read(before[-1].totals), item.read(now)
    since = day(before[-1].as_of)
    against = say("Against {day}: {value}", day=since, value=item.full(last))
    since_then = elements.Div(change(last, value), className="kpi-change", title=against)
    by_date = [*((moment.as_of, item.read(moment.totals)) for moment in before), (None, value)]
    heights = [max(float(number), 0.0) if is_number(number) else 0.0 for _, number in by_date]
    if max(heights) <= 0:
        return [since_then]
    today = say("now")
    words = ", ".join(f"{day(at) if at else today}: {item.full(number)}" for at, number in by_date)
    return [elements.Div([since_then, cards.spark(item.title, heights, words)], className="kpi-way")]


def clv_interval(info: Mapping[str, Any]) -> tuple[float, float] | None:
    """The interval around everyone's total CLV, where the snapshot's value model has left one."""
    value = info.get("value") or {}
    low, high = (value.get("total") or {}).get("clv_range") or (value.get("total_clv_low"), value.get("total_clv_high"))
    return (float(low), float(high)) if is_number(low) and is_number(high) else None


# --- when there is nothing to show ------------------------------------------------------------------------------------


def _closed(notice: Component) -> Parts:
    return {"notice": notice, "body": True, "rail": True, "bar": True, "drawn": None, "head": []}


def _link_to_published() -> Component:
    return dcc.Link(say("Show the published run"), href="/", className="btn btn-primary")


def _first_steps() -> Component:
    return cards.empty_state(
        say("No customers yet"),
        [
            say("Segments appear here once a file of sales has been read."),
            dcc.Link(say("Add sales"), href="/data", className="btn btn-primary"),
            say("Or have a look first:"),
        ],
        [
            *example.offer(),
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
            [say(run.error) if run.error else say("No reason was recorded.")],
            [_link_to_published()],
        )
    words = {
        "queued": say("Run {run} is waiting to be worked on", run=run.id),
        "running": say("Run {run} is being worked on", run=run.id),
        "cancelled": say("Run {run} was cancelled", run=run.id),
    }
    return cards.empty_state(
        words[run.state],
        [say("Its segments can be seen once it is finished.")] if run.state != "cancelled" else [],
        [_link_to_published()],
    )


def _nothing_left(services: Services, frame: RunFrame, selection: Selection) -> Component:
    """Which filter empties the view, and a button to drop it; or that who is looked for returned everything."""
    if selection.q and (found := returned_everything(services, frame.run, selection.q.strip())):
        address = filters.write_view(frame.run.id, selection, [(CUSTOMER, found.customer_id)])
        return cards.empty_state(
            say("Customer {customer} returned everything", customer=found.customer_id),
            [
                say(
                    "They bought for {gross}, and {returned} of it came back: nothing is left to put in a segment.",
                    gross=money(found.gross, frame.currency),
                    returned=money(found.returned, frame.currency),
                )
            ],
            [dcc.Link(say("See their orders"), href=address, className="btn btn-primary")],
        )
    remedies = filters.remedies(frame, selection)
    if not remedies:
        sentence = say("No single filter is to blame: only taking several away brings customers back.")
        return cards.empty_state(say("No customer meets these filters"), [sentence, say("Reset them to start again.")])
    first = remedies[0]
    alone = len(filters.condition_texts(selection, frame.currency, filters.segment_names(frame.segments))) == 1
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
                    customers=plural(item.customers, "{n} customer", "{n} customers"),
                ),
                id={"type": "segments-drop", "field": item.condition.field},
                className="btn btn-primary" if item is first else "btn btn-outline-secondary",
            )
            for item in remedies[:3]
        ],
    )
