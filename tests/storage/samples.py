"""Made-up customers, snapshots and results with every oddity a store must cope with, and stores filled with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import delete

from engines.columns import (
    CHURN_RISK,
    CLV,
    COUNTRY,
    CUSTOMER_ID,
    DICTIONARY,
    FILTERS,
    FREQUENCY,
    MONETARY,
    P_PURCHASE,
    RECENCY,
)
from engines.contract import DriftPoint, Facts, LivePoint, NamedSegment, Segment, Segmentation, Shift, Size
from storage import Store
from storage.contract import NewSnapshot, Run, Selection, Snapshot
from storage.contract.exports import Export
from storage.contract.selection import Range
from storage.sql.shared import json_value
from storage.sql.tables import DriftRow, PublicationRow, ValidationRow
from storage.sql.watch import drift_rows

NAMES = ("Champions", 'Can\'t "Lose" Them', "Lost; DROP TABLE runs --", "Über % of_all")
COUNTRIES = ("United Kingdom", "Côte d'Ivoire", "Unknown", None)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2024, 5, 17, 12, 30, 15, 250_000, UTC)

    def __call__(self) -> datetime:
        """The moment it stands at."""
        return self.now

    def forward(self, seconds: float) -> None:
        """Move it on."""
        self.now += timedelta(seconds=seconds)


def sample_customers(count: int = 200, seed: int = 0) -> pd.DataFrame:
    """Customers with every column of the dictionary, category shares and plug-in features, and all kinds of gaps.

    Indexed by customer id in code point order; ids and texts hold quotes, backslashes, wildcards and letters of several
    alphabets. The same count and seed give the same customers.
    """
    draw = np.random.default_rng(seed)
    odd = ("o'Brien", 'say "hi"', "50%_off", "back\\slash", "ÉCLAIR", "жанна", "平仮名", "0042", "{id}", ":name", "😀")
    ids = [*odd[:count], *(f"C{number:07d}" for number in range(max(0, count - len(odd))))]
    columns: dict[str, Any] = {}
    for name, column in DICTIONARY.items():
        if column.kind == "text":
            columns[name] = pd.Series([COUNTRIES[number % 4] for number in range(count)], dtype="str").array
        elif column.kind == "date":
            columns[name] = np.datetime64("2021-03-04", "us") + draw.integers(0, 900, count).astype("timedelta64[D]")
        elif column.kind == "flag":
            columns[name] = draw.random(count) < 0.5
        elif column.kind in ("count", "days"):
            columns[name] = draw.integers(1, 400, count)
        else:
            values = draw.gamma(1.5, 70.0, count) if column.kind != "share" else draw.random(count)
            columns[name] = np.where(draw.random(count) < 0.1, np.nan, values)
    del columns[CUSTOMER_ID]
    columns["share_tea & cake"] = np.where(draw.random(count) < 0.3, np.nan, draw.random(count))
    columns["plug'in_rank"] = draw.integers(-5, 5, count)
    columns["plugin_note"] = pd.Series(
        [None if n % 3 else f'line\n"{n}" \\ é' for n in range(count)], dtype="str"
    ).array
    columns["plugin_vip"] = draw.random(count) < 0.2
    columns["plugin_seen"] = np.datetime64("2022-01-01T10:11:12.131415", "us") + draw.integers(0, 99, count).astype(
        "m8[s]"
    )
    return pd.DataFrame(columns, index=pd.Index(ids, name=CUSTOMER_ID, dtype="str")).sort_index()


def sample_snapshot(**changes: Any) -> NewSnapshot:
    """A snapshot to be saved; what is named is changed."""
    new = NewSnapshot(
        dataset="Teas & Co",
        source="teas.csv",
        fingerprint="f00d",
        as_of=date(2024, 5, 1),
        settings={"mapping": {"customer_id": "Kunde"}, "rules": ["a", "b"], "horizon": 26},
        ledger={"in": {"lines": 3, "revenue": 12.5}, "rules": []},
        info={"currency": "GBP", "has_country": True},
    )
    return replace(new, **changes)


class NoModel:
    """The model of a segmentation made for a test: stores do not keep it."""

    segments: tuple[Segment, ...] = ()
    diagnostics: dict[str, float] = {}  # noqa: RUF012

    def assign(self, customers: pd.DataFrame) -> pd.Series[Any]:
        """Everyone into segment 0."""
        return pd.Series(0, index=customers.index)


def sample_result(customers: pd.DataFrame, seed: int = 0) -> Segmentation:
    """A segmentation of these customers into four segments with keys 0, 2, 4 and 6."""
    keys = np.random.default_rng(seed).integers(0, 4, len(customers)) * 2
    segments = tuple(
        NamedSegment(
            2 * i,
            name,
            f"Do {i}",
            f"#00000{i}",
            int((keys == 2 * i).sum()),
            0.25,
            9.5,
            2.0,
            99.9,
            None if i else 5.5,
            facts=Facts(0.5, 0.4, 9.5, 8.25, 2.0, 1.75, 99.9, 80.0, 1, None if i else 30.5, None if i else 29.0),
            identity=name,
        )
        for i, name in enumerate(NAMES)
    )
    labels = pd.Series(keys, index=customers.index)
    metrics = {"silhouette": 0.25, "davies_bouldin": None, "broken": float("nan")}
    return Segmentation("kmeans", {"k": 4}, labels, segments, metrics, NoModel(), len(customers), ("a note",))


#: drift points, in the order of their dates
POINTS = (
    DriftPoint("2024-02-01", 20, 0.75, True, noise_low=None, moved_share=0.25),
    DriftPoint("2024-03-01", 30, 0.1, False, noise_low=0.5, moved_share=None),
)

#: points with all that can be known of them: nothing to worry about, and an alert
CALM = DriftPoint(
    *("2024-04-01", 30, 0.9, False),
    noise_low=0.8,
    moved_share=0.1,
    model_moved=0.05,
    noise_measured=True,
    refit_on=30,
    noise_on=15,
    shifts=(Shift("recency_days", 0.3, -0.25, 10.0, 20.5),),
    sizes=(Size(0, 20, 12.5), Size(2, 10, 0.0)),
)
ALARM = replace(CALM, as_of="2024-05-01", ari=0.4, alert=True)
LIVE = LivePoint(7, "2024-04-01", "2024-05-01", 28, 0.3, True, noise_low=0.85, moved_share=0.2)

#: selections of every kind, with everything in them that may break a query
SELECTIONS = (
    Selection(),
    Selection(segments=(NAMES[1], NAMES[2])),
    Selection(segments=(NAMES[3], "no such segment")),
    Selection(segments=("no such segment",)),
    Selection(countries=("Côte d'Ivoire",)),
    Selection(countries=("x' OR '1'='1", "nul\x00", "\ud800")),
    Selection(bounds={CLV: Range(50.0)}),
    Selection(bounds={FREQUENCY: Range(200), RECENCY: Range(None, 200)}),
    Selection(bounds={MONETARY: Range(70.25), CHURN_RISK: Range(None, 0.5)}, countries=("Unknown", "United Kingdom")),
    Selection(q="c00000"),
    Selection(q="%"),
    Selection(q="_"),
    Selection(q="'"),
    Selection(q="\\"),
    Selection(q=":name"),
    Selection(q="éclair"),
    Selection(q="ЖАН"),
    Selection(q="C0000001", segments=NAMES, bounds={CLV: Range(0.0)}),
    Selection(q="\x00"),
    Selection(
        bounds={
            RECENCY: Range(100, 300),
            FREQUENCY: Range(None, 350),
            CLV: Range(None, 200.0),
            MONETARY: Range(None, 180.0),
        }
    ),
    Selection(bounds={CHURN_RISK: Range(0.2, 0.8), P_PURCHASE: Range(0.1, 0.9)}),
    *(Selection(bounds={column.name: Range(20.0, 150.0)}) for column in FILTERS),
    Selection(shares=(("tea & cake", 0.25),)),
    Selection(shares=(("tea & cake", 0.25), ("no such category", 0.0))),
    Selection(shares=(("tea & cake", 0.5),), segments=NAMES[:3], bounds={CLV: Range(1.0)}, q="0"),
)


def meets(customers: pd.DataFrame, result: Segmentation, selection: Selection) -> pd.Series[bool]:
    """Which customers meet a selection, worked out in the plainest way: what stores are measured by."""
    names = result.labels.map({segment.key: segment.name for segment in result.segments})
    chosen = pd.Series(True, index=customers.index)
    if selection.segments:
        chosen &= names.isin(selection.segments)
    if selection.countries:
        chosen &= pd.Series([country in selection.countries for country in customers[COUNTRY]], customers.index)
    for column, (low, high) in selection.bounds.items():
        values = customers[column] if column in customers else pd.Series(float("nan"), customers.index)
        if low is not None:
            chosen &= values >= low
        if high is not None:
            chosen &= values <= high
    for category, share in selection.shares:
        column = f"share_{category}"
        chosen &= customers[column] >= share if column in customers else False
    return chosen & pd.Series([selection.q.lower() in name.lower() for name in customers.index], customers.index)


def finished_run(
    store: Store, customers: pd.DataFrame, drift: Sequence[DriftPoint] = (), sales: Path | None = None, **changes: Any
) -> tuple[Snapshot, Run, Segmentation]:
    """A saved snapshot with a finished run of four segments."""
    snapshot = store.save_snapshot(sample_snapshot(**changes), customers, sales=sales)
    run = store.start_run(snapshot.id, "kmeans", {"k": 4, "seed": 7}, lease_seconds=60)
    result = sample_result(customers)
    done = store.finish_run(run.id, result, seconds=1.5, info={"pandas": "3"}, drift=drift)
    return snapshot, done, result


def watched_run(store: Store, fingerprint: str = "f00d", **more: Any) -> Run:
    """A finished run with what was watched of it."""
    customers = sample_customers(5)
    snapshot = store.save_snapshot(sample_snapshot(fingerprint=fingerprint), customers)
    run = store.start_run(snapshot.id, "kmeans", {"k": 4}, lease_seconds=60)
    return store.finish_run(run.id, sample_result(customers), seconds=1.0, info={}, **more)


def claim_run(store: Store, worker: str | None = None, lease_seconds: float = 3600.0) -> Run | None:
    """The run that waits for a worker, claimed by this one; None if none does."""
    job = store.claim_job(["run"], lease_seconds=lease_seconds, worker=worker)
    return None if job is None else store.run(job.subject)


def put_drift(store: Store, run_id: int, points: Sequence[DriftPoint]) -> None:
    """Drift points in place of those of a finished run, without an alert: what no store does by itself."""
    with store._database.writing(store._workspace_id) as transaction:
        transaction.rows(delete(DriftRow).where(DriftRow.run_id == run_id))
        transaction.add(DriftRow, drift_rows(run_id, points))


def unpublish(store: Store) -> None:
    """Nothing is published any more, as if nothing had ever been: what no store does by itself."""
    with store._database.writing(store._workspace_id) as transaction:
        transaction.rows(delete(PublicationRow).returning(PublicationRow.id))


def put_receipt(store: Store, snapshot_id: int, name: str, receipt: Mapping[str, Any]) -> None:
    """The receipt of a check in place of that of a saved snapshot: what no store does by itself."""
    values = {"snapshot_id": snapshot_id, "name": name, "receipt": json_value(receipt), "created_at": store._clock()}
    with store._database.writing(store._workspace_id) as transaction:
        old = ValidationRow.snapshot_id == snapshot_id, ValidationRow.name == name
        transaction.rows(delete(ValidationRow).where(*old))
        transaction.add(ValidationRow, [values])


def exported(store: Store, run_id: int, selection: str = "", **more: Any) -> Export:
    """An export that left as a whole."""
    begun = store.begin_export(run_id, selection, **{"format": "csv", **more})
    return store.end_export(begun.id, rows=5, size=12, sha256="ab" * 32)
