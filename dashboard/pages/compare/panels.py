"""The boxes of the Compare page: metrics, aligned segments, the recommendation, and charts with their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal
from urllib.parse import urlencode

import numpy as np
from dash import html
from dash.development.base_component import Component

from dashboard.components import cards
from dashboard.components.attributes import aria
from dashboard.components.panels import file_links, graph, panel, picture_buttons
from dashboard.components.tables import Head, number_cell, number_heads, scroll, simple_table, table, table_row
from dashboard.figures import comparison as figures
from dashboard.figures.migration import draw_sankey
from dashboard.i18n.numbers import NOTHING, count, day, percent, plural, short_money, written
from dashboard.i18n.texts import column_title, noted, say, say_number, segment_name
from dashboard.queries.comparison import (
    BETTER,
    FEWEST,
    SORTED_BY,
    Aligned,
    Comparison,
    RevenueCapture,
    Row,
    Slot,
    aligned_segments,
    comparison_rows,
    cross_money,
    cross_table,
    memory_meaning,
    places,
    plain_sortings,
    revenue_capture,
    value_text,
    verdict_of,
)
from dashboard.queries.comparison_tables import ComparisonTable, comparison_table, cross
from dashboard.queries.disagreement import Disagreement
from engines.columns import COUNTRY, CUSTOMER_ID, DICTIONARY, FIRST
from engines.contract import NamedSegment
from engines.evaluation.holdout import TOP
from engines.evaluation.verdict import Verdict
from storage.contract import Run

HEIGHT = "400px"
_SHOWN = 10


# --- charts -----------------------------------------------------------------------------------------------------------


def _chart(name: str, title: str, hint: str, figure: Any, numbers: ComparisonTable, files: str) -> Component:
    """A chart with its title, and below it the same numbers as a table, as pictures and as files."""
    file = f"segmentry-{name}"  # pictures are below, and a drag zooms: no toolbar
    return html.Section(
        [
            html.H2(title, id=f"{name}-title"),
            html.P(hint, className="seg-hint mb-1"),
            graph(name, file, HEIGHT, figure, bar=False),
            html.Div(
                [
                    html.Div([*picture_buttons(name, file), *file_links(files)], className="seg-files"),
                    html.Details([html.Summary(say("Show as table")), _numbers(title, numbers)]),
                ],
                className="seg-foot",
            ),
        ],
        className="seg-card seg-figure",
    )


def _files(files: str) -> Component:
    """The numbers of a panel as files."""
    return html.Div(html.Div(file_links(files), className="seg-files"), className="seg-foot")


def _numbers(title: str, numbers: ComparisonTable, most: int = 200) -> Component:
    """Numbers as they are read, the first rows of many."""
    right = [not any(isinstance(row[place], str) for row in numbers.rows) for place in range(len(numbers.head))]
    heads = [Head(say(text), is_number) for text, is_number in zip(numbers.head, right, strict=True)]
    lines = [
        html.Tr(
            [
                number_cell(segment_name(text)) if is_number else html.Td(segment_name(text))
                for text, is_number in zip(numbers.shown(row), right, strict=True)
            ]
        )
        for row in numbers.rows[:most]
    ]
    shown = [simple_table(heads, lines)]
    if (left := len(numbers.rows) - most) > 0:
        shown.append(
            html.P(
                say("{rows} in the file.", rows=plural(left, "{n} further row", "{n} further rows")),
                className="seg-hint",
            )
        )
    return scroll(title, *shown)


def part_address(name: str, runs: Sequence[Run]) -> str:
    """Where a part of the comparison of runs is as a file; ``{kind}`` is left to be filled in."""
    return f"/api/v1/compare/{name}.{{kind}}?{urlencode([('run', run.id) for run in runs])}"


# --- the recommendation -----------------------------------------------------------------------------------------------


def _recommendation(verdict: Verdict) -> Component:
    """Which run to work with, why, what speaks against it, and what was weighed."""
    parts: list[Component] = [
        html.H2(say("Which run to work with")),
        html.P(say(verdict.headline), className="mb-2 fw-semibold"),
    ]
    for title, sentences in (
        (say("Why"), verdict.reasons),
        (say("But"), verdict.against),
        (say("Mind"), verdict.cautions),
    ):
        if sentences:
            parts.append(html.Div(title, className="seg-hint fw-semibold"))
            parts.append(html.Ul([html.Li(say(text)) for text in sentences], className="mb-2"))
    if verdict.plain_sorting:
        parts.append(html.Div(say("Against plain sorting"), className="seg-hint fw-semibold"))
        parts.append(html.P(say(verdict.plain_sorting), className="mb-2"))
    weighed = ", ".join(f"{say(title)} {percent(weight)}" for title, weight in verdict.considered.items())
    considered = say("Weighed: {weighed}.", weighed=weighed) if weighed else ""
    silhouette = say("Silhouettes are left out: each is measured in its own engine's feature space.")
    parts.append(
        html.P(
            " ".join([*filter(None, [considered]), *map(say, verdict.missing), silhouette]),
            className="seg-hint mb-0",
        )
    )
    return html.Section(parts, className="seg-card seg-verdict", id="compare-verdict")


# --- metrics ----------------------------------------------------------------------------------------------------------


def _metric_table(runs: Sequence[Run], labels: Sequence[str]) -> Component:
    """One row per question, one column of equal width per run, the best marked where it may be compared."""
    heads = [Head(""), *number_heads(*labels)]
    body = [_line(row, runs) for row in comparison_rows(runs)]
    return table(say("Metrics and settings of the runs"), heads, body, "seg-equal")


def _line(row: Row, runs: Sequence[Run]) -> Component:
    title = say("Setting: {name}", name=row.name) if row.kind == "setting" else say(row.title)
    meaning = say(row.meaning) if row.meaning else ""
    parts: list[Any] = [title]
    if row.kind == "metric" or row.best:
        way = say(BETTER[row.better])
        if not row.one_space:
            way = say("{better}, within one feature space only", better=way)
        parts.append(html.Div(way, className="seg-hint fw-normal"))
    wrap = "text-wrap " if row.kind in ("text", "setting") else ""
    cells = []
    for place, (run, value) in enumerate(zip(runs, row.values, strict=True)):
        text, best = value_text(row, value), place in row.best
        shown = [text, html.Span(" ★", **aria(label=say("best")))] if best else text
        hover = memory_meaning(run) if row.kind == "bytes" else meaning
        cells.append(number_cell(shown, f"{wrap}{'seg-best' if best else ''}", hover))
    return html.Tr([html.Th(parts, scope="row", title=meaning), *cells])


# --- aligned segments -------------------------------------------------------------------------------------------------


def _aligned_table(sizes: Aligned, labels: Sequence[str]) -> Component:
    """The segments of all runs, those of the same customers in one row."""
    lines = [html.Tr([_slot(slot) for slot in row]) for row in sizes.rows]
    label = say("Segments of the runs, those of the same customers in one row")
    return table(label, labels, lines, "seg-equal seg-aligned")


def _slot(slot: Slot | None) -> Component:
    if slot is None:
        return html.Td(NOTHING, title=say("This run has fewer segments."), className="seg-hint")
    item = slot.segment
    parts: list[Any] = [
        html.Div([cards.swatch(item.colour), segment_name(item.name)], className="fw-semibold"),
        html.Div(
            say("{customers} · {share} of customers", customers=count(item.customers), share=percent(slot.share)),
            className="seg-small",
        ),
        html.Div(say("{share} of revenue", share=percent(item.revenue_share)), className="seg-small"),
    ]
    if slot.shared is not None:
        parts.append(html.Div(say("holds {share} of the row", share=percent(slot.shared)), className="seg-hint"))
    return html.Td(parts)


# --- disagreements ----------------------------------------------------------------------------------------------------

_COLUMNS = [DICTIONARY[name] for name in FIRST if name in DICTIONARY and DICTIONARY[name].kind != "text"]


def disagreements(disagreement: Disagreement, labels: tuple[str, str]) -> list[Component]:
    """How many customers two runs disagree about, what they have spent, the top_spenders of them, and all as a file."""
    if not disagreement.customers:
        return [
            html.P(
                say(
                    "Nobody is in {segment} by {first} and in {elsewhere} by {second}. Choose other segments above.",
                    segment=segment_name(disagreement.segment),
                    first=labels[0],
                    elsewhere=segment_name(disagreement.elsewhere),
                    second=labels[1],
                ),
                className="mb-0",
            )
        ]
    money = short_money(disagreement.revenue, disagreement.one.currency)
    sentence = say_number(
        "{customers}, who has spent {money}, is in {segment} by {first} and in {elsewhere} by {second}.",
        "{customers}, who have spent {money}, are in {segment} by {first} and in {elsewhere} by {second}.",
        disagreement.customers,
        customers=plural(disagreement.customers, "{n} customer", "{n} customers"),
        money=money,
        segment=segment_name(disagreement.segment),
        first=labels[0],
        elsewhere=segment_name(disagreement.elsewhere),
        second=labels[1],
    )
    query = urlencode(
        [
            ("run", disagreement.one.run.id),
            ("run", disagreement.other.run.id),
            ("segment", disagreement.segment),
            ("other", disagreement.elsewhere),
        ]
    )
    links = [
        html.A(kind.upper(), href=f"/api/v1/compare/customers.{kind}?{query}", id=f"compare-export-{kind}")
        for kind in ("csv", "xlsx", "parquet")
    ]
    shown = min(disagreement.customers, _SHOWN)
    note = (
        say("Export all of them:")
        if shown == disagreement.customers
        else say("The {number} who spent most; export all of them:", number=shown)
    )
    return [
        html.P(sentence, className="mb-1"),
        html.Div([html.Span(note), *links], className="seg-files seg-hint mb-1"),
        _customers(disagreement),
    ]


def _customers(disagreement: Disagreement) -> Component:
    rows = disagreement.top_spenders(_SHOWN).to_pylist()
    columns = [column for column in _COLUMNS if disagreement.one.has(column.name)]
    with_country = bool(disagreement.one.countries)
    titles = [*map(column_title, columns), *([say("Country")] if with_country else [])]
    lines = []
    for row in rows:
        cells = [
            short_money(row[column.name], disagreement.one.currency)
            if column.kind == "money"
            else count(row[column.name])
            for column in columns
        ]
        cells += [row[COUNTRY] or NOTHING] if with_country else []
        lines.append(table_row(row[CUSTOMER_ID], *cells))
    heads = [Head(say("Customer")), *number_heads(*titles)]
    return table(say("Customers about whom the two runs disagree"), heads, lines)


def segment_choices(segments: Sequence[NamedSegment]) -> list[dict[str, str]]:
    """Segments as a picker lists them."""
    return [
        {"label": f"{segment_name(item.name)} ({count(item.customers)})", "value": item.known_by} for item in segments
    ]


_ARI = noted(
    "Adjusted Rand index of each pair: 1 is the same grouping, 0 what chance alone gives. Large segments decide it."
)
_AMI = noted(
    "Adjusted mutual information of each pair: 1 is the same grouping, 0 chance. Small segments count as well."
)


def agreement_words(comparison: Comparison, labels: Sequence[str]) -> str:
    """How far the runs agree, in a sentence."""
    most, least = figures.AgreementData(tuple(labels), comparison.ari).extremes
    if len(labels) == FEWEST:
        return say(
            "{first} and {second} agree with an adjusted Rand index of {ari} and an adjusted mutual "
            "information of {ami}.",
            first=most[0],
            second=most[1],
            ari=written(most[2], ".2f"),
            ami=written(comparison.ami[0, 1], ".2f"),
        )
    return say(
        "{first} and {second} agree most (adjusted Rand index {most}), {third} and {fourth} least ({least}).",
        first=most[0],
        second=most[1],
        most=written(most[2], ".2f"),
        third=least[0],
        fourth=least[1],
        least=written(least[2], ".2f"),
    )


def run_panels(comparison: Comparison, labels: Sequence[str], names: Sequence[str], theme: str) -> list[Component]:
    """Everything about all of the runs; ``names``: segment names in the order of the playbook."""
    sizes, numbers = aligned_segments(comparison.frames), comparison_table("sizes", comparison, labels)
    files = {name: part_address(name, comparison.runs) for name in ("metrics", "sizes", "agreement", "captured")}
    metrics = panel(say("Metrics and settings"), _metric_table(comparison.runs, labels), _files(files["metrics"]))
    base = labels[sizes.reference]
    hint = say(
        "A row holds the segments with the same customers, as far as there are any: each stands beside "
        "the segment of {run} with which it shares most.",
        run=base,
    )
    rows = panel(say("Segments side by side"), _aligned_table(sizes, labels), _files(files["sizes"]), hint=hint)
    agreed = comparison_table("agreement", comparison, labels)
    return [
        _recommendation(verdict_of(comparison, labels)),
        metrics,
        rows,
        _grid(
            _bars(comparison, labels, names, "customers", numbers, files["sizes"], theme),
            _bars(comparison, labels, names, "revenue", numbers, files["sizes"], theme),
            _chart(
                "compare-agreement",
                say("How far they agree: ARI"),
                say(_ARI),
                figures.draw_agreement(figures.AgreementData(tuple(labels), comparison.ari), theme),
                agreed,
                files["agreement"],
            ),
            _chart(
                "compare-information",
                say("How far they agree: AMI"),
                say(_AMI),
                figures.draw_agreement(
                    figures.AgreementData(tuple(labels), comparison.ami, noted("adjusted mutual information")), theme
                ),
                agreed,
                files["agreement"],
            ),
        ),
        _later_revenue(comparison, labels, files["captured"], theme),
        *_planes(comparison, labels, theme),
    ]


def _grid(*panels: Component) -> Component:
    return html.Div(list(panels), className="seg-grid mt-3")


def _bars(
    comparison: Comparison,
    labels: Sequence[str],
    names: Sequence[str],
    of: Literal["customers", "revenue"],
    numbers: ComparisonTable,
    files: str,
    theme: str,
) -> Component:
    hints = {
        "customers": say("How many customers each run puts under each name."),
        "revenue": say("Whose money it is."),
    }
    titles = {"customers": say("Segments by customers"), "revenue": say("Segments by revenue")}
    figure = figures.draw_size_bars(figures.size_bars_data(comparison.frames, labels, names, of), theme)
    return _chart(f"compare-{of}", titles[of], hints[of], figure, numbers, files)


def _later_revenue(comparison: Comparison, labels: Sequence[str], files: str, theme: str) -> Component:
    shares = [revenue_capture(run) for run in comparison.runs]
    since = next((item.since for item in shares if item.since), None)
    without = [f"{label}: {say(item.why)}" for label, item in zip(labels, shares, strict=True) if item.why]
    if since:
        hint = say(
            "Engines were fitted on the sales before a cut-off; the curves say which share of the revenue from {day} "
            "on their best segments brought in. The dashed line is the top fifth.",
            day=day(date.fromisoformat(since)),
        )
    else:
        hint = say(
            "Engines were fitted on the sales before a cut-off; the curves say which share of the revenue their best "
            "segments brought in. The dashed line is the top fifth."
        )
    if all(item.top is None for item in shares):
        title = html.H2(say("Later revenue captured"))
        return html.Section([title, *(html.P(text, className="mb-1") for text in without)], className="seg-card mt-3")
    x = tuple(np.array(item.customers or ([] if item.top is None else [TOP])) for item in shares)
    y = tuple(np.array(item.revenue or ([] if item.top is None else [item.top])) for item in shares)
    sortings = plain_sortings(comparison.runs)
    plain = {
        _capital(say(SORTED_BY[name])): (np.array(item.customers), np.array(item.revenue))
        for name, item in sortings.items()
    }
    figure = figures.draw_capture(figures.CaptureData(tuple(labels), x, y, plain), theme)
    numbers = comparison_table("captured", comparison, labels)
    card = _chart("compare-captured", say("Later revenue captured"), hint, figure, numbers, files)
    card.children.append(_captured_table(shares, sortings, labels))
    notes = [html.P(text, className="seg-hint mb-0") for text in without]
    card.children.extend(notes)
    return html.Div(card, className="mt-3")


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _captured_table(
    shares: Sequence[RevenueCapture], sortings: Mapping[str, RevenueCapture], labels: Sequence[str]
) -> Component:
    """What the top fifth of customers brought in, by each run and by plain sorting, the most first."""
    rows = [(label, item.top, False) for label, item in zip(labels, shares, strict=True) if item.top is not None]
    plain = ((_capital(say(SORTED_BY[name])), item.top, True) for name, item in sortings.items())
    rows += [(title, top, sorting) for title, top, sorting in plain if top is not None]
    lines = [
        table_row(html.Em(name) if sorting else name, percent(top))
        for name, top, sorting in sorted(rows, key=lambda row: -row[1])
    ]
    heads = [Head(say("By")), Head(say("Later revenue of the top fifth of customers"), True)]
    return table(say("Later revenue captured by each run and by plain sorting"), heads, lines)


def _planes(comparison: Comparison, labels: Sequence[str], theme: str) -> list[Component]:
    projection = places(comparison.frames[0])
    first, second = (percent(share) for share in projection.plane.explained_variance)
    drawn = (
        say(
            "{drawn} of {customers} drawn",
            drawn=count(len(projection.drawn)),
            customers=plural(projection.total, "{n} customer", "{n} customers"),
        )
        if len(projection.drawn) < projection.total
        else say("All {customers}", customers=plural(projection.total, "{n} customer", "{n} customers"))
    )
    hint = say(
        "{drawn}, the same in every panel and on the same axes: the two principal components of recency, "
        "frequency and spend (log(1 + value), scaled), which explain {first} and {second} of the "
        "variance.",
        drawn=drawn,
        first=first,
        second=second,
    )
    panels = []
    for label, frame in zip(labels, comparison.frames, strict=True):
        data = figures.plane_data(
            label, frame, projection.drawn, projection.places, projection.plane.explained_variance
        )
        sizes = np.bincount(data.codes, minlength=len(data.segments))
        rows = [(segment_name(item.name), int(size)) for item, size in zip(data.segments, sizes, strict=True)]
        panels.append(
            _chart(
                f"compare-plane-{frame.run.id}",
                f"{label} ({first} + {second})",
                plural(len(frame.segments), "{n} segment", "{n} segments"),
                figures.draw_plane(data, theme),
                ComparisonTable((noted("Segment"), noted("Customers drawn")), rows),
                part_address("projection", comparison.runs),
            )
        )
    head = html.Section(
        [html.H2(say("The same customers on one plane")), html.P(hint, className="seg-hint mb-0")],
        className="seg-card mt-3",
    )
    two = "" if len(panels) % 3 == 0 else " seg-two"
    return [head, html.Div(panels, className=f"seg-grid seg-planes{two} mt-3")]


def pair_panels(comparison: Comparison, labels: Sequence[str], theme: str) -> list[Component]:
    """The cross-table of two runs, and ribbons between their segments."""
    rows, columns = comparison.frames
    table = cross_table(rows, columns)
    numbers, files = cross(rows, columns, labels), part_address("cross", comparison.runs)
    data = figures.CrossData(
        labels[0],
        labels[1],
        tuple(segment_name(segment.name) for segment in rows.segments),
        tuple(segment_name(segment.name) for segment in columns.segments),
        table,
    )
    flows = figures.ribbons(rows.segments, columns.segments, table, cross_money(rows, columns))
    return [
        _chart(
            "compare-cross",
            say("{rows} in rows, {columns} in columns", rows=labels[0], columns=labels[1]),
            say("Customers in each segment of both, shaded by their share of the row."),
            figures.draw_cross(data, theme),
            numbers,
            files,
        ),
        _chart(
            "compare-sankey",
            say("From {first} to {second}", first=labels[0], second=labels[1]),
            say("Each ribbon is the customers that are in both segments, in the colour of the first run's."),
            draw_sankey(flows, theme),
            numbers,
            files,
        ),
    ]
