"""How saved audiences are shown: one card each, with today's size, a bar per date, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.attributes import aria
from dashboard.components.cards import empty_state
from dashboard.frames import filters
from dashboard.i18n.numbers import NOTHING, change, count, day, plural
from dashboard.i18n.retelling import reason_of
from dashboard.i18n.texts import say
from dashboard.queries.audiences import Size, newest_run, selection_of, sizes
from dashboard.queries.which_run import engine_titles, title_of
from dashboard.services import Services
from engines.errors import InputError
from storage.contract import Run
from storage.contract.audiences import Audience


def listed(services: Services, whole: int | None = None) -> list[Component]:
    """All audiences, pinned ones first; ``whole`` is one whose every date is to be counted."""
    audiences = services.store.audiences()
    if not audiences:
        way = dcc.Link(say("Go to the segments"), href="/", className="btn btn-primary")
        sentence = say(
            "Filter customers on the Segments page and click Save as audience: the filter stays here under a name."
        )
        return [empty_state(say("No audience yet"), [sentence], [way])]
    runs = services.store.runs(state="done")
    titles = {item.dataset: title_of(item) for item in services.store.snapshots()}
    return [_card(services, each, newest_run(services, each, runs), titles, each.id == whole) for each in audiences]


def _card(services: Services, audience: Audience, run: Run | None, titles: dict[str, str], whole: bool) -> Component:
    head = [html.H2(audience.name), *([html.Span(say("pinned"), className="seg-badge")] if audience.pinned else [])]
    if run is None:
        sentence = say("There is no finished run of its data set and engine any more.")
        return _framed(audience, head, [html.P(sentence, className="seg-hint")], _buttons(audience))
    try:
        selection = selection_of(audience)
    except InputError as error:  # of an older version
        return _framed(audience, head, [html.P(reason_of(error), className="seg-hint")], _buttons(audience))
    currency = str(services.store.snapshot(run.snapshot_id).info.get("currency", ""))
    words = ", ".join(item.words for item in filters.conditions(selection, currency)) or say("everyone")
    about = f"{words} · {titles.get(run.dataset, run.dataset)} · {engine_titles().get(run.engine, run.engine)}"
    found = sizes(services, audience, every_date=whole, newest=run)
    query = filters.write_view(None, selection)
    body = [html.P(about, className="seg-hint"), *_figures(found.counted)]
    if len(found.counted) > 1:
        body.append(html.Details([html.Summary(say("Date by date")), _table(found.counted)], open=whole or None))
    if found.uncounted:
        label = say("Count {dates} as well", dates=plural(found.uncounted, "earlier date"))
        which = {"type": "audiences-count", "id": audience.id}
        body.append(html.Button(label, id=which, className="link-button audience-count"))
    links: list[Component] = [
        dcc.Link(say("Open"), href="/" + filters.write_view(run.id, selection), className="btn btn-primary btn-sm")
    ]
    now = found.counted[-1].customers if found.counted else None
    if now:
        address = f"/api/v1/runs/{run.id}/export.csv{query}"
        label = say("Export {customers}", customers=plural(now, "customer"))
        links.append(html.A(label, href=address, className="btn btn-outline-secondary btn-sm"))
    return _framed(audience, head, body, [*links, *_buttons(audience)])


def _framed(
    audience: Audience, head: list[Component], body: Sequence[Component], actions: list[Component]
) -> Component:
    return html.Section(
        [html.Div(head, className="audience-head"), *body, html.Div(actions, className="aside-actions")],
        className="seg-card audience",
        **aria(label=audience.name),
    )


def _buttons(audience: Audience) -> list[Component]:
    pin = (say("Unpin"), say("Unpin {audience}")) if audience.pinned else (say("Pin"), say("Pin {audience}"))
    named = (
        ("pin", *pin),
        ("rename", say("Rename"), say("Rename {audience}")),
        ("delete", say("Delete"), say("Delete {audience}")),
    )
    return [
        html.Button(
            words,
            id={"type": f"audiences-{action}", "id": audience.id},
            className="btn btn-outline-secondary btn-sm",
            **aria(label=label.format(audience=audience.name)),
        )
        for action, words, label in named
    ]


def _figures(found: Sequence[Size]) -> list[Component]:
    if not found:
        return []
    now = found[-1]
    parts: list[Component] = [
        html.Div(NOTHING if now.customers is None else count(now.customers), className="kpi-value")
    ]
    if now.missing:
        parts.append(html.P(_missing_words(now), className="seg-hint"))
    before = next((size for size in reversed(found[:-1]) if size.customers is not None), None)
    if before is not None and now.customers is not None:
        how, since = change(before.customers, now.customers), day(before.run.as_of)
        told = say("{change} since {day}", change=how, day=since)
        parts.append(html.Div([html.Div(told, className="kpi-change"), _spark(found)], className="kpi-way"))
    return parts


def _missing_words(size: Size) -> str:
    missing = ", ".join(say(name) for name in size.missing)
    return say("The run of {day} has no {missing}.", day=day(size.run.as_of), missing=missing)


def _spark(found: Sequence[Size]) -> Component:
    top = max((size.customers or 0 for size in found), default=0) or 1
    words = "; ".join(
        f"{day(size.run.as_of)}: {NOTHING if size.customers is None else count(size.customers)}" for size in found
    )
    bars = [
        html.Span(
            style={"height": f"{max(100 * (size.customers or 0) / top, 2):.0f}%"},
            className="now" if size is found[-1] else "",
        )
        for size in found
    ]
    label = say("{title} by date: {values}", title=say("Customers"), values=words)
    return html.Div(bars, className="spark", title=words, role="img", **aria(label=label))


def _table(found: Sequence[Size]) -> Component:
    lines = [
        html.Tr(
            [
                html.Th(day(size.run.as_of), scope="row"),
                html.Td(NOTHING if size.customers is None else count(size.customers), className="seg-number"),
                html.Td(_missing_words(size) if size.missing else ""),
            ]
        )
        for size in reversed(found)
    ]
    head = [
        html.Th(say("Date"), scope="col"),
        html.Th(say("Customers"), scope="col", className="seg-number"),
        html.Th(say("Note"), scope="col"),
    ]
    return html.Table([html.Thead(html.Tr(head)), html.Tbody(lines)], className="seg-table")
