"""Recommended number of segments, from the figures of every k tried, with its reason and the runners-up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engines.messages import Message, joined, message, noted

#: What a k must reach to be recommended: the same segments come back, and none is too small for a campaign.
STABLE, SMALLEST = 0.8, 0.02
#: How sure the interval of later revenue is, and how many draws of customers it is made from.
INTERVAL, DRAWS = 0.8, 200


@dataclass(frozen=True)
class KPoint:
    """One number of segments that was tried; what cannot be had is None.

    ``segments``: how many have customers. ``inertia``, ``bic``, ``aic``: where the engine has them, on the customers
    evaluated. ``silhouette_error``, ``stability_error``: standard errors. ``captured``: the share of later revenue that
    the top fifth of customers brought in, segments ranked by their mean spend before; ``captured_low`` and
    ``captured_high``: the ends of its 80 % bootstrap interval.
    """

    k: int
    segments: int
    inertia: float | None
    silhouette: float | None
    silhouette_error: float | None
    calinski_harabasz: float | None
    davies_bouldin: float | None
    bic: float | None
    aic: float | None
    stability: float | None
    stability_error: float | None
    smallest_share: float
    captured: float | None = None
    captured_low: float | None = None
    captured_high: float | None = None


@dataclass(frozen=True)
class RunnerUp:
    """Another number of segments, and why it comes after the recommended one."""

    k: int
    why: str


@dataclass(frozen=True)
class MeasureChoice:
    """The k that one measure alone would take, its value there, and the k that comes next (None where none does)."""

    measure: str
    title: str
    k: int
    value: float | None = None
    next_k: int | None = None
    next_value: float | None = None


class Recommendation(NamedTuple):
    """The recommended k (None where there is nothing to judge by), why, and the others in order, each with its why."""

    k: int | None
    reason: str
    runners_up: tuple[RunnerUp, ...]


def recommend(points: Sequence[KPoint], *, elbow: int | None = None, lowest_bic: int | None = None) -> Recommendation:
    """The recommended k, why, and the runners-up.

    The rule. A k is sound when its stability is at least 0.8 (or was not measured) and its smallest segment holds at
    least 2 % of the customers. Among sound ones the share of later revenue decides that the top fifth of customers
    brought in: every k within the bootstrap interval of the highest counts as equal. Of equals the smallest wins, but
    where a mixture's BIC is lowest at one of them, inside the range, it is that one. Without later revenue or without a
    sound k the most stable is named (where stability is not known either, the one with the highest silhouette), and the
    reason says so.

    Silhouette, elbow and Davies-Bouldin do not decide; the reason names what they would take.

    Args:
        points: in ascending k.
        elbow: of the inertia.
        lowest_bic: the k with the lowest BIC.
    """
    sound = [point for point in points if not faults(point)]
    measured = [point for point in sound if point.captured is not None]
    others = _others_in_words(measure_choices(points, elbow=elbow, lowest_bic=lowest_bic))
    if measured:
        best = max(measured, key=lambda point: (_captured(point), -point.k))
        equal = [point for point in measured if _captured(point) >= _low(best)]
        by_bic = bic_decides(points, lowest_bic) and any(point.k == lowest_bic for point in equal)
        chosen = next(point for point in equal if not by_bic or point.k == lowest_bic)
        words = _by_revenue(chosen, best, equal, by_bic=by_bic)
        order = [*equal, *sorted(set(measured) - set(equal), key=lambda point: (-_captured(point), point.k))]
    else:
        known = [point for point in sound or _without_tiny(points) if point.stability is not None]
        known = known or [point for point in points if point.silhouette is not None]
        if not known:
            nothing = message("Neither later revenue, stability nor silhouette is known, so no k is recommended.")
            return Recommendation(None, joined((nothing, *others)), ())
        order = sorted(known, key=lambda point: (-(point.stability or 0), -(point.silhouette or 0), point.k))
        chosen = best = order[0]
        words = _most_stable(chosen, sound=bool(sound), later=any(point.captured is not None for point in points))
    ranked = [point for point in order if point is not chosen]
    ranked += sorted(
        (point for point in points if point not in order),
        key=lambda point: (len(faults(point)), -(point.stability or 0)),
    )
    equals = {point.k for point in measured if _captured(point) >= _low(best)} if measured else set()
    runners_up = tuple(RunnerUp(point.k, _why_not(point, best, equal=point.k in equals)) for point in ranked)
    return Recommendation(chosen.k, joined((*words, _soundness(chosen), *others)), runners_up)


def faults(point: KPoint) -> list[Message]:
    """What speaks against a k whatever else it is good at: too little stability, a tiny segment."""
    found = []
    if point.stability is not None and point.stability < STABLE:
        found.append(
            message(
                "Refits agree with it only to {stability:.3f} (adjusted Rand index), less than {stable}.",
                stability=point.stability,
                stable=STABLE,
            )
        )
    if point.smallest_share < SMALLEST:
        share = 100 * point.smallest_share
        found.append(message("Its smallest segment holds only {share:.1f} % of the customers.", share=share))
    return found


def bic_decides(points: Sequence[KPoint], lowest_bic: int | None) -> bool:
    """Whether BIC has a lowest point inside the range: one that still falls or rises at its end says nothing."""
    return lowest_bic is not None and lowest_bic not in (points[0].k, points[-1].k)


def measure_choices(
    points: Sequence[KPoint], *, elbow: int | None = None, lowest_bic: int | None = None
) -> tuple[MeasureChoice, ...]:
    """What the usual measures would take, each with its runner-up; BIC only where it decides."""
    found = list(_best_two(points, "silhouette", noted("silhouette"), higher=True))
    if elbow is not None:
        found.append(MeasureChoice("elbow", noted("elbow of the inertia"), elbow))
    found += _best_two(points, "davies_bouldin", noted("Davies-Bouldin"), higher=False)
    if bic_decides(points, lowest_bic):
        found += _best_two(points, "bic", noted("BIC"), higher=False)
    return tuple(found)


def _best_two(points: Sequence[KPoint], name: str, title: str, *, higher: bool) -> Iterator[MeasureChoice]:
    values = [(getattr(point, name), point.k) for point in points if getattr(point, name) is not None]
    order = sorted(values, key=lambda pair: (-pair[0] if higher else pair[0], pair[1]))
    if order:
        value, k = order[0]
        next_value, next_k = order[1] if len(order) > 1 else (None, None)
        yield MeasureChoice(name, title, k, value, next_k, next_value)


def _captured(point: KPoint) -> float:
    assert point.captured is not None
    return point.captured


def _low(point: KPoint) -> float:
    return _captured(point) if point.captured_low is None else min(point.captured_low, _captured(point))


def _without_tiny(points: Sequence[KPoint]) -> Sequence[KPoint]:
    return [point for point in points if point.smallest_share >= SMALLEST] or points


# --- in words ---------------------------------------------------------------------------------------------------------


def _by_revenue(chosen: KPoint, best: KPoint, equal: Sequence[KPoint], *, by_bic: bool) -> Iterator[Message]:
    if chosen is best:
        yield message(
            "k = {k}: the top fifth of customers by its segments brought in {captured} of later revenue, the most "
            "of all k that are stable and have no tiny segment.",
            k=chosen.k,
            captured=_share_with_interval(chosen),
        )
    else:
        yield message(
            "k = {k}: the top fifth of customers by its segments brought in {captured:.1f} % of later revenue. That "
            "counts as equal to the highest: k = {best} with {highest}.",
            k=chosen.k,
            captured=100 * _captured(chosen),
            highest=_share_with_interval(best),
            best=best.k,
        )
    if len(equal) > 1:
        yield (
            message("Of equals the one with the lowest BIC is taken.")
            if by_bic
            else message("Of equals the one with the fewest segments is taken.")
        )


def _most_stable(chosen: KPoint, *, sound: bool, later: bool) -> Iterator[Message]:
    if chosen.stability is None:
        yield message(
            "Neither later revenue nor stability is known; k = {k} has the highest silhouette. Use it with care.",
            k=chosen.k,
        )
        return
    if not sound:
        yield message(
            "No k is both stable (at least {stable}) and without segments below {smallest:.0f} % of the customers.",
            stable=STABLE,
            smallest=100 * SMALLEST,
        )
    elif not later:
        yield message("There are no later months to measure revenue on.")
    yield (
        message("k = {k} is the most stable.", k=chosen.k)
        if sound
        else message("k = {k} is the most stable; use it with care.", k=chosen.k)
    )


def _share_with_interval(point: KPoint) -> Message:
    if point.captured_low is None or point.captured_high is None:
        return Message("{value:.1f} %", {"value": 100 * _captured(point)})
    parts = {"value": 100 * _captured(point), "low": 100 * point.captured_low, "high": 100 * point.captured_high}
    return Message("{value:.1f} % ({low:.1f} to {high:.1f} %)", parts)


def _soundness(point: KPoint) -> str:
    share = 100 * point.smallest_share
    if point.stability is None:
        return message(
            "Stability was not measured; its smallest segment holds {share:.1f} % of the customers.", share=share
        )
    return message(
        "Refits agree with it to {stability:.2f} (adjusted Rand index), and its smallest segment "
        "holds {share:.1f} % of the customers.",
        stability=point.stability,
        share=share,
    )


def _why_not(point: KPoint, best: KPoint, *, equal: bool) -> str:
    found: list[Message] = []
    if point.captured is not None:
        words = message("Top fifth: {captured} of later revenue.", captured=_share_with_interval(point))
        found.append(words)
    wrong = faults(point)
    if wrong:
        return joined((*wrong, *found))
    if equal:
        found.append(message("It counts as equal."))
    elif best.captured is not None and point.captured is not None:
        found.append(message("That is less than the interval of the highest."))
    elif point.stability is not None:
        found.append(message("Stability {stability:.2f}.", stability=point.stability))
    return joined(found)


def _others_in_words(choices: Sequence[MeasureChoice]) -> list[Message]:
    """What the measures say that do not decide."""
    if not choices:
        return []
    each = []
    for choice in choices:
        measure = message(choice.title)
        if choice.next_k is None:
            each.append(message("{measure} k = {k}", measure=measure, k=choice.k))
        else:
            words = noted("{measure} k = {k} (then {next_k})")
            each.append(message(words, measure=measure, k=choice.k, next_k=choice.next_k))
    return [message("Other measures alone would take: {choices}.", choices=joined(each, ", "))]
