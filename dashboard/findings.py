"""What stands out in a run, for every face: from its customers in view and, where there is one, an earlier run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from dashboard.frames import FrameCache
from dashboard.numbers import short_money
from dashboard.run_frame import Mask, RunFrame
from engines.columns import CHURN_RISK, CLV, FREQUENCY, MONETARY, RECENCY
from engines.insights import Earlier, Insight, insights, sentence
from storage.contract import Run, Selection, Store

_ASKED = (RECENCY, FREQUENCY, MONETARY, CLV, CHURN_RISK)


def earlier_run(store: Store, run: Run) -> Run | None:
    """The latest finished run on an earlier date with the same data set, engine and settings (but for the seed)."""
    same = [
        other
        for other in store.runs()
        if other.state == "done"
        and (other.dataset, other.engine) == (run.dataset, run.engine)
        and other.as_of < run.as_of
        and _without_seed(other) == _without_seed(run)
    ]
    return max(same, key=lambda other: (other.as_of, other.id), default=None)


def _without_seed(run: Run) -> Mapping[str, Any]:
    return {name: value for name, value in run.settings.items() if name != "seed"}


def growth_base(store: Store, run: Run) -> Earlier | None:
    """What a run's growth is measured against; None where there is no earlier run."""
    before = earlier_run(store, run)
    return None if before is None else Earlier(before.as_of, {item.name: item.customers for item in before.segments})


def insights_in_view(frame: RunFrame, mask: Mask, earlier: Earlier | None = None) -> list[Insight]:
    """What stands out among the customers that a mask leaves in view; ``earlier`` only where that is everyone."""
    columns = {name: frame.values(name) for name in _ASKED if frame.has(name)}
    codes = np.where(mask, frame.segment_codes, len(frame.segments))
    return insights(columns, codes, [item.name for item in frame.segments], earlier)


def insights_of(store: Store, frames: FrameCache, run_id: int, selection: Selection | None = None) -> list[Insight]:
    """What stands out in a finished run, or among its customers that meet a selection.

    Raises:
        NotFoundError: no such run, or it is not finished.
    """
    frame = frames.get(run_id)
    everyone = selection is None or selection.is_everyone
    mask = frame.mask(Selection() if selection is None else selection)
    return insights_in_view(frame, mask, growth_base(store, frame.run) if everyone else None)


def told(found: Sequence[Insight], currency: str) -> list[str]:
    """Insights as sentences."""
    return [sentence(item, partial(short_money, currency=currency)) for item in found]


def insight_dicts(found: Sequence[Insight], currency: str) -> list[dict[str, Any]]:
    """Insights as JSON-ready values: kind, sentence and the figures behind it."""
    return [
        {"kind": item.kind, "sentence": text, "values": dict(item.values)}
        for item, text in zip(found, told(found, currency), strict=True)
    ]
