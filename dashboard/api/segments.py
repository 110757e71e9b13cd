"""Routes about the segments of a run: list them, tell all about one, edit one, and what stands out in them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Request

from dashboard.api.answers import Answer, Body
from dashboard.api.selection import SELECTION_DOCS, query_selection
from dashboard.frames.aggregates import SegmentTotals, everyone, segment_totals
from dashboard.frames.cache import require_finished
from dashboard.pipeline.rename import rename
from dashboard.queries.advice import advice_on
from dashboard.queries.insights import insight_dicts, insights_of
from dashboard.queries.segment import segment_profile
from dashboard.services import Services
from engines.contract import NamedSegment, segment_by_key


class SegmentEdit(Body):
    """An edit of a segment; what is null or left out stays as it is. ``revision`` is that of the segment as seen."""

    revision: int
    name: str | None = None
    action: str | None = None
    pinned: bool | None = None


class SegmentMerge(Body):
    """Which segment to treat as one with another; ``into`` null: take apart again what is one with it."""

    revision: int
    into: int | None = None


def add_segments(api: FastAPI, services: Services) -> None:
    """Add the routes of segments."""
    store = services.store

    @api.get("/runs/{run_id}/segments")
    def segments(run_id: int) -> Answer:
        """The segments of a finished run, with facts about their customers and why their advice is given.

        ``total_clv``: the sum of their CLV; ``clv_range``: the low and high end of that sum, null where unknown.
        """
        run = require_finished(store.run(run_id))
        frame = services.frames.of(run)
        rows = {row.segment.key: row for row in segment_totals(frame, everyone(frame))}
        return Answer([{**asdict(item), **_told(item, rows.get(item.key), frame.currency)} for item in run.segments])

    def _told(item: NamedSegment, row: SegmentTotals | None, currency: str) -> dict[str, Any]:
        return {
            "why": advice_on(item, services.config.plays, currency).why,
            "total_clv": row.total_clv if row else None,
            "clv_range": row.clv_range if row else None,
        }

    @api.get("/runs/{run_id}/segments/{key}")
    def segment(run_id: int, key: int) -> Answer:
        """One segment: who they are, rule in words, figures, countries, categories, who came and who left."""
        return Answer(segment_profile(services, run_id, key).to_dict())

    @api.patch("/runs/{run_id}/segments/{key}")
    def edit_segment(run_id: int, key: int, edit: SegmentEdit) -> Answer:
        """Give a segment a name and an action by hand, and pin them; answers with the segment."""
        run = rename(
            services, run_id, key, revision=edit.revision, name=edit.name, action=edit.action, pinned=edit.pinned
        )
        return Answer(asdict(segment_by_key(run.segments)[key]))

    @api.post("/runs/{run_id}/segments/{key}/merge")
    def merge_segment(run_id: int, key: int, merge: SegmentMerge) -> Answer:
        """Treat a segment as one with another on every date, or take it apart again; answers with all segments.

        The runs stay as they are: nobody's label changes.
        """
        run = store.merge_segment(run_id, key, merge.into, revision=merge.revision)
        return Answer([asdict(item) for item in run.segments])

    @api.get("/runs/{run_id}/insights", openapi_extra=SELECTION_DOCS)
    def what_stands_out(request: Request, run_id: int) -> Answer:
        """What stands out in a finished run, or among its customers that meet a selection."""
        insights = insights_of(store, services.frames, run_id, query_selection(request))
        currency = services.frames.get(run_id).currency
        return Answer({"run": run_id, "insights": insight_dicts(insights, currency)})
