"""Shops at the edges of what there is: long names, one segment, many countries, no value, more returns than sales."""

from __future__ import annotations

from datetime import date

import numpy as np

from dashboard.config import Config
from storage import Store
from tests.dashboard import shop

LONG = (
    "A name that goes on and on, as names from an old system do, with everything anybody ever thought of it in it "
    + "x" * 11
)
SEGMENT = LONG[:80].strip()  # names given by hand are no longer
AS_OF = date(2011, 12, 10)


def fill(store: Store, settings: Config) -> dict[str, int]:
    """One run per state, by a short name; "failed", "queued" and "running" are not finished."""
    assert len(LONG) == 120
    ids = {}

    def add(name: str, table, engine="rfm", k=None, title="", **info):
        snapshot = store.save_snapshot(shop.new_snapshot(name, AS_OF, title=title or name.title(), **info), table)
        ids[name] = shop.run(store, settings, snapshot, engine, k=k)
        return snapshot

    plain = shop.customers(120, seed=3)
    wordy = plain.assign(**{f"share_{LONG.replace(' ', '_')}": 0.5})
    wordy["country"] = np.where(np.arange(len(wordy)) % 2, LONG, "Germany")
    add("wordy", wordy, title=LONG)
    key = store.run(ids["wordy"]).segments[0].key
    store.edit_segment(ids["wordy"], key, name=SEGMENT, action=LONG, pinned=True, revision=0)
    add("single", plain, engine="kmeans", k=1)
    add("nowhere", plain.drop(columns=["country", "clv", "churn_risk"]), has_country=False)
    crowd = shop.customers(400, seed=4)
    crowd["country"] = [f"Country {place % 200:03d}" for place in range(len(crowd))]
    add("crowd", crowd)
    back = plain.assign(net_monetary=-plain["monetary"])
    add("returns", back)
    snapshot = add("yen", plain.assign(monetary=(plain["monetary"] * 100).round()), currency="JPY")
    add("signless", plain, currency=None)
    settled = shop.make_engine("kmeans", settings, k=3).settings()
    failed = store.start_run(snapshot.id, "kmeans", settled, lease_seconds=60)
    ids["failed"] = store.fail_run(failed.id, "K-means: it did not work out. Try another k.").id
    ids["running"] = store.start_run(snapshot.id, "kmeans", settled, lease_seconds=60).id
    ids["queued"] = store.queue_run(snapshot.id, "kmeans", settled).id
    return ids
