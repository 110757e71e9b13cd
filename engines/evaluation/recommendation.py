"""Recommended number of segments, from the figures of every k tried, with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engines.messages import Message, joined, message

#: What a k must reach to be recommended: the same segments come back, and none is too small for a campaign.
STABLE, SMALLEST = 0.75, 0.02


@dataclass(frozen=True)
class KPoint:
    """One number of segments that was tried; what cannot be had is None.

    ``segments``: how many have customers. ``inertia``, ``bic``, ``aic``: where the engine has them, on the customers
    evaluated. ``silhouette_error``, ``stability_error``: standard errors.
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


def recommend(
    points: Sequence[KPoint],
    *,
    elbow: int | None = None,
    lowest_bic: int | None = None,
) -> tuple[int | None, str]:
    """The recommended k and why; None where no k has a silhouette or a BIC to judge by.

    The rule. A k is sound when its stability is at least 0.75 (or was not measured) and its smallest segment holds at
    least 2 % of the customers. Among sound ones the silhouette decides: the fewest segments whose silhouette is within
    one standard error of the highest. Where the engine has a BIC (a mixture), the k of the lowest one goes before, if
    it is sound and not the largest tried: a BIC that is still falling at the end of the range says nothing. Where no k
    is sound, the one with the highest silhouette is named all the same, and the reason says what speaks against it.

    The elbow does not decide; the reason names it.

    Args:
        points: in ascending k.
        elbow: of the inertia.
        lowest_bic: the k with the lowest BIC.
    """
    sound = [point for point in points if not _faults(point)]
    rest = _also(elbow, lowest_bic)
    if lowest_bic is not None and lowest_bic != points[-1].k:
        for point in sound:
            if point.k == lowest_bic:
                words = message("k = {k} has the lowest BIC of those tried.", k=point.k)
                return point.k, joined((words, _soundness(point), *rest))
    measured = [(point.silhouette, point) for point in sound or points if point.silhouette is not None]
    if not measured:
        words = message("There is no silhouette and no BIC to judge by, so no k is recommended.")
        return None, joined((words, *rest))
    highest, best = max(measured, key=lambda pair: (pair[0], -pair[1].k))
    if not sound:
        alternatives = (
            message(
                "No k is both stable (at least {stable:.2f}) and without segments below {smallest:.1f} % "
                "of the customers.",
                stable=STABLE,
                smallest=100 * SMALLEST,
            ),
            message(
                "k = {k} has the highest silhouette, {silhouette}; use it with care.", k=best.k, silhouette=_pm(best)
            ),
            *_faults(best),
        )
        return best.k, joined((*alternatives, *rest))
    near = highest - (best.silhouette_error or 0.0)
    chosen = next(point for value, point in measured if value >= near)
    if chosen is best:
        words = message("k = {k} has the highest silhouette, {silhouette}.", k=best.k, silhouette=_pm(best))
    else:
        words = message(
            "k = {k} is the smallest k whose silhouette, {silhouette}, is within one standard error of "
            "the highest ({highest} at k = {best}).",
            k=chosen.k,
            silhouette=_pm(chosen),
            highest=_pm(best),
            best=best.k,
        )
    if len(sound) < len(points):
        words = joined((words, message("Only those were weighed that are stable and have no tiny segment.")))
    return chosen.k, joined((words, _soundness(chosen), *rest))


def _faults(point: KPoint) -> list[Message]:
    faults = []
    if point.stability is not None and point.stability < STABLE:
        faults.append(
            message("Refits agree with it only to {stability:.2f} (adjusted Rand index).", stability=point.stability)
        )
    if point.smallest_share < SMALLEST:
        share = 100 * point.smallest_share
        faults.append(message("Its smallest segment holds only {share:.1f} % of the customers.", share=share))
    return faults


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


def _pm(point: KPoint) -> Message:
    if point.silhouette_error is None:
        return Message("{value:.3f}", {"value": point.silhouette})
    return Message("{value:.3f} ± {error:.3f}", {"value": point.silhouette, "error": point.silhouette_error})


def _also(elbow: int | None, lowest_bic: int | None) -> list[Message]:
    """What the measures say that do not decide."""
    words = []
    if elbow is not None:
        words.append(message("For comparison: the elbow of the inertia is at k = {elbow}.", elbow=elbow))
    if lowest_bic is not None:
        words.append(message("For comparison: BIC is lowest at k = {lowest_bic}.", lowest_bic=lowest_bic))
    return words
