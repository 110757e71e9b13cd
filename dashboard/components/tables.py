"""Tables: heads, lines and cells, and the frame in which a wide one scrolls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from dash import html
from dash.development.base_component import Component

from dashboard.components import elements
from dashboard.components.attributes import aria


class Head(NamedTuple):
    """The head of a column: its title, whether figures stand below it, and what it means, on hover."""

    title: str
    is_number: bool = False
    help: str = ""


def number_heads(*titles: str) -> list[Head]:
    """Heads of columns of figures."""
    return [Head(title, is_number=True) for title in titles]


def table(label: str, heads: Iterable[Head | str], lines: Sequence[Component], style: str = "") -> Component:
    """A table that scrolls sideways where it is wider than its place; ``label`` is read out for it."""
    return scroll(label, simple_table(heads, lines, style))


def simple_table(heads: Iterable[Head | str], lines: Sequence[Component], style: str = "", **props: Any) -> Component:
    """A table of lines under its heads, as wide as it is."""
    named = [Head(head) if isinstance(head, str) else head for head in heads]
    head = html.Tr([_head(item) for item in named])
    return html.Table([html.Thead(head), html.Tbody(lines)], className=f"seg-table {style}".strip(), **props)


def _head(head: Head) -> Component:
    style = " ".join(["seg-number"] * head.is_number + ["seg-help"] * bool(head.help))
    return html.Th(head.title, scope="col", className=style or None, title=head.help or None)


def scroll(label: str, *children: Component) -> Component:
    """A frame that scrolls sideways, by the keyboard as well."""
    return html.Div(list(children), className="seg-scroll", tabIndex=0, role="region", **aria(label=label))


def table_row(name: Any, *cells: str | Component | None, style: str = "", help: str = "") -> Component:
    """A line of a table: its name, then its cells; a text is a figure and stands to the right."""
    head = html.Th(name, scope="row", title=help or None)
    return html.Tr(
        [head, *(number_cell(cell) if isinstance(cell, str) else cell for cell in cells)], className=style or None
    )


def number_cell(text: Any, style: str = "", title: str = "") -> Component:
    """A cell of a table that holds a figure."""
    return html.Td(text, className=f"seg-number {style}".strip(), title=title or None)


def share_bar(text: str, share: float, colour: str = "") -> Component:
    """A share in words with a small bar beneath, so that sizes are seen before they are read."""
    fill = {"width": f"{100 * share:.1f}%"} | ({"backgroundColor": colour} if colour else {})
    style = "share-bar" if colour else "share-bar seg-plain-bar"
    return elements.Span([text, elements.Span(elements.Span(style=fill), className=style)], className="share")
