"""Of the customers who came in one month, how many bought again in each month after it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures import Drawing, drawing_of, empty_figure, template
from dashboard.i18n.numbers import count, month, percent
from dashboard.i18n.texts import noted, say

NO_COHORTS = noted("This snapshot was made before retention was kept; read the sales again to see it.")
SHOWN = 24  # months, the latest: what fits on a screen


class CohortData(NamedTuple):
    """``months``: first months, the oldest first; ``customers`` who came in each; ``active``: how many of them bought.

    ``active`` has a column for each month after the first (0: the first itself); NaN where it has not happened yet.
    """

    months: tuple[str, ...]
    customers: tuple[int, ...]
    active: NDArray[np.float64]


def cohort_data(info: Mapping[str, Any]) -> CohortData | None:
    """From what a snapshot keeps of its cohorts; None where it keeps none."""
    stored = info.get("cohorts")
    if not stored or not stored.get("months"):
        return None
    months, active = stored["months"][-SHOWN:], stored["active"][-SHOWN:]
    table = np.full((len(months), max(len(line) for line in active)), np.nan)
    for line, numbers in enumerate(active):
        table[line, : len(numbers)] = numbers
    return CohortData(tuple(months), tuple(int(line[0]) for line in active), table)


def draw_cohorts(data: CohortData, theme: str) -> Drawing:
    """A line per first month, its share of buyers month by month."""
    if not data.months:
        return empty_figure(say(NO_COHORTS), theme)
    share = data.active / np.maximum(np.array(data.customers, dtype=np.float64), 1)[:, None]
    come = np.array([not np.isnan(line[1:]).all() for line in share], dtype=bool)  # the last month has none after it
    later = share[come, 1:]
    top = float(np.nanmax(later)) if later.size and not np.isnan(later).all() else 1.0
    months = [_month(text) for text in data.months]
    names = [name for name, shown in zip(months, come, strict=True) if shown]
    letters = np.where(np.isnan(later), "", np.char.mod("%.0f", 100 * np.nan_to_num(later)))
    hover = say(
        "month {month} after: {active} of {customers} bought ({share})",
        month="%{x}", active="%{customdata[0]:,}", customers="%{customdata[1]:,}", share="%{z:.1%}",
    )  # fmt: skip
    figure = go.Figure(
        go.Heatmap(
            x=np.arange(1, later.shape[1] + 1),
            y=names,
            z=later,
            zmin=0,
            zmax=top or 1.0,
            colorscale="Cividis",
            showscale=False,
            xgap=2,
            ygap=2,
            text=letters,
            texttemplate="%{text}" if len(names) <= 14 else "",
            customdata=np.stack([np.nan_to_num(data.active[come, 1:]), np.repeat(
                np.array(data.customers, dtype=np.float64)[come, None], later.shape[1], axis=1)], axis=-1),
            hoverongaps=False,
            hovertemplate=f"<b>%{{y}}</b><br>{hover}<extra></extra>",
        ),
        layout={"template": template(theme), "uirevision": "stay"},
    )  # fmt: skip
    after = say("Months after the first purchase")
    figure.update_xaxes(title_text=after, showgrid=False, dtick=1 if len(names) < 16 else 3)
    figure.update_yaxes(title_text=say("First purchase"), showgrid=False, autorange="reversed", type="category")
    head = [say("First purchase"), say("Customers"), *(f"+{later}" for later in range(1, share.shape[1]))]
    rows = [
        [name, count(number), *("" if np.isnan(value) else percent(value) for value in line[1:])]
        for name, number, line in zip(months, data.customers, share, strict=True)
    ]
    return drawing_of(figure, (head, rows))


def _month(text: str) -> str:
    return month(date.fromisoformat(f"{text}-01"))


def cohort_words(data: CohortData) -> str:
    """How many came back in the month after their first, over all cohorts, in words."""
    if data.active.shape[1] < 2:
        return say("There is only one month of sales, so nobody could come back in another.")
    defined = ~np.isnan(data.active[:, 1])
    came = float(np.array(data.customers)[defined].sum())
    back = float(data.active[defined, 1].sum())
    share = percent(back / came) if came else "–"
    return say(
        "All customers, whatever the filters: {share} bought in the month after their first. "
        "The last month of each line may still be going on.",
        share=share,
    )
