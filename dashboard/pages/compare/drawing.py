"""What the Compare page shows of some runs: its sentence, its cards and charts, and those of two runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from dash import html
from dash.development.base_component import Component

from dashboard.figures import comparison as drawings
from dashboard.figures import comparison as figures
from dashboard.figures.migration import draw_sankey
from dashboard.i18n.numbers import count, percent, plural, with_days, written
from dashboard.i18n.texts import noted, say, segment_name
from dashboard.pages.compare import boxes as view
from dashboard.queries.comparison import (
    FEWEST,
    Comparison,
    aligned_segments,
    captured,
    cross_money,
    cross_table,
    places,
    verdict_of,
)
from dashboard.queries.comparison_tables import Part, cross, part
from engines.evaluation.holdout import TOP

_ARI = noted(
    "Adjusted Rand index of each pair: 1 is the same grouping, 0 what chance alone gives. Large segments decide it."
)
_AMI = noted(
    "Adjusted mutual information of each pair: 1 is the same grouping, 0 chance. Small segments count as well."
)


def told(found: Comparison, labels: Sequence[str]) -> str:
    """How far the runs agree, in a sentence."""
    most, least = figures.AgreementData(tuple(labels), found.ari).extremes
    if len(labels) == FEWEST:
        return say(
            "{first} and {second} agree with an adjusted Rand index of {ari} and an adjusted mutual "
            "information of {ami}.",
            first=most[0],
            second=most[1],
            ari=written(most[2], ".2f"),
            ami=written(found.ami[0, 1], ".2f"),
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


def body_of(found: Comparison, labels: Sequence[str], names: Sequence[str], theme: str) -> list[Component]:
    """Everything about all of the runs; ``names``: segment names in the order of the playbook."""
    sizes, numbers = aligned_segments(found.frames), part("sizes", found, labels)
    files = {name: view.part_address(name, found.runs) for name in ("metrics", "sizes", "agreement", "captured")}
    metrics = html.Section(
        [
            html.H2(say("Metrics and settings")),
            view.metric_table(found.runs, labels),
            view.foot(say("Metrics and settings"), None, files["metrics"]),
        ],
        className="seg-card",
    )
    base = labels[sizes.reference]
    hint = say(
        "A row holds the segments with the same customers, as far as there are any: each stands beside "
        "the segment of {run} with which it shares most.",
        run=base,
    )
    rows = html.Section(
        [
            html.H2(say("Segments side by side")),
            html.P(hint, className="seg-hint mb-2"),
            view.aligned_table(sizes, labels),
            view.foot(say("Segments side by side"), None, files["sizes"]),
        ],
        className="seg-card",
    )
    agreed = part("agreement", found, labels)
    return [
        view.recommendation(verdict_of(found, labels)),
        metrics,
        rows,
        _grid(
            _bars(found, labels, names, "customers", numbers, files["sizes"], theme),
            _bars(found, labels, names, "revenue", numbers, files["sizes"], theme),
            view.panel(
                "compare-agreement",
                say("How far they agree: ARI"),
                say(_ARI),
                figures.draw_agreement(figures.AgreementData(tuple(labels), found.ari), theme),
                agreed,
                files["agreement"],
            ),
            view.panel(
                "compare-information",
                say("How far they agree: AMI"),
                say(_AMI),
                figures.draw_agreement(
                    figures.AgreementData(tuple(labels), found.ami, noted("adjusted mutual information")), theme
                ),
                agreed,
                files["agreement"],
            ),
        ),
        _later_revenue(found, labels, files["captured"], theme),
        *_planes(found, labels, theme),
    ]


def _grid(*panels: Component) -> Component:
    return html.Div(list(panels), className="seg-grid mt-3")


def _bars(
    found: Comparison,
    labels: Sequence[str],
    names: Sequence[str],
    of: Literal["customers", "revenue"],
    numbers: Part,
    files: str,
    theme: str,
) -> Component:
    hints = {
        "customers": say("How many customers each run puts under each name."),
        "revenue": say("Whose money it is."),
    }
    titles = {"customers": say("Segments by customers"), "revenue": say("Segments by revenue")}
    figure = figures.draw_sizes(figures.size_data(found.frames, labels, names, of), theme)
    return view.panel(f"compare-{of}", titles[of], hints[of], figure, numbers, files)


def _later_revenue(found: Comparison, labels: Sequence[str], files: str, theme: str) -> Component:
    kept = [captured(run) for run in found.runs]
    since = next((item.since for item in kept if item.since), None)
    without = [f"{label}: {say(item.why)}" for label, item in zip(labels, kept, strict=True) if item.why]
    if since:
        hint = say(
            "Engines were fitted on the sales before a cut-off; the curves say which share of the revenue from {day} "
            "on their best segments brought in. The dashed line is the top fifth.",
            day=with_days(since),
        )
    else:
        hint = say(
            "Engines were fitted on the sales before a cut-off; the curves say which share of the revenue their best "
            "segments brought in. The dashed line is the top fifth."
        )
    if all(item.top is None for item in kept):
        title = html.H2(say("Later revenue captured"))
        return html.Section([title, *(html.P(text, className="mb-1") for text in without)], className="seg-card mt-3")
    x = tuple(np.array(item.customers or ([] if item.top is None else [TOP])) for item in kept)
    y = tuple(np.array(item.revenue or ([] if item.top is None else [item.top])) for item in kept)
    figure = drawings.draw_capture(drawings.CaptureData(tuple(labels), x, y), theme)
    numbers = part("captured", found, labels)
    card = view.panel("compare-captured", say("Later revenue captured"), hint, figure, numbers, files)
    notes = [html.P(text, className="seg-hint mb-0") for text in without]
    card.children.extend(notes)
    return html.Div(card, className="mt-3")


def _planes(found: Comparison, labels: Sequence[str], theme: str) -> list[Component]:
    there = places(found.frames[0])
    first, second = (percent(share) for share in there.plane.explained)
    drawn = (
        say("{drawn} of {customers} drawn", drawn=count(len(there.drawn)), customers=plural(there.total, "customer"))
        if len(there.drawn) < there.total
        else say("All {customers}", customers=plural(there.total, "customer"))
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
    for label, frame in zip(labels, found.frames, strict=True):
        data = drawings.plane_data(label, frame, there.drawn, there.places, there.plane.explained)
        sizes = np.bincount(data.codes, minlength=len(data.segments))
        rows = [(segment_name(item.name), int(size)) for item, size in zip(data.segments, sizes, strict=True)]
        panels.append(
            view.panel(
                f"compare-plane-{frame.run.id}",
                f"{label} ({first} + {second})",
                plural(len(frame.segments), "segment"),
                drawings.draw_plane(data, theme),
                Part((noted("Segment"), noted("Customers drawn")), rows),
                view.part_address("projection", found.runs),
                "400px",
            )
        )
    head = html.Section(
        [html.H2(say("The same customers on one plane")), html.P(hint, className="seg-hint mb-0")],
        className="seg-card mt-3",
    )
    two = "" if len(panels) % 3 == 0 else " seg-two"
    return [head, html.Div(panels, className=f"seg-grid seg-planes{two} mt-3")]


def pair_of(found: Comparison, labels: Sequence[str], theme: str) -> list[Component]:
    """The cross-table of two runs, and ribbons between their segments."""
    rows, columns = found.frames
    table = cross_table(rows, columns)
    numbers, files = cross(rows, columns, labels), view.part_address("cross", found.runs)
    data = figures.CrossData(
        labels[0],
        labels[1],
        tuple(segment_name(segment.name) for segment in rows.segments),
        tuple(segment_name(segment.name) for segment in columns.segments),
        table,
    )
    flows = drawings.ribbons(rows.segments, columns.segments, table, cross_money(rows, columns))
    return [
        view.panel(
            "compare-cross",
            say("{rows} in rows, {columns} in columns", rows=labels[0], columns=labels[1]),
            say("Customers in each segment of both, shaded by their share of the row."),
            figures.draw_cross(data, theme),
            numbers,
            files,
        ),
        view.panel(
            "compare-sankey",
            say("From {first} to {second}", first=labels[0], second=labels[1]),
            say("Each ribbon is the customers that are in both segments, in the colour of the first run's."),
            draw_sankey(flows, theme),
            numbers,
            files,
        ),
    ]
