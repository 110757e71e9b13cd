"""What the Segments page shows for an address: every part of it, from one frame and one selection."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from dash import dcc, html
from dash.development.base_component import Component

from dashboard import cards, customer_table, filters, name_editor
from dashboard.context import first_run
from dashboard.figures import clouds, empty, graph_config
from dashboard.figures import segments as charts
from dashboard.filters import View
from dashboard.findings import growth_base, insights_in_view, told
from dashboard.numbers import day, plural
from dashboard.run_frame import Mask, RunFrame
from dashboard.services import Services
from dashboard.totals import Totals, segment_totals, totals
from engines.columns import CLV
from engines.insights import Earlier
from storage.contract import NotFoundError, Run, Selection


class Chart(NamedTuple):
    """A chart of the page: its name among the parts, its title, and what its picture is called when it is kept."""

    name: str
    title: str
    picture: str

    @property
    def graph(self) -> str:
        """The id of the graph."""
        return f"segments-{self.name}"

    @property
    def words(self) -> str:
        """The id of what the chart shows in words."""
        return f"segments-{self.name}-words"


ACTIVITY = Chart("activity", "Recency and frequency by segment", "recency-frequency")
VALUE = Chart("value", "Spend so far and CLV by segment", "spend-clv")
BOXES = Chart("boxes", "CLV by segment", "clv-by-segment")
COUNTRIES = Chart("countries", "Revenue by country", "revenue-by-country")
CHARTS = (ACTIVITY, VALUE, BOXES, COUNTRIES)


_SENTENCES = 4  # more than a glance takes in; the run's own page has them all

HIDDEN = {"display": "none"}
SEEN: dict[str, str] = {}

Parts = dict[str, Any]


def desk(services: Services, view: View, selection: Selection, theme: str, prefix: str, drawn_run: int | None) -> Parts:
    """The parts of the page that change, by name; what is missing stays as it is.

    ``drawn_run`` is the run that the page shows already: what depends on the run alone is not sent again.
    """
    try:
        run = _run(services, view)
    except NotFoundError as error:
        return _closed(cards.empty_state("There is no such run", [str(error)], [_begin_again()]))
    if run is None:
        return _closed(_first_steps())
    if run.state != "done":
        return _closed(_unfinished(run))
    frame = services.frames.get(run.id)
    mask = frame.mask(selection)
    parts = _around(frame, view, selection, mask, prefix, frame.run.id == drawn_run)
    if not mask.any():
        return {**parts, "body": True, "notice": [parts["notice"], _nothing_left(frame, selection, prefix)]}
    earlier = growth_base(services.store, frame.run) if selection.is_everyone else None
    return {**parts, **_numbers(frame, selection, mask, prefix, earlier), **pictures(frame, mask, theme)}


def _run(services: Services, view: View) -> Run | None:
    return first_run(services.store, services.config) if view.run is None else services.store.run(view.run)


# --- rail, chips, address and export ----------------------------------------------------------------------------------


def _around(frame: RunFrame, view: View, selection: Selection, mask: Mask, prefix: str, same_run: bool) -> Parts:
    customers = int(np.count_nonzero(mask))
    query = filters.write_view(None, selection)
    address = f"/api/v1/runs/{frame.run.id}/export"
    parts: Parts = {
        "drawn": {
            "run": frame.run.id,
            "query": query,
            "problems": list(view.problems),
            "address": filters.write_view(frame.run.id, selection, view.others),
        },
        "options": {
            "segments": filters.segment_options(frame, frame.mask_but(selection, "segments")),
            "countries": filters.country_options(frame, frame.mask_but(selection, "countries"), selection.countries),
        },
        "notice": [cards.warning(sentence) for sentence in view.problems],
        "body": False,
        "rail": False,
        "chips": filters.chips(filters.conditions(selection, frame.currency), prefix),
        "reset": selection.is_everyone,
        "export": {
            "text": f"Export {plural(customers, 'customer')}",
            **{kind: f"{address}.{kind}{query}" for kind in ("csv", "xlsx", "parquet")},
        },
        "bar": False,
    }
    if not same_run:
        parts |= {
            "head": _head(frame),
            "columns": customer_table.columns(frame),
            "country_group": not frame.has_country,
        }
    return parts


def _head(frame: RunFrame) -> list[Component]:
    through = day(frame.snapshot.as_of - timedelta(days=1))
    about = f"Sales through {through} · {plural(len(frame), 'customer')} in {plural(len(frame.segments), 'segment')}"
    if frame.run.fitted_on is not None and frame.run.fitted_on < len(frame):
        about += f", learned from {plural(frame.run.fitted_on, 'customer')}"
    return [html.H1(frame.dataset, title=frame.dataset), html.P(about, className="seg-hint")]


# --- figures and tables -----------------------------------------------------------------------------------------------


def _numbers(frame: RunFrame, selection: Selection, mask: Mask, prefix: str, earlier: Earlier | None) -> Parts:
    rows = segment_totals(frame, mask)
    everyone = frame.remembered("everyone", lambda: _all_together(frame, np.ones(len(frame), dtype=bool)))
    return {
        "kpis": cards.kpi_row(totals(rows, valued=frame.has_clv), everyone, frame.currency, frame.horizon_weeks),
        "insights": cards.insight_list(told(insights_in_view(frame, mask, earlier)[:_SENTENCES], frame.currency)),
        "table": cards.segment_table(
            rows,
            frame.currency,
            lambda name: {"type": f"{prefix}-pick", "name": name},
            selection.segments,
            partial(name_editor.pencil, prefix, frame.run.id),
        ),
    }


def _all_together(frame: RunFrame, mask: Mask) -> Totals:
    return totals(segment_totals(frame, mask), valued=frame.has_clv)


_NO_CLV = "These customers have not been valued, so there is no CLV to show."
_NO_COUNTRY = "These sales do not say where customers live, so this chart steps aside."


def pictures(frame: RunFrame, mask: Mask, theme: str) -> Parts:
    """The charts, their words, and whether they are in sight; one whose column is not there says so instead."""
    drawn: dict[str, tuple[go.Figure, str] | str] = {
        ACTIVITY.name: _cloud(frame, mask, theme, clouds.RECENCY_FREQUENCY),
        VALUE.name: _cloud(frame, mask, theme, clouds.SPEND_CLV) if frame.has_clv else _NO_CLV,
        BOXES.name: _picture(charts.box_data(frame, mask, CLV), charts.draw_boxes, charts.box_words, theme)
        if frame.has_clv
        else _NO_CLV,
        COUNTRIES.name: _picture(charts.country_data(frame, mask), charts.draw_countries, charts.country_words, theme)
        if frame.has_country
        else _NO_COUNTRY,
    }
    there = {name: item for name, item in drawn.items() if not isinstance(item, str)}
    return {
        "figures": {name: item[0] for name, item in there.items()},
        "words": {name: item if isinstance(item, str) else item[1] for name, item in drawn.items()},
        "styles": {name: SEEN if name in there else HIDDEN for name in drawn},
    }


def _cloud(frame: RunFrame, mask: Mask, theme: str, pair: tuple[str, str]) -> tuple[go.Figure, str]:
    return _picture(clouds.cloud_data(frame, mask, *pair), clouds.draw_cloud, clouds.cloud_words, theme)


def _picture(
    data: Any, draw: Callable[[Any, str], go.Figure], words: Callable[[Any], str], theme: str
) -> tuple[go.Figure, str]:
    return draw(data, theme), words(data)


# --- when there is nothing to show ------------------------------------------------------------------------------------


def _closed(notice: Component) -> Parts:
    return {"notice": notice, "body": True, "rail": True, "bar": True, "drawn": None, "head": []}


def _begin_again() -> Component:
    return dcc.Link("Show the newest run", href="/", className="btn btn-primary")


def _first_steps() -> Component:
    return cards.empty_state(
        "No customers yet",
        [
            "Segments appear here once a file of sales has been read.",
            dcc.Link("Add sales", href="/data", className="btn btn-primary"),
            "Or in a terminal:",
        ],
        [
            html.Dl(
                [
                    html.Dt(html.Code("make demo")),
                    html.Dd("loads two example shops and segments them"),
                    html.Dt(html.Code("segmentry run sales.csv")),
                    html.Dd("reads your own sales: CSV, Excel or Parquet"),
                ]
            ),
            html.P("Then load this page again."),
        ],
    )


def _unfinished(run: Run) -> Component:
    if run.state == "failed":
        return cards.empty_state(f"Run {run.id} failed", [run.error or "No reason was recorded."], [_begin_again()])
    words = {"queued": "is waiting to be worked on", "running": "is being worked on", "cancelled": "was cancelled"}
    return cards.empty_state(
        f"Run {run.id} {words[run.state]}",
        ["Its segments can be seen once it is finished."] if run.state != "cancelled" else [],
        [_begin_again()],
    )


def _nothing_left(frame: RunFrame, selection: Selection, prefix: str) -> Component:
    """Which filter empties the view, and a button to drop it."""
    found = filters.remedies(frame, selection)
    if not found:
        sentence = "No single filter is to blame: only taking several away brings customers back."
        return cards.empty_state("No customer meets these filters", [sentence, "Reset them to start again."])
    first = found[0]
    alone = len(filters.conditions(selection, frame.currency)) == 1
    sentence = f"Nobody meets “{first.condition.words}”"
    sentence += "." if alone else " together with the other filters."
    return cards.empty_state(
        "No customer meets these filters",
        [sentence],
        [
            html.Button(
                f"Drop “{item.condition.words}” ({plural(item.customers, 'customer')})",
                id={"type": f"{prefix}-drop", "field": item.condition.field},
                className="btn btn-primary" if item is first else "btn btn-outline-secondary",
            )
            for item in found[:3]
        ],
    )


# --- the places of the charts ---


def panel(chart: Chart) -> Component:
    """The place of a chart: title, words, and a graph that is still empty."""
    title_id = f"{chart.graph}-title"
    graph = dcc.Graph(
        id=chart.graph, figure=empty("", "light"), config=graph_config(f"segmentry-{chart.picture}"), className="chart"
    )
    return html.Figure(
        [
            html.H2(chart.title, id=title_id),
            html.Figcaption(id=chart.words, className="seg-hint"),
            dcc.Loading(graph, delay_show=400, overlay_style={"visibility": "visible", "opacity": 0.5}, type="dot"),
        ],
        className="seg-card",
        **{"aria-labelledby": title_id, "aria-describedby": chart.words},
    )
