"""One customer: orders kept whole with their snapshot, and the segment in a run."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from engines.columns import CUSTOMER_ID
from storage import Store
from storage.contract import NotFoundError
from tests.storage.samples import finished_run, sample_customers, sample_orders, sample_snapshot


def test_every_customer_gets_their_own_orders_back(store: Store):
    customers = sample_customers(5000)  # more than are packed together, and in batches that part a customer
    snapshot = store.save_snapshot(sample_snapshot(), customers, orders=sample_orders(customers))
    every = pa.Table.from_batches(list(sample_orders(customers))).to_pandas()
    for customer in (*customers.index[:12], *customers.index[2000:2100:7], *customers.index[-3:]):
        mine = every[every[CUSTOMER_ID] == customer].drop(columns=CUSTOMER_ID).reset_index(drop=True)
        found = store.orders(snapshot.id, customer)
        assert found is not None
        assert_frame_equal(found, mine, check_exact=True)


def test_a_snapshot_without_orders_has_none(store: Store):
    customers = sample_customers(3)
    snapshot = store.save_snapshot(sample_snapshot(), customers)
    assert store.orders(snapshot.id, customers.index[0]) is None
    again = store.save_snapshot(sample_snapshot(), customers, orders=sample_orders(customers))
    assert again == snapshot, "orders are no part of what a snapshot is"


def test_who_is_not_there_is_not_found(store: Store):
    customers = sample_customers(20)
    snapshot = store.save_snapshot(sample_snapshot(), customers, orders=sample_orders(customers))
    for nobody in ("", "nobody", "nul\x00", "\ud800", customers.index[3] + "0", chr(0x10FFFF)):
        with pytest.raises(NotFoundError):
            store.orders(snapshot.id, nobody)


def test_orders_that_fail_half_way_leave_nothing_behind(store: Store):
    customers = sample_customers(50)

    def breaks() -> Iterator[pa.RecordBatch]:
        yield next(sample_orders(customers, at_once=20))
        raise OSError("the sales are gone")

    with pytest.raises(OSError, match="are gone"):
        store.save_snapshot(sample_snapshot(), customers, orders=breaks())
    backwards = reversed(list(sample_orders(customers, at_once=20)))
    with pytest.raises(ValueError, match="order of the customers"):
        store.save_snapshot(sample_snapshot(), customers, orders=backwards)
    assert store.snapshots() == []


def test_orders_go_with_their_snapshot(store: Store):
    customers = sample_customers(8)
    gone, kept = (
        store.save_snapshot(sample_snapshot(fingerprint=name), customers, orders=sample_orders(customers))
        for name in ("gone", "kept")
    )
    store.delete_snapshot(gone.id)
    with pytest.raises(NotFoundError):
        store.orders(gone.id, customers.index[0])
    assert store.orders(kept.id, customers.index[0]) is not None


@pytest.mark.parametrize("shuffled", [False, True])
def test_one_customer_is_in_the_segment_that_the_labels_say(store: Store, shuffled: bool):
    customers = sample_customers(700).sample(frac=1, random_state=3) if shuffled else sample_customers(700)
    snapshot, run, result = finished_run(store, customers)
    found = {customer: store.segment_of(run.id, customer) for customer in customers.index[::9]}
    assert found == result.labels.iloc[::9].to_dict()
    for nobody in ("", "nobody", "C0000600x", "nul\x00", "\ud800", chr(0x10FFFF)):
        assert store.segment_of(run.id, nobody) is None
    queued = store.queue_run(snapshot.id, "e", {})
    with pytest.raises(NotFoundError, match="queued"):
        store.segment_of(queued.id, "nobody")
