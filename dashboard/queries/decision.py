"""What publishing a run would change, against the published run: people, money, audiences, and how good it is."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow.compute as pc

from dashboard.frames.run import RunFrame
from dashboard.pipeline.checks import checks
from dashboard.queries.audiences import audience_selection, count_on
from dashboard.services import Services
from engines.columns import MONETARY, MONEY_SCALE
from engines.errors import InputError
from storage.contract import NotFoundError, Run


class TouchedAudience(NamedTuple):
    """A saved audience whose size would be another; ``after`` None: it asks for a segment that the run lacks."""

    name: str
    before: int | None
    after: int | None


class Figures(NamedTuple):
    """How good a run is; None where that is not known. ``agreement``: of its model with a refit at its last date."""

    stability: float | None
    later_revenue: float | None
    agreement: float | None


class Decision(NamedTuple):
    """What publishing ``candidate`` in place of ``published`` changes.

    ``known``: customers of both runs, ``changed`` of them in another segment, ``money`` what those have spent so far.
    ``new`` and ``gone``: customers of one of the two alone. ``checks`` as :func:`dashboard.pipeline.checks.checks`.
    """

    candidate: Run
    published: Run
    known: int
    changed: int
    money: float
    new: int
    gone: int
    audiences: tuple[TouchedAudience, ...]
    checks: tuple[dict[str, Any], ...]
    now: Figures
    then: Figures


def decision_on(services: Services, candidate: Run) -> Decision | None:
    """What there is to decide about a finished run; None where it is the published one, or none is published."""
    publication = services.store.published(candidate.dataset)
    if publication is None or publication.run_id == candidate.id or candidate.state != "done":
        return None
    try:
        published = services.store.run(publication.run_id)
        before, after = services.frames.of(published), services.frames.of(candidate)
    except NotFoundError:  # another was published meanwhile, and this one deleted
        return None
    places = pc.index_in(after.customers.ids, before.customers.ids).fill_null(-1).to_numpy().astype(np.intp)
    both = places >= 0
    moved = _identities(before)[places[both]] != _identities(after)[both]
    units = np.rint(np.nan_to_num(after.values(MONETARY).astype(np.float64)) * MONEY_SCALE)[both]
    return Decision(
        candidate,
        published,
        known=int(both.sum()),
        changed=int(moved.sum()),
        money=float(units[moved].sum()) / MONEY_SCALE,
        new=int((~both).sum()),
        gone=len(before) - int(both.sum()),
        audiences=_touched(services, published, candidate),
        checks=tuple(checks(services.store, services.config, candidate, published)),
        now=_figures(services, candidate),
        then=_figures(services, published),
    )


def _identities(frame: RunFrame) -> np.ndarray[Any, Any]:
    """What the segment of each customer is known by."""
    return np.array([item.known_by for item in frame.segments], dtype=object)[frame.segment_codes]


def _touched(services: Services, published: Run, candidate: Run) -> tuple[TouchedAudience, ...]:
    touched = []
    for audience in services.store.audiences():
        if audience.dataset not in ("", published.dataset) or audience.engine not in ("", published.engine):
            continue
        try:
            selection = audience_selection(audience)
        except InputError:  # of an older version; the page of audiences says so
            continue
        before, after = (count_on(services, run, selection) for run in (published, candidate))
        if before != after:
            touched.append(TouchedAudience(audience.name, before, after))
    return tuple(touched)


def _figures(services: Services, run: Run) -> Figures:
    points = services.store.drift(run.id)
    return Figures(run.metrics.get("stability"), run.metrics.get("holdout_revenue"), points[-1].ari if points else None)
