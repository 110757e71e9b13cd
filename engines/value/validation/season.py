"""Season and trend: how much more, or less, customers buy at a time of the year than the models expect.

The models assume that everyone buys at a steady rate. How far a month is from that can be seen in the tracking plot of
Fader, Hardie and Lee (2005): the repeat purchases of each month, divided by those that the lifetime model expects of
everybody who had come by then, which allows for newcomers and for those who leave. An index of the twelve months and a
trend are fitted to the logarithms of these ratios by weighted ridge regression, which is Bayesian linear regression
with normal priors (:data:`MONTH_SPREAD`, :data:`TREND_SPREAD`), so that a short history changes little. A forecast is
multiplied by the mean of the index over the days ahead, divided by its mean over the days that the model was fitted on.
Season and trend are used only where totals were closer with them at earlier origins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from pandas import DataFrame

from engines.columns import NEWCOMERS, REPEATS
from engines.value.lifetime.lifetime import LifetimeModel
from engines.value.lifetime.patterns import Floats, Indices

#: Whole months of sales needed: one of them is there twice.
LEAST_MONTHS = 13
#: Prior standard deviations of a month's logarithm, and of the logarithm of a year's growth.
MONTH_SPREAD, TREND_SPREAD = 0.25, 0.2
#: The least that a month is off by chance beyond the count of its purchases, as a logarithm.
_NOISE = 0.1
#: A trend goes on by half, for half a year.
_DAMPED, _YEARS_AHEAD = 0.5, 0.5
#: No factor is further from 1 than by this factor of e.
_MOST = 0.7
_YEAR = 365.25


@dataclass(frozen=True)
class Season:
    """The index of the months and the trend as of a day, and what each model's forecast is to be set against.

    ``months``: logarithms, January first, 0 on average. ``trend``: logarithm of a year's growth. ``as_of``: the day
    from which on is foreseen. ``bases``: by model, the mean of the index over the days that its forecast is from.
    """

    months: tuple[float, ...]
    trend: float
    as_of: date
    bases: Mapping[str, float]

    def factor(self, model: str, weeks: float) -> float:
        """What a model's forecast of the weeks ahead is to be multiplied by; 1 where nothing is known of the model."""
        if model not in self.bases:
            return 1.0
        ahead = self.mean(self.as_of, max(round(7 * weeks), 1))
        return float(np.exp(np.clip(np.log(ahead / self.bases[model]), -_MOST, _MOST)))

    def mean(self, start: date, days: int) -> float:
        """The mean of the index over so many days."""
        at = np.datetime64(start, "D") + np.arange(max(days, 1))
        month = (at.astype("datetime64[M]").astype(np.int64) % 12).astype(np.intp)
        years = (at - np.datetime64(self.as_of, "D")).astype(np.float64) / _YEAR
        trend = self.trend * np.where(years > 0, _DAMPED * np.minimum(years, _YEARS_AHEAD), years)
        return float(np.mean(np.exp(np.asarray(self.months)[month] + trend)))

    def to_record(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "months": list(self.months),
            "trend": self.trend,
            "as_of": self.as_of.isoformat(),
            "bases": dict(self.bases),
        }

    @classmethod
    def from_record(cls, entry: Mapping[str, Any]) -> Season:
        """As it was before :meth:`to_record`."""
        return cls(
            tuple(entry["months"]), float(entry["trend"]), date.fromisoformat(entry["as_of"]), dict(entry["bases"])
        )


def season_of(
    activity: DataFrame, as_of: date, lifetime: LifetimeModel, past: Mapping[str, Sequence[tuple[date, int]]]
) -> Season | None:
    """The season and trend that show in the months before a day; None with fewer than ``LEAST_MONTHS`` of them.

    Args:
        activity: see :func:`engines.features.purchase_days`; what is not before ``as_of`` is not looked at.
        as_of: the day from which on is foreseen.
        lifetime: fitted on the customers of that day.
        past: by model, the days that its forecast is from, as (first day, number of days); empty for all of the past.
    """
    known = activity[activity.index < np.datetime64(as_of, "D")]
    if not len(known):
        return None
    starts = _whole_months(known.index[0].date(), as_of)
    if len(starts) - 1 < LEAST_MONTHS:
        return None
    expected = _expected(known, starts, lifetime)
    day = known.index.to_numpy().astype("datetime64[D]")
    place = np.searchsorted(starts, day, side="right") - 1
    inside = (place >= 0) & (place < len(starts) - 1)
    came = np.bincount(place[inside], known[REPEATS].to_numpy(np.float64)[inside], len(starts) - 1).astype(np.float64)
    used = expected >= 1.0
    if int(used.sum()) < LEAST_MONTHS:
        return None
    middle = starts[:-1].astype(np.float64) + np.diff(starts.astype(np.int64)) / 2
    years = (middle - float(np.datetime64(as_of, "D").astype(np.int64))) / _YEAR
    month = (starts[:-1].astype("datetime64[M]").astype(np.int64) % 12).astype(np.intp)
    months, trend = _explained(np.log((came + 0.5) / (expected + 0.5))[used], came[used], years[used], month[used])
    plain = Season(tuple(months), trend, as_of, {})
    weight = expected[used] / expected[used].sum()
    whole = float(weight @ np.exp(np.asarray(months)[month[used]] + trend * years[used]))
    bases = {
        name: float(np.mean([plain.mean(start, days) for start, days in spans])) if spans else whole
        for name, spans in past.items()
    }
    return Season(plain.months, trend, as_of, bases)


def helps(pairs: Sequence[tuple[float, float, float]], fewest: int, margin: float = 0.1) -> bool:
    """Whether totals were closer with the season at most origins, and their mean squared error fell by a share.

    Args:
        pairs: what came, what was expected without the season, and its factor, of each origin.
        fewest: origins that are needed to say so.
        margin: the share.
    """
    found = [
        (np.log(came / said) ** 2, np.log(came / (said * factor)) ** 2)
        for came, said, factor in pairs
        if came > 0 and said > 0
    ]
    if len(found) < fewest:
        return False
    without, with_season = np.asarray(found).T
    return bool(2 * (with_season < without).sum() > len(found) and with_season.mean() < (1 - margin) * without.mean())


def _whole_months(first: date, as_of: date) -> Any:
    """The first days of the whole months between two days, and the day after the last of them."""
    begin = np.datetime64(first, "M") + (first.day > 1)
    return np.arange(begin, np.datetime64(as_of, "M") + 1).astype("datetime64[D]")


def _expected(known: DataFrame, starts: Any, lifetime: LifetimeModel) -> Floats:
    """Repeat purchases that a model expects in each month of everybody who had come by then."""
    came = known[known[NEWCOMERS] > 0]
    day = came.index.to_numpy().astype("datetime64[D]")
    new = came[NEWCOMERS].to_numpy(np.float64)
    weeks = np.maximum((starts[:, None] - day[None, :]).astype(np.float64), 0.0) / 7
    grid = np.arange(0.0, np.ceil(weeks.max()) + 1.0)
    nobody = np.zeros(1)
    by_week = [0.0, *(float(lifetime.purchases_if_alive(nobody, nobody, each)[0]) for each in grid[1:])]
    return np.asarray(np.diff(np.interp(weeks, grid, by_week) @ new), dtype=np.float64)


def _explained(ratios: Floats, counts: Floats, years: Floats, month: Indices) -> tuple[list[float], float]:
    """Logarithms of the twelve months and the trend that explain the ratios, shrunk towards none."""
    design = np.column_stack([np.ones(len(ratios)), years, np.eye(12)[month]])
    prior = np.diag([1e-6, TREND_SPREAD**-2, *[MONTH_SPREAD**-2] * 12])
    noise = _NOISE
    found: Floats = np.zeros(14)
    for _ in range(3):
        weights = 1.0 / (noise**2 + 1.0 / (counts + 1.0))
        squares = design.T @ (weights[:, None] * design) + prior
        found = np.asarray(np.linalg.solve(squares, design.T @ (weights * ratios)), dtype=np.float64)
        left = (ratios - design @ found) ** 2 - 1.0 / (counts + 1.0)
        noise = max(float(np.sqrt(max(left.mean(), 0.0))), _NOISE)
    months = found[2:] - found[2:].mean()
    return [float(value) for value in months], float(found[1])
