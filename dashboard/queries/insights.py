"""What stands out in a run, for every face: from its customers in view and, where there is one, an earlier run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from dashboard.frames.aggregates import (
    AT_RISK,
    CLV_KNOWN,
    Aggregate,
    aggregate_customers,
    best_spenders,
    one_time_buyers,
)
from dashboard.frames.cache import FrameCache
from dashboard.frames.columns import Mask
from dashboard.frames.run import RunFrame
from dashboard.i18n.numbers import change_percent, count, day, percent, short_money
from dashboard.i18n.texts import say, say_number, segment_name
from dashboard.pipeline.series import earlier_runs
from engines.columns import CLV, MONETARY, RECENCY
from engines.evaluation.insights import Earlier, Insight, Sums, Writing, best_tenth, insights, sentence
from storage import Store
from storage.contract import Run, Selection


def growth_base(run: Run, earlier: Sequence[Run]) -> Earlier | None:
    """What a run's growth is measured against, of :func:`~dashboard.pipeline.series.earlier_runs`; None without any."""
    if not earlier:
        return None
    names = {item.known_by: item.name for item in run.segments}
    then = {names.get(item.known_by, item.name): item.customers for item in earlier[-1].segments}
    return Earlier(earlier[-1].as_of, then)


def insights_in_view(frame: RunFrame, mask: Mask, view: Aggregate, earlier: Earlier | None = None) -> list[Insight]:
    """What stands out among the customers in view; ``earlier`` only where that is everyone."""
    n = len(frame.segments)
    sums = {name: view.by_segment(name, n) for name in view.sums}
    view_sums = Sums(
        [item.name for item in frame.segments],
        view.sizes_by_segment(n).astype(float),
        revenue=sums[MONETARY],
        recency=sums[RECENCY],
        clv=sums.get(CLV),
        valued=sums.get(CLV_KNOWN),
        at_risk=sums.get(AT_RISK),
        best_revenue=best_spenders(frame, mask, best_tenth(view.customers)),
        once=int(np.count_nonzero(one_time_buyers(frame) & mask)),
    )
    return insights(view_sums, earlier)


def insights_of(store: Store, frames: FrameCache, run_id: int, selection: Selection | None = None) -> list[Insight]:
    """What stands out in a finished run, or among its customers that meet a selection.

    Raises:
        NotFoundError: no such run, or it is not finished.
    """
    frame = frames.get(run_id)
    everyone = selection is None or selection.is_everyone
    mask = frame.mask(Selection() if selection is None else selection)
    base = growth_base(frame.run, earlier_runs(store, frame.run)) if everyone else None
    return insights_in_view(frame, mask, aggregate_customers(frame, mask), base)


def sentences_of(insight_list: Sequence[Insight], currency: str) -> list[str]:
    """Insights as sentences."""
    how = Writing(
        partial(short_money, currency=currency), count, percent, change_percent, day, say, say_number, segment_name
    )
    return [sentence(item, how) for item in insight_list]


def insight_dicts(insight_list: Sequence[Insight], currency: str) -> list[dict[str, Any]]:
    """Insights as JSON-ready values: kind, sentence and the figures behind it."""
    return [
        {"kind": item.kind, "sentence": text, "values": dict(item.values)}
        for item, text in zip(insight_list, sentences_of(insight_list, currency), strict=True)
    ]
