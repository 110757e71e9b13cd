"""Snapshots: saved once, found again, read back exactly, deleted with all that is theirs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

from engines.columns import CLV, COUNTRY, CUSTOMER_ID, DICTIONARY, FREQUENCY, IS_HOME_COUNTRY, UNIQUE_PRODUCTS
from engines.errors import InputError
from storage import Store, open_store
from storage.contract import ChangedError, NotFoundError, Selection
from storage.contract.schedules import NewSchedule
from storage.contract.selection import Range
from storage.sql import layout
from tests.storage.samples import (
    NAMES,
    POINTS,
    Clock,
    finished_run,
    sample_customers,
    sample_snapshot,
    unpublish,
)


def test_customers_come_back_exactly_as_they_were_saved(store: Store):
    saved = sample_customers()
    snapshot = store.save_snapshot(sample_snapshot(), saved)
    assert_frame_equal(store.snapshot_customers(snapshot.id), saved, check_exact=True)
    assert snapshot.customers == len(saved)


def test_the_columns_of_a_snapshot_are_known_without_its_customers(store: Store):
    customers = sample_customers(5)
    columns = store.snapshot_columns(store.save_snapshot(sample_snapshot(), customers).id)
    assert list(columns) == list(customers.columns)
    assert columns["monetary"]
    assert not columns["country"]


def test_customers_without_country_or_products_come_back(store: Store):
    saved = sample_customers(20)
    saved[COUNTRY] = pd.Series([None] * 20, dtype="str", index=saved.index)
    saved[IS_HOME_COUNTRY] = pd.Series([None] * 20, dtype="boolean", index=saved.index)
    saved[UNIQUE_PRODUCTS] = np.nan
    saved["plugin_empty"] = np.nan
    snapshot = store.save_snapshot(sample_snapshot(), saved)
    assert_frame_equal(store.snapshot_customers(snapshot.id), saved, check_exact=True)


def test_an_object_column_of_nothing_comes_back(store: Store):
    saved = sample_customers(3)
    saved[COUNTRY] = np.array([None] * 3, dtype=object)
    saved[IS_HOME_COUNTRY] = np.array([None, True, False], dtype=object)
    snapshot = store.save_snapshot(sample_snapshot(), saved)
    assert_frame_equal(store.snapshot_customers(snapshot.id), saved, check_exact=True)


def test_few_columns_one_customer_or_none(store: Store):
    for count, columns in ((1, [FREQUENCY]), (0, [FREQUENCY, CLV]), (2, [])):
        saved = sample_customers(count)[columns]
        snapshot = store.save_snapshot(sample_snapshot(fingerprint=str(count)), saved)
        assert_frame_equal(store.snapshot_customers(snapshot.id), saved, check_exact=True)


def test_any_order_is_kept_and_a_stream_is_in_the_order_of_ids_all_the_same(store: Store):
    saved = sample_customers(60).sample(frac=1, random_state=1)
    snapshot, run, result = finished_run(store, saved)
    assert list(store.snapshot_customers(snapshot.id).index) == list(saved.index)
    assert_series_equal(store.labels(run.id), result.labels, check_names=False)
    assert store.stream(run.id, Selection()).read_all()[CUSTOMER_ID].to_pylist() == sorted(saved.index)


def test_an_equal_snapshot_is_found_and_not_saved_twice(store: Store):
    new = sample_snapshot()
    assert store.find_snapshot(new) is None
    first = store.save_snapshot(new, sample_customers(5))
    again = replace(new, settings=dict(reversed(list(new.settings.items()))), source="renamed.csv", ledger={})
    assert store.find_snapshot(again) == first
    assert store.save_snapshot(again, sample_customers(7)) == first
    assert store.snapshots() == [first]


@pytest.mark.parametrize(
    "change",
    [{"dataset": "x"}, {"fingerprint": "x"}, {"as_of": date(2024, 5, 2)}, {"settings": {"horizon": 27}}],
    ids=lambda change: next(iter(change)),
)
def test_whatever_makes_a_snapshot_another_one(store: Store, change: dict[str, object]):
    first = store.save_snapshot(sample_snapshot(), sample_customers(2))
    other = store.save_snapshot(sample_snapshot(**change), sample_customers(2))
    assert store.snapshots() == [other, first]


def test_a_snapshot_knows_what_it_was_saved_with(store: Store, clock: Clock):
    new = sample_snapshot()
    saved = store.save_snapshot(new, sample_customers(2))
    assert store.snapshot(saved.id) == saved
    assert {name: getattr(saved, name) for name in vars(new)} == vars(new)
    assert saved.created_at == clock.now


def test_many_threads_saving_one_snapshot_save_it_once(store: Store):
    saved = sample_customers(500)
    with ThreadPoolExecutor(6) as pool:
        snapshots = list(pool.map(lambda _: store.save_snapshot(sample_snapshot(), saved), range(6)))
    assert store.snapshots() == snapshots[:1]
    assert set(map(repr, snapshots)) == {repr(snapshots[0])}
    assert len(store.snapshot_customers(snapshots[0].id)) == 500


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda c: pd.concat([c, c.iloc[:1]]), "twice"),
        (lambda c: c.set_axis([None, *c.index[1:]]), "no id"),
        (lambda c: c.set_axis(["nul\x00", *c.index[1:]]), "NUL"),
        (lambda c: c.assign(clv=np.inf), "clv holds an infinite"),
        (lambda c: c.assign(country=5), "country must hold text"),
        (lambda c: c.assign(odd=[["a"]] * len(c)), "odd"),
        (lambda c: c.assign(segment="x"), "segment"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_is_saved(
    store: Store, spoil: Callable[[pd.DataFrame], pd.DataFrame], message: str
):
    with pytest.raises(InputError, match=message):
        store.save_snapshot(sample_snapshot(), spoil(sample_customers(4)))
    assert store.snapshots() == []


def test_deleting_a_snapshot_takes_everything_of_it_and_nothing_else(store: Store):
    gone, _, _ = finished_run(store, sample_customers(9), POINTS)
    kept, other, result = finished_run(store, sample_customers(8), fingerprint="kept")
    unpublish(store)
    store.delete_snapshot(gone.id)
    assert [s.id for s in store.snapshots()] == [kept.id]
    assert [r.id for r in store.runs()] == [other.id]
    assert_series_equal(store.labels(other.id), result.labels, check_names=False)
    assert store.save_snapshot(sample_snapshot(), sample_customers(3)).id > kept.id, "a number is never used again"


def test_an_idle_snapshot_alone_is_deleted_when_that_is_asked_for(store: Store):
    snapshot, _, _ = finished_run(store, sample_customers(3))
    unpublish(store)
    queued = store.queue_run(snapshot.id, "e", {})
    with pytest.raises(ChangedError, match="queued or running"):
        store.delete_snapshot(snapshot.id, idle=True)
    assert len(store.runs()) == 2
    store.fail_run(queued.id, "for a test")
    store.delete_snapshot(snapshot.id, idle=True)
    assert (store.snapshots(), store.runs()) == ([], [])


def test_receipts_are_kept_with_their_snapshot(store: Store, clock: Clock):
    odd = {"mae": 2.5, "bins": [1, 2], "text": "Über 'all' \\ 100% 平", "none": None, "nan": float("nan")}
    both = store.save_snapshot(sample_snapshot(), sample_customers(3), {"b": {"x": 1}, "a": odd})
    first, second = store.validations(both.id)
    assert (first.snapshot_id, first.name, first.receipt) == (both.id, "a", {**odd, "nan": None})
    assert (second.name, second.receipt, second.created_at) == ("b", {"x": 1}, clock.now)
    again = store.save_snapshot(sample_snapshot(), sample_customers(3), {"c": {}})
    assert (again.id, store.validations(both.id)) == (both.id, [first, second])  # an equal snapshot changes nothing
    other = store.save_snapshot(sample_snapshot(fingerprint="2"), sample_customers(3))
    assert store.validations(other.id) == []
    for name in ("", "  ", "nul\x00", "\u202egnp.exe", "\ud800", "x" * 201):
        with pytest.raises(InputError):
            store.save_snapshot(sample_snapshot(fingerprint="3"), sample_customers(3), {name: {}})
    store.delete_snapshot(both.id)
    with pytest.raises(NotFoundError, match=str(both.id)):
        store.validations(both.id)


# --- columns that the dictionary comes to know later


def test_a_column_that_the_table_lacks_is_added_when_a_snapshot_is_saved(url: str, clock: Clock):
    """As a later version finds the tables of an earlier one, which did not know two of its columns."""
    store, customers = open_store(url, clock=clock), sample_customers(60)
    before = customers.drop(columns=[CLV, COUNTRY])
    _, early, _ = finished_run(store, before, fingerprint="early")
    with store._database.begin() as connection:
        for name in (CLV, COUNTRY):
            connection.exec_driver_sql(f"ALTER TABLE customers DROP COLUMN {name}")
    bound = Selection(bounds={CLV: Range(0.0)})
    absent = (bound, Selection(countries=("United Kingdom",)), Selection(bounds={CLV: Range(0.0)}, segments=NAMES))
    for _ in range(2):  # without the columns, and with them
        assert_frame_equal(store.snapshot_customers(early.snapshot_id), before, check_exact=True)
        assert store.count(early.id, Selection()) == 60
        assert list(store.snapshot_columns(early.snapshot_id)) == list(before.columns)
        for selection in absent:
            assert store.count(early.id, selection) == store.stream(early.id, selection).read_all().num_rows == 0
        late, run, _ = finished_run(store, customers, fingerprint="late")
        assert_frame_equal(store.snapshot_customers(late.id), customers, check_exact=True)
        assert store.count(run.id, bound) == (customers[CLV] >= 0).sum() > 0
    store.close()


def test_many_who_find_a_column_missing_at_once_add_it_once(url: str, clock: Clock):
    stores = [open_store(url, clock=clock) for _ in range(4)]
    with stores[0]._database.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE customers DROP COLUMN {CLV}")
    customers = sample_customers(20)
    with ThreadPoolExecutor(4) as pool:
        saved = list(
            pool.map(lambda n: stores[n].save_snapshot(sample_snapshot(fingerprint=str(n)), customers), range(4))
        )
    for snapshot in saved:
        assert_frame_equal(stores[0].snapshot_customers(snapshot.id), customers, check_exact=True)
    for store in stores:
        store.close()


def test_a_plug_ins_column_that_the_dictionary_comes_to_know_is_read_where_it_was_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    customers = sample_customers(40).rename(columns={CLV: "later", "plug'in_rank": CLV})
    with monkeypatch.context() as earlier:  # a version in which this name was a plug-in's
        earlier.setattr(layout, "DICTIONARY", {name: column for name, column in DICTIONARY.items() if name != CLV})
        earlier.setattr(layout, "_BESIDE", tuple(item for item in layout._BESIDE if item[0] != CLV))
        snapshot, run, _ = finished_run(store, customers)
    assert_frame_equal(store.snapshot_customers(snapshot.id), customers, check_exact=True)
    within = Selection(bounds={CLV: Range(-2, 3)})
    expected = sorted(customers.index[customers[CLV].between(-2, 3)])
    assert store.stream(run.id, within, []).read_all()[CUSTOMER_ID].to_pylist() == expected
    assert store.count(run.id, within) == len(expected) > 0


def test_a_data_set_is_renamed_with_its_snapshots_and_audiences(store: Store):
    first = store.save_snapshot(sample_snapshot(), sample_customers(10))
    titled = replace(sample_snapshot(), fingerprint="cd" * 32, info={"title": "Old shop"})
    second = store.save_snapshot(titled, sample_customers(10))
    other = store.save_snapshot(replace(sample_snapshot(), dataset="other"), sample_customers(10))
    audience = store.save_audience("Best", "min_clv=100", dataset=first.dataset)
    refreshed = NewSchedule("/data/sales.csv", "0 6 * * *", "UTC", {"name": first.dataset, "k": 3})
    schedule = store.add_schedule(refreshed, next_due=datetime(2100, 1, 1, tzinfo=UTC))
    assert store.rename_dataset(first.dataset, "New shop") == 2
    assert [item.job for item in store.schedules() if item.id == schedule.id] == [{"name": "New shop", "k": 3}]
    assert {item.id: item.dataset for item in store.snapshots()} == {
        first.id: "New shop",
        second.id: "New shop",
        other.id: "other",
    }
    assert store.snapshot(second.id).info["title"] == "New shop"
    assert [item.dataset for item in store.audiences() if item.id == audience.id] == ["New shop"]
    with pytest.raises(ChangedError, match="already"):
        store.rename_dataset("New shop", "other")
    with pytest.raises(NotFoundError, match="no data set"):
        store.rename_dataset(first.dataset, "Another")
