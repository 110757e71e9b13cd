"""Which snapshots may go: old ones, with their runs and customers, by the number or the months that are kept."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.config import Retention
from dashboard.pipeline.series import published_ids
from storage import Store
from storage.contract import ChangedError, NotFoundError, PublishedError, Run, Snapshot


@dataclass(frozen=True)
class Leaving:
    """A snapshot that goes, with the runs that go with it."""

    snapshot: Snapshot
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Spared:
    """A snapshot that would go by its age and number, and stays for a reason of its own."""

    snapshot: Snapshot
    reason: str


@dataclass(frozen=True)
class PrunePlan:
    """What pruning does: ``leaving`` go, the oldest first; ``spared`` stay all the same; ``staying``: how many stay."""

    leaving: tuple[Leaving, ...]
    spared: tuple[Spared, ...]
    staying: int

    def to_dict(self, deleted: Sequence[int] = ()) -> dict[str, Any]:
        """The plan as ``segmentry prune --json`` prints it, with the ids of the snapshots that were deleted."""
        leaving = [
            {
                **_snapshot_dict(item.snapshot),
                "customers": item.snapshot.customers,
                "runs": [run.id for run in item.runs],
            }
            for item in self.leaving
        ]
        return {
            "snapshots": leaving,
            "spared": [{**_snapshot_dict(item.snapshot), "reason": item.reason} for item in self.spared],
            "kept": self.staying,
            "totals": self.totals(),
            "deleted": list(deleted),
        }

    def totals(self) -> dict[str, int]:
        """How many snapshots, runs and rows of customers go."""
        return {
            "snapshots": len(self.leaving),
            "runs": sum(len(item.runs) for item in self.leaving),
            "customers": sum(item.snapshot.customers for item in self.leaving),
        }


def _snapshot_dict(snapshot: Snapshot) -> dict[str, Any]:
    created = snapshot.created_at.isoformat() if snapshot.created_at is not None else None
    return {
        "snapshot": snapshot.id,
        "name": snapshot.dataset,
        "as_of": snapshot.as_of.isoformat(),
        "created_at": created,
    }


def plan_pruning(store: Store, retention: Retention, now: datetime) -> PrunePlan:
    """Which snapshots are beyond what is kept: neither among the newest nor saved in the last months.

    The newest of each data set, by its date, stays whatever is asked, and so does one with the published run, with a
    run that is queued or running, or with names given by hand that the next run of its engine would take over.

    Args:
        store: whose snapshots.
        retention: how many snapshots of each data set, and how many months, are kept; 0 sets no limit, and where the
            other one does it alone decides.
        now: from when months are counted back.
    """
    snapshots = sorted(store.snapshots(), key=lambda each: (each.as_of, each.id), reverse=True)
    if not retention.keep_snapshots and not retention.keep_months:
        return PrunePlan((), (), len(snapshots))
    since = _months_before(now, retention.keep_months) if retention.keep_months else None
    runs: dict[int, list[Run]] = {}
    for run in store.runs():
        runs.setdefault(run.snapshot_id, []).append(run)
    named = _named_by_hand(runs)
    published = published_ids(store)
    seen: dict[str, int] = {}
    leaving, spared = [], []
    for snapshot in snapshots:
        place = seen[snapshot.dataset] = seen.get(snapshot.dataset, 0) + 1
        recent = since is not None and snapshot.created_at is not None and snapshot.created_at >= since
        if place <= max(1, retention.keep_snapshots) or recent:
            continue
        mine = runs.get(snapshot.id, [])
        if live := [run.id for run in mine if run.id in published]:
            spared.append(Spared(snapshot, f"run {live[0]} is the published run"))
        elif any(run.state in ("queued", "running") for run in mine):
            spared.append(Spared(snapshot, "a run of it is queued or running"))
        elif snapshot.id in named:
            spared.append(Spared(snapshot, f"the next run takes over names given by hand to run {named[snapshot.id]}"))
        else:
            leaving.append(Leaving(snapshot, tuple(mine)))
    leaving.reverse()
    return PrunePlan(tuple(leaving), tuple(spared), len(snapshots) - len(leaving))


def prune_snapshots(store: Store, planned: PrunePlan) -> tuple[list[int], list[Spared]]:
    """Delete what a plan says, a snapshot at a time; the ids of those that went, and those spared after all.

    Whoever has begun to work on a snapshot, or published a run of it, since the plan was made keeps it. Files that
    nothing refers to go as well.
    """
    gone, spared = [], []
    for item in planned.leaving:
        try:
            store.delete_snapshot(item.snapshot.id, idle=True)
        except ChangedError:
            spared.append(Spared(item.snapshot, "a run of it was queued or started meanwhile"))
        except PublishedError:
            spared.append(Spared(item.snapshot, "a run of it was published meanwhile"))
        except NotFoundError:  # someone else has deleted it: it is gone, as it should be
            continue
        else:
            gone.append(item.snapshot.id)
    store.sweep_objects()
    return gone, spared


def _named_by_hand(runs: Mapping[int, Sequence[Run]]) -> dict[int, int]:
    """The snapshots whose runs hold names given by hand that the next run of their engine would take over."""
    latest: dict[tuple[str, str], Run] = {}
    for run in (run for of_one in runs.values() for run in of_one if run.state == "done"):
        before = latest.get((run.dataset, run.engine))
        if before is None or (run.finished_at, run.id) > (before.finished_at, before.id):
            latest[run.dataset, run.engine] = run
    return {run.snapshot_id: run.id for run in latest.values() if run.revision}


def _months_before(moment: datetime, months: int) -> datetime:
    """The same day of an earlier month, or its last day where it has no such day."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
