"""Small parts of pages: colours and badges, sentences worth reading, alerts, bars by date, and empty states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components import elements
from dashboard.components.attributes import aria
from dashboard.i18n.texts import say


def swatch(colour: str) -> Component:
    """A segment's colour, beside its name."""
    return elements.Span(className="seg-swatch", style={"backgroundColor": theme_colour(colour)}, **aria(hidden="true"))


def theme_colour(colour: str) -> str:
    """A segment's colour as CSS: as it is on light ground, mixed with white on dark, where dark blue would vanish."""
    return f"color-mix(in srgb, white var(--seg-mix, 0%), {colour})"


def synthetic_badge() -> Component:
    """The mark on customers that are made up."""
    return html.Span(
        say("synthetic"),
        className="seg-badge",
        title=say("These customers are made up by a generator; they show how Segmentry works, not how any shop does."),
    )


def published_badge() -> Component:
    """The mark on the published run of a data set."""
    words = say("What pages begin with, audiences are counted on and other systems read.")
    return html.Span(say("published"), className="seg-badge", title=words)


def insight_list(sentences: Sequence[str]) -> Component | None:
    """Sentences worth reading; nothing where there is none."""
    if not sentences:
        return None
    return html.Ul([elements.Li(sentence) for sentence in sentences], className="insights seg-card")


def note_list(sentences: Sequence[str]) -> list[Component]:
    """Remarks as a list; nothing where there is none."""
    return [html.Ul([html.Li(sentence) for sentence in sentences], className="seg-notes")] if sentences else []


def alert(message: Any, color: str = "danger", **props: Any) -> Component:
    """A sentence that is not to be overlooked."""
    made: Component = dbc.Alert(message, color=color, class_name="py-2 mb-2", **props)
    return made


def state_badge(state: str) -> Component:
    """How a run stands."""
    return html.Span(say(state), className=f"seg-state seg-state-{state}")


def progress(stage: str, share: float, label: str = "") -> list[Component]:
    """How far work is: what is being done, and a bar; ``label`` is read out for the bar."""
    bar = html.Progress(
        value=str(round(100 * share)), max="100", className="seg-progress mb-2", **aria(label=label or stage)
    )
    return [html.P(stage, className="mb-1", role="status"), bar]


def spark(title: str, values: Sequence[float], words: str) -> Component:
    """A bar for each date, the last one marked; ``words`` says the values."""
    top = max(values, default=0.0) or 1.0
    bars = [
        elements.Span(
            style={"height": f"{max(100 * value / top, 2):.0f}%"}, className="now" if place == len(values) - 1 else ""
        )
        for place, value in enumerate(values)
    ]
    label = say("{title} by date: {values}", title=title, values=words)
    return elements.Div(bars, className="spark", title=words, role="img", **aria(label=label))


def sales_first() -> list[str | Component]:
    """What to do where no sales have been read yet: two ways, in the browser and in a terminal."""
    way_in = dcc.Link(say("Add sales"), href="/data", className="btn btn-primary btn-sm")
    return [way_in, html.Span([say("or, in a terminal:") + " ", html.Code("segmentry run SALES.csv")])]


def new_run_button(run: str | None) -> Component:
    """The way to the page that starts runs; it begins with the snapshot of ``run``, the number in the address."""
    href = f"/new?{urlencode({'run': run})}" if run else "/new"
    made: Component = dcc.Link(say("New run"), href=href, className="btn btn-primary btn-sm")
    return made


def empty_state(title: str, sentences: Sequence[str | Component], extra: Sequence[Component] = ()) -> Component:
    """What stands where there is nothing to show: why, and what to do about it."""
    return html.Div(
        [html.H2(title), *[html.P(sentence) for sentence in sentences], *extra], className="seg-empty seg-card"
    )
