"""What all charts share: colours and type for light and dark, and how an empty chart explains itself."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.i18n.locales import of_charts, spoken
from dashboard.i18n.texts import noted, say, segment_name

_NAME = 26  # letters of a name on an axis
NOTHING_LEFT = noted("No customer meets these filters.")
FONT = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', 'Liberation Sans', Arial, sans-serif"
)


class Ink(NamedTuple):
    """The colours of a theme that charts need beside those of segments."""

    text: str
    faint: str
    line: str
    surface: str
    bar: str
    density: tuple[tuple[float, str], ...]


_LIGHT = Ink(
    text="#343a40",
    faint="#6c757d",
    line="#e3e6ea",
    surface="#ffffff",
    bar="#7a8899",
    density=((0.0, "rgba(110,120,140,0)"), (0.05, "rgba(110,120,140,0.10)"), (1.0, "rgba(90,100,120,0.55)")),
)
_DARK = Ink(
    text="#dee2e6",
    faint="#adb5bd",
    line="#3d434a",
    surface="#2b3035",
    bar="#93a1b1",
    density=((0.0, "rgba(190,200,215,0)"), (0.05, "rgba(190,200,215,0.10)"), (1.0, "rgba(200,210,225,0.50)")),
)


def ink(theme: str) -> Ink:
    """The colours of a theme; anything but "dark" is light."""
    return _DARK if theme == "dark" else _LIGHT


def visible_colour(colour: str, theme: str) -> str:
    """A segment's colour in a theme: on dark ground mixed with 30 % white, where the darkest would not be seen."""
    if theme != "dark":
        return colour
    parts = (round(0.7 * int(colour[i : i + 2], 16) + 0.3 * 255) for i in (1, 3, 5))
    return "#" + "".join(f"{part:02x}" for part in parts)


@cache
def template(theme: str) -> go.layout.Template:
    """How every chart looks in a theme: transparent ground, quiet grid, system type."""
    colours = ink(theme)
    axis = {
        "gridcolor": colours.line,
        "linecolor": colours.line,
        "zerolinecolor": colours.line,
        "zerolinewidth": 1,
        "tickfont": {"color": colours.faint, "size": 12},
        "title": {"font": {"color": colours.faint, "size": 12}, "standoff": 8},
        "automargin": True,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "color": colours.text, "size": 13},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": 8, "r": 12, "t": 28, "b": 8},
            "xaxis": axis,
            "yaxis": axis,
            "legend": {"orientation": "h", "y": -0.2, "x": 0, "font": {"color": colours.text, "size": 12}},
            "hoverlabel": {
                "font": {"family": FONT, "color": colours.text},
                "bgcolor": colours.surface,
                "bordercolor": colours.line,
            },
            "modebar": {
                "bgcolor": "rgba(0,0,0,0)",
                "color": colours.faint,
                "activecolor": colours.text,
                "orientation": "h",
            },
            "colorway": ["#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377", "#BBBBBB"],
            "colorscale": {"sequential": "cividis"},
        }
    )


#: A figure as Plotly's JSON has it: what every draw function gives. What is drawn with each click is made of plain
#: dictionaries: objects of Plotly's own check every property each time, which takes longer than all that is worked out
#: for them. Tests check them instead.
Drawing = dict[str, Any]


def drawing(
    theme: str,
    traces: Sequence[Mapping[str, Any]],
    layout: Mapping[str, Any],
    table: tuple[Sequence[str], Iterable[Any]],
) -> Drawing:
    """A figure in a theme, with its numbers as a table (head and rows): the page shows it on request."""
    head, rows = table
    meta = {"table": {"head": list(head), "rows": [list(row) for row in rows]}}
    look = {"template": _look(theme), "uirevision": "stay", "meta": meta, **layout}
    return {"data": [dict(trace) for trace in traces], "layout": look}


def drawing_of(figure: go.Figure, table: tuple[Sequence[str], Iterable[Sequence[str]]] | None = None) -> Drawing:
    """A figure that was put together with Plotly's own objects, with its numbers as a table where they are given."""
    if table is not None:
        head, rows = table
        figure.update_layout(meta={"table": {"head": list(head), "rows": [list(row) for row in rows]}})
    made: Drawing = figure.to_plotly_json()
    return made


def empty_figure(sentence: str, theme: str) -> Drawing:
    """A chart with nothing to draw: the sentence says why."""
    figure = go.Figure(layout={"template": template(theme)})
    figure.add_annotation(text=sentence, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper", font={"size": 14})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return drawing_of(figure)


@cache
def _look(theme: str) -> dict[str, Any]:
    look: dict[str, Any] = template(theme).to_plotly_json()
    return look


def typed_array(values: NDArray[Any]) -> dict[str, str]:
    """Numbers as Plotly reads them fastest: base64 of their bytes, with their type and, of a table, its shape."""
    contiguous = np.ascontiguousarray(values)
    kind = {"f": "f", "i": "i", "u": "u"}[contiguous.dtype.kind] + str(contiguous.dtype.itemsize)
    if kind in ("i8", "u8"):  # browsers have no typed arrays of them
        contiguous, kind = contiguous.astype(np.float64), "f8"
    encoded = {
        "dtype": kind,
        "bdata": b64encode(contiguous.astype(contiguous.dtype.newbyteorder("<")).tobytes()).decode("ascii"),
    }
    return encoded if contiguous.ndim == 1 else {**encoded, "shape": ", ".join(map(str, contiguous.shape))}


def readable_on(colour: str) -> str:
    """Black or white, whichever is easier to read on a colour (relative luminance of WCAG 2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return "#ffffff" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.179 else "#10151c"


def faint_colour(colour: str) -> str:
    """A colour that lets through what lies below it."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.35)"


def slots(lines: int) -> list[float]:
    """The reach of a downward axis of names: a few lines keep the thickness of many."""
    return [max(lines, 6) - 0.5, -0.5]


def named_ticks(names: Sequence[str]) -> dict[str, Any]:
    """Ticks of an axis of names: a long name is cut, so that it leaves room for what is drawn; hover has it whole."""
    called = map(segment_name, names)
    shown = [name if len(name) <= _NAME else f"{name[: _NAME - 1]}…" for name in called]
    return {"tickmode": "array", "tickvals": list(names), "ticktext": shown}


#: What Plotly's buttons are called in Plotly.
_BUTTONS = (
    *(noted("Zoom"), noted("Pan"), noted("Box Select"), noted("Zoom in"), noted("Zoom out")),
    *(noted("Reset axes"), noted("Reset view"), noted("Download plot as a PNG"), noted("Download plot")),
    noted("Double-click to zoom back out"),
)


def graph_config(filename: str, *, selecting: bool = False) -> dict[str, Any]:
    """The buttons of a chart: zoom, drawing a box where that selects, and a picture under a telling name."""
    return {
        "displaylogo": False,
        "responsive": True,
        "scrollZoom": False,
        "modeBarButtonsToRemove": ["lasso2d", "autoScale2d"] if selecting else ["select2d", "lasso2d", "autoScale2d"],
        "toImageButtonOptions": {"format": "png", "filename": filename, "scale": 2},
        **_spoken_by_charts(),
    }


def _spoken_by_charts() -> dict[str, Any]:
    """How charts write numbers, and what their own buttons say."""
    texts = of_charts(spoken())
    buttons = {words: say(words) for words in _BUTTONS}
    return (
        {**texts, "locales": {tag: {**how, "dictionary": buttons} for tag, how in texts["locales"].items()}}
        if texts
        else {}
    )
