"""The golden run as people read it: published figures of CDNOW beside those worked out here."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.i18n.numbers import NOTHING, written
from dashboard.i18n.texts import say
from dashboard.pages.run.sections import table
from engines.value.validation.golden import Comparison


def golden_parts(found: Sequence[Comparison], titles: dict[str, str]) -> list[Component]:
    """How many figures agree, and all of them: published, ours, and how far off ours may be."""
    off = [item for item in found if not item.holds]
    told = say("All {number} figures agree with the published ones.", number=len(found))
    if off:
        told = say(
            "▲ {off} of {number} figures differ from the published ones by more than they may.",
            off=len(off),
            number=len(found),
        )
    names = ((say("Model"), False), (say("Figure"), False), (say("Source"), False))
    heads = (
        *names[:2],
        (say("Published"), True),
        (say("Here"), True),
        (say("May differ by"), True),
        ("", False),
        names[2],
    )
    return [
        html.P(told, className="seg-alarm" if off else "fw-semibold", role="status"),
        table(say("Published figures and ours"), heads, [_line(item, titles) for item in found]),
    ]


def _line(item: Comparison, titles: dict[str, str]) -> Component:
    mark = html.Td("✓" if item.holds else say("▲ differs"), className="" if item.holds else "seg-alarm")
    ours = NOTHING if item.ours is None else written(item.ours, ",.4f")
    numbers = [
        html.Td(each, className="seg-number")
        for each in (written(item.published, ",.4f"), ours, written(item.within, ".2g"))
    ]
    name = html.Th(titles.get(item.model, item.model), scope="row", className="seg-nowrap")
    return html.Tr([name, html.Td(item.quantity), *numbers, mark, html.Td(item.source, className="seg-hint")])
