"""Drift timeline: a frozen model against a refit, date by date, and how far the customers themselves have changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame, Series

from engines.checks import labels_of
from engines.clustering.sampling import encode_keys, sample_rows
from engines.columns import MONETARY, RECENCY
from engines.contract import AgeAgreement, DriftCause, DriftPoint, Engine, Fitted, Shift, Size
from engines.errors import InputError
from engines.evaluation.drift import adjusted_rand, moved_between
from engines.evaluation.model_age import Agreements, refresh_interval
from engines.evaluation.stability_index import WATCHED, shifts
from engines.run import fit, in_order

#: Bootstrap refits per date at which noise is measured.
BOOTSTRAPS = 20
#: The alarm line for the ARI where nothing else is said.
THRESHOLD = 0.8
#: From which stability index on a change of the customers is an alarm by itself. In simulated shops in which nothing
#: changes it stays below 0.07; half of the customers buying a quarter as often, at three times the value, brings some
#: 0.2 within three months (docs/drift.md).
SHIFT = 0.12
#: How much the customers must have changed for disagreement to be an alarm: segments that differ while nobody has
#: changed say that two groupings are about equally good.
SOME_SHIFT = 0.05
#: Customers in each refit; engines that are slow to refit get half of their own limit.
REFIT_LARGEST = 5_000

#: Customers who came within so many days of one another are of the same age.
COHORT_DAYS = 91

_NOISE_PERCENTILE = 5
_UNITS = 10_000  # money is summed as whole parts of the currency unit, so that the order of rows cannot matter

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Timeline:
    """What was found: when the model was frozen, the points after it, and how often it should be refreshed.

    ``refresh_months``: None where there is no point; ``reason`` says why in a sentence or two. ``opening``: the
    segments on the day of freezing. ``frozen``: the model. ``labels``: its labels at the last date, by customer id.
    ``ages``: how well models agree with later ones, by how old they are.
    """

    frozen_at: date
    points: tuple[DriftPoint, ...]
    refresh_months: float | None
    reason: str
    opening: tuple[Size, ...]
    frozen: Fitted
    labels: Series
    ages: tuple[AgeAgreement, ...] = ()


def timeline(
    engine: Engine,
    tables: Iterable[tuple[date, DataFrame]],
    *,
    recent: Mapping[date, DataFrame] | None = None,
    first_seen: Series | None = None,
    threshold: float = THRESHOLD,
    shift: float = SHIFT,
    bootstraps: int = BOOTSTRAPS,
    noise_at: Collection[date] | None = None,
    earlier_points: Sequence[DriftPoint] = (),
    seed: int = 0,
    progress: Callable[[int], None] = lambda done: None,
) -> Timeline | None:
    """How well the model frozen on the first table agrees with a model fitted anew on each later one.

    Tables should look back over a window of fixed length: over a growing history recency and sums of money grow by
    themselves. Each point compares, on that date's customers, the frozen model's labels with those of a refit that
    begins with the frozen model (:meth:`Engine.refit`), so that it does not turn to another grouping by chance.
    ``noise_low`` says how far chance alone takes this: two models of two draws of the same customers, with replacement,
    each begun with the refit; the 5th percentile of the ARI over all pairs of them.

    A point is an alert for one of two causes. ``agreement``: its ARI is below ``threshold`` and below the noise, and
    the customers have changed by more than chance. ``population``: the customers have changed much, whatever the
    segments: a column of ``recent`` (but recency, which follows the calendar) has a stability index of ``shift`` or
    more against the date of freezing, among all customers as well as among those as long known as the ones of then.

    All refits are of at most ``refit_customers`` customers, so that the band is that of the very refits it is drawn
    around. A sample makes both a little noisier, and alerts a little rarer. Everyone is labelled all the same.

    Args:
        engine: the settings to freeze and refit.
        tables: ``(as_of, customers)`` in the order of time, customers as for :meth:`Engine.fit` with what they spent;
            read one at a time.
        recent: the customers of the last quarter at each date, whose measures show a change sooner than those of a long
            window do; by default ``tables``.
        first_seen: the day of each customer's first sale, by customer id, as far back as sales go; without it customers
            of the same age are not compared.
        threshold: the alarm line for the ARI.
        shift: the alarm line for the stability index.
        bootstraps: refits of resampled customers per date; 0 for none.
        noise_at: the dates at which noise is measured, all where it is None; between them it is interpolated.
        earlier_points: points of an earlier timeline of the same engine. Where one of them comes out the same again,
            its noise is kept as it was measured then.
        seed: of the draws; the same seed gives the same points whatever the order of rows.
        progress: told how many tables are done.

    Returns:
        One point per table after the first; None where there is no table at all.

    Raises:
        InputError: a table that the engine cannot segment; the message names its date.
        ValueError: dates out of order, or a negative number of bootstraps.
    """
    if bootstraps < 0:
        raise ValueError("a number of bootstrap refits is 0 or more")
    dated = _in_order(tables)
    opening = next(dated, None)
    if opening is None:
        return None
    frozen_at, first = opening
    frozen = _fit(engine, frozen_at, first)
    before = labels = at_first = labels_of(engine.title, frozen, first)
    population = _Population(engine, frozen_at, first if recent is None else recent[frozen_at], first_seen)
    agreements = Agreements(engine.title)
    agreements.add(frozen_at, frozen)
    points: list[DriftPoint] = []
    measured = {point.as_of: point for point in earlier_points if point.noise_measured}
    progress(1)
    for as_of, customers in dated:
        labels = labels_of(engine.title, frozen, customers)
        rows = sample_rows(len(customers), refit_customers(engine), _day_seed(seed, as_of))
        common = customers.iloc[rows]
        refitted = _fit(engine, as_of, common, frozen)
        refit = labels_of(engine.title, refitted, customers)
        agreements.compare(as_of, common, refit.to_numpy()[rows])
        agreements.add(as_of, refitted)
        frozen_labels, fresh = labels.to_numpy(), refit.to_numpy()
        point = DriftPoint(
            as_of=as_of.isoformat(),
            customers=len(customers),
            ari=adjusted_rand(frozen_labels, fresh),
            alert=False,
            moved_share=_share_moved(before, labels),
            model_moved=moved_between(frozen_labels, fresh),
            refit_on=len(rows),
            shifts=population.shifts(as_of, customers if recent is None else recent[as_of]),
            sizes=_sizes(customers, frozen_labels),
        )
        if bootstraps and (noise_at is None or as_of in noise_at):
            low, drawn = noise(engine, customers, refitted, bootstraps=bootstraps, seed=_day_seed(seed, as_of))
            if low is not None:
                point = replace(point, noise_low=low, noise_measured=True, noise_on=drawn)
        elif bootstraps and (then := measured.get(point.as_of)) is not None and _same(then, point):
            point = replace(point, noise_low=then.noise_low, noise_measured=True, noise_on=then.noise_on)
        points.append(point)
        before = labels
        progress(len(points) + 1)
    judged = tuple(_judged(point, threshold, shift) for point in _interpolated(points))
    ages = agreements.by_age()
    months, reason = refresh_interval(frozen_at, judged, ages, threshold)
    return Timeline(frozen_at, judged, months, reason, _sizes(first, at_first.to_numpy()), frozen, labels, ages)


def noise(
    engine: Engine,
    customers: DataFrame,
    start: Fitted | None = None,
    *,
    bootstraps: int = BOOTSTRAPS,
    seed: int = 0,
) -> tuple[float | None, int]:
    """How far down chance alone takes the ARI of two models, and on how many customers that was measured.

    Args:
        engine: refitted on customers drawn with replacement, with another seed each time where it has one.
        customers: one row each, in order of customer id.
        start: what each refit begins with; without it, with whatever the engine begins with by itself.
        bootstraps: how many refits.
        seed: of sample and draws.

    Returns:
        The 5th percentile over all pairs of refits; None where fewer than two draws could be segmented (too few
        different customers).
    """
    rows = sample_rows(len(customers), refit_customers(engine), seed)
    common = customers.iloc[rows]
    random = np.random.default_rng([seed, 1])
    labels: list[Codes] = []
    for number in range(bootstraps):
        drawn = np.sort(random.integers(len(common), size=len(common)))
        resample = common.iloc[drawn].set_axis(pd.RangeIndex(len(drawn)), axis="index")  # ids stay unique
        reseeded = _reseeded(engine, number)
        try:
            fitted = reseeded.fit(resample) if start is None else reseeded.refit(resample, start)
            labels.append(labels_of(engine.title, fitted, common).to_numpy(np.int64))
        except InputError:  # too few different customers drawn
            continue
    rand_indices = [adjusted_rand(one, other) for one, other in combinations(labels, 2)]
    return (float(np.percentile(rand_indices, _NOISE_PERCENTILE)) if rand_indices else None), len(rows)


def refit_customers(engine: Engine) -> int:
    """On how many customers at most a refit is made: the same for those that are compared and those that are noise."""
    return REFIT_LARGEST if engine.refit_limit >= REFIT_LARGEST else engine.refit_limit // 2


def noise_dates(dates: Sequence[date], number: int) -> list[date]:
    """So many of the dates of points, evenly spread, the last always among them; all where ``number`` is 0."""
    if number == 0 or number >= len(dates):
        return list(dates)
    places = np.linspace(len(dates) - 1, 0, number).round().astype(int)
    return sorted(dates[place] for place in places.tolist())


# --- parts ------------------------------------------------------------------------------------------------------------


def _in_order(tables: Iterable[tuple[date, DataFrame]]) -> Iterator[tuple[date, DataFrame]]:
    latest: date | None = None
    for as_of, customers in tables:
        if latest is not None and as_of <= latest:
            raise ValueError(f"the tables of a timeline go forward in time, but {as_of} follows {latest}")
        latest = as_of
        yield as_of, in_order(customers)


def _fit(engine: Engine, as_of: date, customers: DataFrame, start: Fitted | None = None) -> Fitted:
    try:
        return fit(engine, customers, start)[0]
    except InputError as error:
        raise InputError(
            "Sales before {as_of} cannot be segmented for the drift timeline: {error}", as_of=as_of, error=error
        ) from error


class _Population:
    """The customers on the day of freezing, with which those of later dates are compared."""

    def __init__(self, engine: Engine, frozen_at: date, customers: DataFrame, first_seen: Series | None) -> None:
        self._first_seen, self._then = first_seen, customers
        self._columns = tuple(dict.fromkeys((*WATCHED, *engine.needs, *engine.settings().get("features", ()))))
        if first_seen is not None:
            known = (pd.Timestamp(frozen_at) - first_seen.min()).days
            # four cohorts at least, so that those of the same age are of much the same age
            self._step = max(1, min(COHORT_DAYS, known // 4))
            self._cohorts = self._cohorts_of(frozen_at, customers, first_seen)

    def shifts(self, as_of: date, customers: DataFrame) -> tuple[Shift, ...]:
        """How far each watched column has moved."""
        if self._first_seen is None:
            return shifts(self._then, customers, self._columns)
        cohorts = (self._cohorts, self._cohorts_of(as_of, customers, self._first_seen))
        return shifts(self._then, customers, self._columns, cohorts)

    def _cohorts_of(self, as_of: date, customers: DataFrame, first_seen: Series) -> Codes:
        first = first_seen.reindex(customers.index).fillna(pd.Timestamp(as_of)).to_numpy("datetime64[D]")
        known = (np.datetime64(as_of, "D") - first).astype(np.int64)  # at least a day; 0 of whom nothing is known
        return np.asarray(np.maximum(known - 1, 0) // self._step, dtype=np.int64)


def _day_seed(seed: int, as_of: date) -> int:
    return (seed * 1_000_003 + as_of.toordinal()) % 2**32


def _reseeded(engine: Engine, number: int) -> Engine:
    """The engine with another seed, so that the luck of where it starts is part of the noise."""
    settings = engine.settings()
    if not isinstance(settings.get("seed"), int):
        return engine
    try:
        return type(engine).from_settings({**settings, "seed": settings["seed"] + number + 1})
    except InputError:  # at the very end of what a seed may be
        return engine


def _same(then: DriftPoint, now: DriftPoint) -> bool:
    """Whether two points of a date are of the same customers and the same models, up to the last bits of an ARI."""
    return (then.customers, then.refit_on) == (now.customers, now.refit_on) and abs(then.ari - now.ari) < 1e-9


def _interpolated(points: Sequence[DriftPoint]) -> list[DriftPoint]:
    """The points with their noise where it was not measured: on the line between the dates at which it was."""
    with_noise = [place for place, point in enumerate(points) if point.noise_low is not None]
    if not with_noise:
        return list(points)
    days = np.array([date.fromisoformat(point.as_of).toordinal() for point in points], dtype=np.float64)
    measured = [points[place].noise_low for place in with_noise]
    lows = np.interp(days, days[with_noise], np.array(measured, dtype=np.float64))
    return [replace(point, noise_low=float(low)) for point, low in zip(points, lows, strict=True)]


def _judged(point: DriftPoint, threshold: float, shift: float) -> DriftPoint:
    # A holiday, or a Sunday before the date, moves everyone's recency, though nobody buys otherwise than before.
    moved = max((item.size for item in point.shifts if item.column != RECENCY), default=0.0)
    cause: DriftCause | None = None
    if moved >= SOME_SHIFT and is_alert(point.ari, point.noise_low, threshold):
        cause = "agreement"
    elif moved >= shift:
        cause = "population"
    return replace(point, alert=cause is not None, cause=cause)


def is_alert(ari: float, noise_low: float | None, threshold: float) -> bool:
    """Whether a disagreement is below the line, and more than chance makes of it where that is known."""
    return ari < threshold and (noise_low is None or ari < noise_low)


def _share_moved(before: Series, after: Series) -> float | None:
    common = before.index.intersection(after.index)
    if not len(common):
        return None
    return float((before.loc[common].to_numpy() != after.loc[common].to_numpy()).mean())


def _sizes(customers: DataFrame, keys: Codes) -> tuple[Size, ...]:
    different, codes = encode_keys(keys)
    spent = customers[MONETARY].to_numpy(np.float64) if MONETARY in customers.columns else np.zeros(len(customers))
    units = np.zeros(len(different), dtype=np.int64)
    np.add.at(units, codes, np.round(spent * _UNITS).astype(np.int64))
    counts = np.bincount(codes, minlength=len(different))
    return tuple(
        Size(int(key), int(counts[place]), float(units[place] / _UNITS)) for place, key in enumerate(different)
    )
