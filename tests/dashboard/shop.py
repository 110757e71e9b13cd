"""A small shop in a real store: two snapshots, several engines' runs, one of them failed and one queued."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from dashboard.config import Config, load_config
from dashboard.pipeline.run import make_engine
from engines.contract import DriftPoint
from engines.persistence import models
from engines.run import segment
from storage import Store, open_store
from storage.contract import NewSnapshot, Snapshot
from storage.objects import FOLDER
from tests.prepared import prepared
from tests.quick import QUICK
from tests.storage.samples import put_drift

NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
COUNTRIES = ("United Kingdom", "Germany", "France", "Unknown")
DRIFT = [
    DriftPoint("2011-05-01", 300, 0.93, alert=False, noise_low=0.85, moved_share=0.05),
    DriftPoint("2011-06-01", 320, 0.61, alert=True, noise_low=0.82, moved_share=0.31),
    DriftPoint("2011-07-01", 340, 0.79, alert=False, noise_low=0.75, moved_share=None),
]


def config(folder: Path) -> Config:
    """The shipped settings with a database in ``folder``, and those that cost little."""
    database = {"url": f"sqlite:///{folder / 'shop.db'}"}
    return load_config(environ={}).replace(database=database, **QUICK)


def customers(number: int = 400, *, country: bool = True, seed: int = 0) -> pd.DataFrame:
    """Customers of every kind: some ids look like formulas, some customers have no CLV."""
    random = np.random.default_rng(seed)
    frequency = random.geometric(0.3, number)
    monetary = np.round(frequency * random.lognormal(3.5, 0.8, number), 2)
    recency = random.integers(1, 365, number)
    clv = np.round(monetary * random.uniform(0.1, 0.6, number), 2)
    clv[7] = np.nan
    ids = [f"{place:05d}" for place in range(number)]
    ids[:3] = ["=1+1", "@home", "-5"]
    table = pd.DataFrame(
        {
            "recency_days": recency,
            "frequency": frequency,
            "monetary": monetary,
            "net_monetary": monetary,
            "average_order_value": monetary / frequency,
            "tenure_days": recency + 30,
            "last_purchase": pd.Timestamp("2011-12-09") - pd.to_timedelta(recency, unit="D"),
            "clv": clv,
            "churn_risk": np.round(recency / 400, 4),
        },
        index=pd.Index(ids, name="customer_id"),
    )
    if country:
        table["country"] = random.choice(COUNTRIES, number, p=[0.6, 0.2, 0.15, 0.05])
    return table.sort_index()


def new_snapshot(dataset: str, as_of: date, **info: object) -> NewSnapshot:
    """What names a snapshot of this shop."""
    known = {"title": dataset.title(), "currency": "GBP", "has_country": True, "first_day": "2011-01-01", **info}
    ledger = {"in": {}, "rules": [], "notes": [], "out": {}}
    return NewSnapshot(dataset, f"{dataset}.csv", f"{dataset}{as_of}", as_of, {}, ledger, known)


def run(
    store: Store, settings: Config, snapshot: Snapshot, engine: str, *, k: int | None = None, artifacts: bool = False
) -> int:
    """Segment a snapshot for real, and store it, with what pages show of the model where that is asked for."""
    made = make_engine(engine, settings, k=k)
    table = store.snapshot_customers(snapshot.id)
    result = segment(engine, made, table, plays=settings.plays, previous=store.predecessor(snapshot.dataset, engine))
    started = store.start_run(snapshot.id, engine, made.settings(), lease_seconds=60)
    info = {"artifacts": result.fitted.artifacts()} if artifacts else {}
    store.finish_run(started.id, result, seconds=1.25, info=info, model=models.dump_model(result.fitted))
    return started.id


#: What was put into a store once, by the settings it was made with: the database, its models, and the ids of runs.
_FILLED: dict[str, tuple[sqlite3.Connection, list[bytes], dict[str, int]]] = {}


def fill(store: Store, settings: Config) -> dict[str, int]:
    """Two dates of "shop" and one of a synthetic one, put into an empty store on SQLite; run ids by a short name."""
    path = settings.database.url.removeprefix("sqlite:///")
    made_with = settings.replace(database={"url": "sqlite:///"}).model_dump_json()
    with closing(sqlite3.connect(path)) as connection:
        if made_with not in _FILLED:
            ids, copy = _fill(store, settings), sqlite3.connect(":memory:")
            connection.backup(copy)
            kept = [file.read_bytes() for file in Path(path).with_name(FOLDER).rglob("*") if file.is_file()]
            _FILLED[made_with] = copy, kept, ids
        else:
            ((own,),) = connection.execute("select folder from workspaces").fetchall()
            _FILLED[made_with][0].backup(connection)
            with connection:
                connection.execute("update workspaces set folder = ?", (own,))
            for model in _FILLED[made_with][1]:
                store._objects.put(model, "model")
    return dict(_FILLED[made_with][2])


def _fill(store: Store, settings: Config) -> dict[str, int]:
    early = store.save_snapshot(new_snapshot("shop", date(2011, 11, 1)), customers(300, seed=1))
    ids = {"early": run(store, settings, early, "rfm")}
    made_up = store.save_snapshot(
        new_snapshot("toys", date(2011, 12, 10), synthetic=True, has_country=False), customers(200, country=False)
    )
    late = store.save_snapshot(new_snapshot("shop", date(2011, 12, 10)), customers())
    ids |= {name: run(store, settings, late, name) for name in ("rfm", "kmeans", "hierarchical")}
    ids["toys"] = run(store, settings, made_up, "rfm")
    settled = make_engine("kmeans", settings, k=3).settings()
    failed = store.start_run(late.id, "kmeans", settled, lease_seconds=60)
    ids["failed"] = store.fail_run(failed.id, "K-means: it did not work out. Try another k.").id
    ids["queued"] = store.queue_run(late.id, "kmeans", settled).id
    put_drift(store, ids["kmeans"], DRIFT)
    publish(store, ids["rfm"])
    return ids


def publish(store: Store, run_id: int) -> None:
    """Make a run the published one, as somebody on the page does."""
    store.publish(run_id, who=None, via="browser", why="The latest date")


def fill_rfm(store: Store, settings: Config) -> dict[str, int]:
    """The same customers, segmented by RFM alone, which costs a fraction of the time."""
    early = store.save_snapshot(new_snapshot("shop", date(2011, 11, 1)), customers(300, seed=1))
    late = store.save_snapshot(new_snapshot("shop", date(2011, 12, 10)), customers())
    toys = store.save_snapshot(new_snapshot("toys", date(2011, 12, 10)), customers(200, country=False))
    ids = {name: run(store, settings, item, "rfm") for name, item in (("early", early), ("rfm", late), ("toys", toys))}
    publish(store, ids["rfm"])
    return ids


def opened(settings: Config) -> Store:
    """The store that the settings name."""
    return open_store(prepared(settings.database.url), clock=lambda: NOW)
