"""Which countries the money comes from: a bar for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dashboard.figures import NOTHING_LEFT, Drawing, drawing, empty_figure, ink, named_ticks, slots
from dashboard.frames.aggregates import Aggregate
from dashboard.frames.run import RunFrame
from dashboard.i18n.numbers import count, hover_money, money, percent, plural, short_money, titled
from dashboard.i18n.texts import noted, say
from engines.columns import MONETARY

TOP_COUNTRIES = 12
_OTHER = noted("Other ({number})")  # the bar of all other countries


class CountryBar(NamedTuple):
    """A country's customers in view and what they have spent."""

    name: str
    customers: int
    revenue: float


class CountryData(NamedTuple):
    """The countries with most revenue, the rest in one; ``revenue`` is that of everyone in view."""

    bars: tuple[CountryBar, ...]
    others: int
    rest: CountryBar | None
    revenue: float
    currency: str


def country_data(frame: RunFrame, view: Aggregate, top: int = TOP_COUNTRIES) -> CountryData:
    """Revenue by primary country of the customers in view; those without a country are in no bar."""
    n = len(frame.countries)
    customers, revenue = view.sizes_by_country(n)[:n], view.by_country(MONETARY, n)
    whole, revenue = float(revenue.sum()), revenue[:n]
    codes = [code for code in np.argsort(-revenue, kind="stable") if customers[code]]
    bars = [CountryBar(frame.countries[code], int(customers[code]), float(revenue[code])) for code in codes]
    rest = bars[top:] if len(bars) > top + 1 else []
    other = CountryBar("Other", sum(b.customers for b in rest), sum(b.revenue for b in rest)) if rest else None
    shown = bars[:top] if rest else bars
    return CountryData(tuple(shown), len(rest), other, whole, frame.currency)


def draw_countries(data: CountryData, theme: str) -> Drawing:
    """A lying bar per country, the biggest on top, "Other" last and paler."""
    if not data.bars:
        return empty_figure(say(NOTHING_LEFT), theme)
    bars = (*data.bars, data.rest) if data.rest else data.bars
    names = [bar.name for bar in data.bars] + ([say(_OTHER, number=data.others)] if data.rest else [])
    revenue = [bar.revenue for bar in bars]
    shares = [percent(bar.revenue / data.revenue) if data.revenue > 0 else "–" for bar in bars]
    amount = hover_money("x", data.currency)
    hover = say("{amount} from {customers} customers", amount=amount, customers="%{customdata:,}")
    colours = [ink(theme).bar] * len(data.bars) + ([ink(theme).line] if data.rest else [])
    trace = {
        "type": "bar",
        "x": revenue,
        "y": names,
        "orientation": "h",
        "marker": {"color": colours},
        "text": [
            f"{short_money(bar.revenue, data.currency)} · {share}" for bar, share in zip(bars, shares, strict=True)
        ],
        "textposition": "outside",
        "cliponaxis": False,
        "customdata": [bar.customers for bar in bars],
        "hovertemplate": f"<b>%{{y}}</b><br>{hover}<extra></extra>",
    }
    head_room = 1.6 * max(*revenue, 1e-9)  # for the labels, which are clipped without it
    layout = {
        "bargap": 0.25,
        "xaxis": {
            "title": {"text": titled(say("Revenue"), data.currency)},
            "range": [min(0.0, *revenue), head_room],
            "tickformat": "~s",
        },
        "yaxis": {
            **named_ticks(names),
            "range": slots(len(bars)),
            "showgrid": False,
            "tickfont": {"color": ink(theme).text},
        },
    }
    named = [bar._replace(name=name) for bar, name in zip(bars, names, strict=True)]
    return drawing(theme, [trace], layout, country_rows(named, data.revenue, data.currency))


def is_rest(name: str) -> bool:
    """Whether a bar is that of all other countries."""
    before, _, after = say(_OTHER).partition("{number}")
    inside = name.removeprefix(before).removesuffix(after)
    return inside.isdecimal() and name == f"{before}{inside}{after}"


def country_rows(
    bars: Sequence[CountryBar], revenue: float, currency: str
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The head and the rows of the table of countries; shares are of ``revenue``."""
    head = (say("Country"), say("Customers"), titled(say("Revenue"), currency), say("Share"))
    return head, [
        (
            bar.name,
            count(bar.customers),
            money(bar.revenue, currency),
            percent(bar.revenue / revenue) if revenue > 0 else "–",
        )
        for bar in bars
    ]


def country_words(data: CountryData) -> str:
    """The biggest country and how many there are, in words."""
    if not data.bars:
        return say(NOTHING_LEFT)
    first = data.bars[0]
    countries = plural(len(data.bars) + data.others, "{n} country", "{n} countries")
    if data.revenue <= 0:
        return say("{countries}; {first} brings most.", countries=countries, first=first.name)
    return say(
        "{countries}; {first} brings most ({share} of the revenue).",
        countries=countries,
        first=first.name,
        share=percent(first.revenue / data.revenue),
    )
