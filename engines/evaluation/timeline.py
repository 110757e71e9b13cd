"""Drift timeline: a frozen model against a refit, date by date, with the noise of bootstrap refits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame, Series

from engines.checks import labels_of
from engines.clustering.sampling import encode_keys, sample_rows
from engines.columns import MONETARY
from engines.contract import DriftPoint, Engine, Fitted, Size
from engines.errors import InputError
from engines.evaluation.calendar import months_between
from engines.evaluation.drift import adjusted_rand, moved_between
from engines.evaluation.stability_index import shifts
from engines.messages import joined, message, message_number
from engines.run import fit, in_order

#: Bootstrap refits per date at which noise is measured.
BOOTSTRAPS = 20
#: The alarm line for the ARI where nothing else is said.
THRESHOLD = 0.8
#: Customers in each refit; engines that are slow to refit get half of their own limit.
REFIT_LARGEST = 5_000

_NOISE_PERCENTILE = 5
_UNITS = 10_000  # money is summed as whole parts of the currency unit, so that the order of rows cannot matter

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Timeline:
    """What was found: when the model was frozen, the points after it, and how often it should have been refreshed.

    ``refresh_months``: None where there is no point; ``reason`` says why in a sentence or two. ``opening``: the
    segments on the day of freezing. ``frozen``: the model. ``labels``: its labels at the last date, by customer id.
    """

    frozen_at: date
    points: tuple[DriftPoint, ...]
    refresh_months: float | None
    reason: str
    opening: tuple[Size, ...]
    frozen: Fitted
    labels: Series


def timeline(
    engine: Engine,
    tables: Iterable[tuple[date, DataFrame]],
    *,
    threshold: float = THRESHOLD,
    bootstraps: int = BOOTSTRAPS,
    noise_at: Collection[date] | None = None,
    earlier_points: Sequence[DriftPoint] = (),
    seed: int = 0,
    progress: Callable[[int], None] = lambda done: None,
) -> Timeline | None:
    """How well the model frozen on the first table agrees with a model fitted anew on each later one.

    Each point compares, on that date's customers, the frozen model's labels with those of the refit. How much of a
    disagreement is chance is told by refits of customers drawn with replacement (bootstrap), each with another seed:
    ``noise_low`` is the 5th percentile of the ARI between these and the refit. They stand for what the frozen model
    would be had nothing changed: another model of the same kind of customers. (Any two of them would differ by the
    chance in both and make the band too wide.) A point is an alert when its ARI is below ``threshold`` and below that.

    All refits are of at most ``refit_customers`` customers, so that the band is that of the very refits it is drawn
    around. A sample makes both a little noisier, and alerts a little rarer. Everyone is labelled all the same.

    Args:
        engine: the settings to freeze and refit.
        tables: ``(as_of, customers)`` in the order of time, customers as for :meth:`Engine.fit` with what they spent;
            read one at a time.
        threshold: the alarm line for the ARI.
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
    points: list[DriftPoint] = []
    measured = {point.as_of: point for point in earlier_points if point.noise_measured}
    progress(1)
    for as_of, customers in dated:
        labels = labels_of(engine.title, frozen, customers)
        rows = sample_rows(len(customers), refit_customers(engine), _day_seed(seed, as_of))
        refit = labels_of(engine.title, _fit(engine, as_of, customers.iloc[rows]), customers)
        frozen_labels, fresh = labels.to_numpy(), refit.to_numpy()
        point = DriftPoint(
            as_of=as_of.isoformat(),
            customers=len(customers),
            ari=adjusted_rand(frozen_labels, fresh),
            alert=False,
            moved_share=_share_moved(before, labels),
            model_moved=moved_between(frozen_labels, fresh),
            refit_on=len(rows),
            shifts=shifts(first, customers),
            sizes=_sizes(customers, frozen_labels),
        )
        if bootstraps and (noise_at is None or as_of in noise_at):
            low, drawn = noise(engine, customers, fresh, bootstraps=bootstraps, seed=_day_seed(seed, as_of))
            if low is not None:
                point = replace(point, noise_low=low, noise_measured=True, noise_on=drawn)
        elif bootstraps and (then := measured.get(point.as_of)) is not None and _same(then, point):
            point = replace(point, noise_low=then.noise_low, noise_measured=True, noise_on=then.noise_on)
        points.append(point)
        before = labels
        progress(len(points) + 1)
    judged = tuple(_judged(point, threshold) for point in _interpolated(points))
    months, reason = refresh_interval(frozen_at, judged)
    return Timeline(frozen_at, judged, months, reason, _sizes(first, at_first.to_numpy()), frozen, labels)


def noise(
    engine: Engine, customers: DataFrame, labels: Codes, *, bootstraps: int = BOOTSTRAPS, seed: int = 0
) -> tuple[float | None, int]:
    """How far down chance alone takes the ARI with ``labels``, and on how many customers that was measured.

    Args:
        engine: refitted on customers drawn with replacement, with another seed each time where it has one.
        customers: one row each, in order of customer id.
        labels: of the fit to compare with, shape ``(customers,)``.
        bootstraps: how many refits.
        seed: of sample and draws.

    Returns:
        The 5th percentile; None where no draw could be segmented (too few different customers).
    """
    rows = sample_rows(len(customers), refit_customers(engine), seed)
    common, reference = customers.iloc[rows], labels[rows]
    random = np.random.default_rng([seed, 1])
    rand_indices = []
    for number in range(bootstraps):
        drawn = np.sort(random.integers(len(common), size=len(common)))
        resample = common.iloc[drawn].set_axis(pd.RangeIndex(len(drawn)), axis="index")  # ids stay unique
        try:
            refit = labels_of(engine.title, _reseeded(engine, number).fit(resample), common)
            rand_indices.append(adjusted_rand(reference, refit.to_numpy()))
        except InputError:  # too few different customers drawn
            continue
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


def refresh_interval(frozen_at: date, points: Sequence[DriftPoint]) -> tuple[float | None, str]:
    """How many months the frozen model held, which is how often to make it anew, and why.

    It held up to the date before the first two alerts in a row: one alone may be chance, since one date in twenty lies
    below the band for no reason. Where it held to the end, what is said is how long that was.
    """
    if not points:
        return None, message("There is no date to judge by yet.")
    days = [date.fromisoformat(point.as_of) for point in points]
    alerts = [point.alert for point in points]
    onset = next((place for place in range(len(points) - 1) if alerts[place] and alerts[place + 1]), None)
    if onset is not None:
        held = max(1.0, months_between(frozen_at, days[onset - 1] if onset else frozen_at))
        return held, message(
            "Refresh every {months}: the model frozen on {frozen_at} agreed with a refit, as far as chance allows, "
            "{until}; on {alert} and at the date after it did not (ARI {first:.2f} and {second:.2f}).",
            months=_months(held),
            frozen_at=frozen_at,
            until=message("up to {day}", day=days[onset - 1]) if onset else message("at no later date"),
            alert=days[onset],
            first=points[onset].ari,
            second=points[onset + 1].ari,
        )
    watched, alone = months_between(frozen_at, days[-1]), sum(alerts)
    sentences = [
        message(
            "No refresh was needed in the {watched} watched since {frozen_at}.",
            watched=_months(watched),
            frozen_at=frozen_at,
        )
    ]
    if not alone:
        sentences.append(message("At no date did the frozen model disagree with a refit by more than chance does."))
    elif alerts[-1]:
        sentences.append(
            message(
                "Only now, on {day}, is there an alert, and one alone may be chance: look again soon.", day=days[-1]
            )
        )
    else:
        sentences.append(
            message_number(
                "{alerts} of {dates} dates is an alert, never two in a row.",
                "{alerts} of {dates} dates are alerts, never two in a row.",
                alone,
                alerts=alone,
                dates=len(points),
            )
        )
    sentences.append(message("After {watched} look again at the latest.", watched=_months(watched)))
    return watched, joined(sentences)


# --- parts ------------------------------------------------------------------------------------------------------------


def _in_order(tables: Iterable[tuple[date, DataFrame]]) -> Iterator[tuple[date, DataFrame]]:
    latest: date | None = None
    for as_of, customers in tables:
        if latest is not None and as_of <= latest:
            raise ValueError(f"the tables of a timeline go forward in time, but {as_of} follows {latest}")
        latest = as_of
        yield as_of, in_order(customers)


def _fit(engine: Engine, as_of: date, customers: DataFrame) -> Fitted:
    try:
        return fit(engine, customers)[0]
    except InputError as error:
        raise InputError(
            "Sales before {as_of} cannot be segmented for the drift timeline: {error}", as_of=as_of, error=error
        ) from error


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


def _judged(point: DriftPoint, threshold: float) -> DriftPoint:
    return replace(point, alert=is_alert(point.ari, point.noise_low, threshold))


def is_alert(ari: float, noise_low: float | None, threshold: float) -> bool:
    """Whether a disagreement is an alarm: below the line, and more than chance makes of it where that is known."""
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


def _months(number: float) -> str:
    return message("1 month") if f"{number:g}" == "1" else message("{number:g} months", number=number)
