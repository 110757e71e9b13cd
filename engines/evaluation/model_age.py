"""Agreement by model age: how well models made some months ago agree with one made anew, and when to make a new one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from engines.checks import labels_of
from engines.contract import AgeAgreement, DriftPoint, Fitted
from engines.evaluation.calendar import months_between
from engines.evaluation.drift import adjusted_rand
from engines.messages import joined, message, message_number

#: The oldest models that are compared, in months.
OLDEST = 12

_WORSE = 0.05  # how much less well an older model must agree than a young one, to be too old
_MONTH_DAYS = 365.25 / 12
_OFF_DAYS = 3.5  # how far an age may be from a whole number of months: starts of months are, and so are weeks


class Agreements:
    """Models by the date they were made, each compared with those made later, on the customers of the later date."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._models: list[tuple[date, Fitted]] = []
        self._found: dict[int, list[float]] = {}

    def add(self, made_at: date, model: Fitted) -> None:
        """Keep a model for the dates to come."""
        self._models.append((made_at, model))

    def compare(self, as_of: date, customers: DataFrame, labels: NDArray[np.int64]) -> None:
        """Compare the models of a whole number of months ago with the labels that one made anew gives."""
        for made_at, model in self._models:
            months = age_in_months(made_at, as_of)
            if months is not None:
                old = labels_of(self._title, model, customers).to_numpy()
                self._found.setdefault(months, []).append(adjusted_rand(old, labels))

    def by_age(self) -> tuple[AgeAgreement, ...]:
        """Mean, least and largest index at each age, the youngest first."""
        return tuple(
            AgeAgreement(months, float(np.mean(found)), min(found), max(found), len(found))
            for months, found in sorted(self._found.items())
        )


def age_in_months(made_at: date, as_of: date) -> int | None:
    """How old a model is in whole months, 1 to 12; None where it is not near to a whole number, or older."""
    days = (as_of - made_at).days
    months = round(days / _MONTH_DAYS)
    return months if 1 <= months <= OLDEST and abs(days - months * _MONTH_DAYS) <= _OFF_DAYS else None


def refresh_interval(
    frozen_at: date, points: Sequence[DriftPoint], ages: Sequence[AgeAgreement], threshold: float
) -> tuple[float | None, str]:
    """How old a model may become before one made anew would divide customers otherwise, in months, and why.

    Models are too old from the age on at which, and at the next, they agree on average with new ones less than

    - ``threshold``,
    - what chance makes of two models of one date (see :func:`engines.evaluation.timeline.noise`; the median), and
    - the youngest models do, by 0.05: where even these disagree, age is not the reason.

    A single frozen model says less: whether it was made on a good day is in every one of its points.
    """
    if not points:
        return None, message("There is no date to judge by yet.")
    watched = months_between(frozen_at, date.fromisoformat(points[-1].as_of))
    if not ages:
        sentence = message(
            "There are too few dates since {frozen_at} to say how models age; look again after {watched}.",
            frozen_at=frozen_at,
            watched=in_months(watched),
        )
        return watched, sentence
    noise = [point.noise_low for point in points if point.noise_low is not None]
    line = min(threshold, ages[0].ari - _WORSE, *([float(np.median(noise))] if noise else []))
    below = [age.ari < line for age in ages]
    old = next((place for place in range(len(ages)) if below[place] and all(below[place + 1 : place + 2])), None)
    held = ages[-1 if old is None else old - 1]  # the youngest are never below
    if old is None:
        sentences = [
            *([] if points[-1].alert else [message("No refresh was needed.")]),
            message(
                "Models made since {frozen_at} agree on average with one made anew about as well at every age up to "
                "{held} (ARI {ari:.2f} at that age): after {held} look again at the latest.",
                frozen_at=frozen_at,
                held=in_months(held.months),
                ari=held.ari,
            ),
        ]
    else:
        sentences = [
            message(
                "Refresh every {held}: models made since {frozen_at} agree on average with one made anew while they "
                "are up to {held} old (ARI {ari:.2f}), and no longer at {older} (ARI {later:.2f}, below {line:.2f}).",
                held=in_months(held.months),
                frozen_at=frozen_at,
                ari=held.ari,
                older=in_months(ages[old].months),
                later=ages[old].ari,
                line=line,
            )
        ]
    if ages[0].ari < threshold:
        sentences.append(
            message(
                "Even models {young} old agree only to ARI {ari:.2f}: the segments are not well determined. Choose a "
                "number of segments with a higher stability.",
                young=in_months(ages[0].months),
                ari=ages[0].ari,
            )
        )
    return float(held.months), joined([*sentences, *_alerts(points)])


def in_months(number: float) -> str:
    """A number of months in words."""
    return message("1 month") if f"{number:g}" == "1" else message("{number:g} months", number=number)


def _alerts(points: Sequence[DriftPoint]) -> list[str]:
    alerts = [point for point in points if point.alert]
    if not alerts:
        return []
    counted = message_number(
        "{alerts} of {dates} dates is an alert.",
        "{alerts} of {dates} dates are alerts.",
        len(alerts),
        alerts=len(alerts),
        dates=len(points),
    )
    if not points[-1].alert:
        return [counted]
    if points[-1].cause == "population":
        return [counted, message("At the latest the customers themselves have changed: make the model anew now.")]
    return [counted, message("At the latest the segments no longer fit: make the model anew now.")]
