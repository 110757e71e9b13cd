"""Frames of runs: the same customers as the store's own selections, read once, and only of finished runs."""

import threading
from collections import Counter
from datetime import date

import numpy as np
import pandas as pd
import pytest

from dashboard.frames.cache import FrameCache
from dashboard.frames.columns import CustomerColumns
from engines.columns import FILTERS
from storage.contract import NotFoundError, Selection
from tests.dashboard import shop
from tests.storage.samples import unpublish


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    settings = shop.config(tmp_path_factory.mktemp("frames"))
    store = shop.opened(settings)
    yield store, shop.fill(store, settings)
    store.close()


SELECTIONS = [
    Selection(),
    Selection(countries=("Germany", "France")),
    Selection(countries=("Atlantis",)),
    Selection(segments=("No such segment",)),
    Selection(bounds={"clv": (20.0, None)}),
    Selection(bounds={"clv": (0.0, None)}),  # drops the customer without a CLV
    Selection(bounds={"frequency": (3, None), "recency_days": (None, 100)}),
    Selection(bounds={"monetary": (50.5, None)}, countries=("Unknown",)),
    Selection(bounds={"churn_risk": (None, 0.25)}),
    Selection(
        bounds={
            "churn_risk": (0.25, None),
            "clv": (None, 40.0),
            "recency_days": (50, None),
            "frequency": (None, 4),
            "monetary": (None, 300.0),
        }
    ),
    Selection(bounds={"p_purchase": (0.5, None)}),
    Selection(bounds={"expected_purchases": (None, 1e9)}),
    Selection(shares=(("bags", 0.1),)),
    *(Selection(bounds={column.name: (2.0, 90.0)}) for column in FILTERS),
    Selection(q="01"),
    Selection(q="HOME"),
    Selection(q="%"),
    Selection(q="nothing like it"),
]


@pytest.mark.parametrize("name", ["rfm", "kmeans", "toys"])
@pytest.mark.parametrize("selection", SELECTIONS, ids=repr)
def test_a_mask_finds_the_customers_that_the_store_finds(filled, name, selection):
    store, runs = filled
    frame = FrameCache(store).get(runs[name])
    ids = sorted(frame.customers.ids.filter(frame.mask(selection)).to_pylist())
    streamed = store.stream(runs[name], selection).read_all().column("customer_id").to_pylist()
    assert ids == streamed
    assert len(ids) == store.count(runs[name], selection)


def test_each_segment_alone_finds_its_own(filled):
    store, runs = filled
    frame = FrameCache(store).get(runs["rfm"])
    labels = store.labels(runs["rfm"])
    for item in frame.segments:
        found = frame.customers.ids.filter(frame.mask(Selection(segments=(item.name,)))).to_pylist()
        assert found == labels.index[labels == item.key].tolist()
        assert len(found) == item.customers


def test_the_bound_itself_is_included(filled):
    store, runs = filled
    frame = FrameCache(store).get(runs["rfm"])
    value = float(frame.values("monetary")[11])
    assert frame.mask(Selection(bounds={"monetary": (value, None)}))[11]
    assert not frame.mask(Selection(bounds={"monetary": (np.nextafter(value, np.inf), None)}))[11]


def test_countries_come_by_size_and_a_shop_without_them_says_so(filled):
    store, runs = filled
    frames = FrameCache(store)
    frame = frames.get(runs["rfm"])
    sizes = store.snapshot_customers(frame.run.snapshot_id)["country"].value_counts()
    assert [sizes[name] for name in frame.countries] == sorted(sizes, reverse=True)
    assert frame.has_country
    assert not frames.get(runs["toys"]).has_country
    assert frames.get(runs["toys"]).synthetic


def test_only_finished_runs_have_frames(filled):
    store, runs = filled
    frames = FrameCache(store)
    for name in ("failed", "queued"):
        with pytest.raises(NotFoundError, match=name):
            frames.get(runs[name])
    with pytest.raises(NotFoundError):
        frames.get(10_000)


class _Counting:
    """A store that counts how often its customers are read."""

    def __init__(self, store):
        self._store, self.reads = store, Counter()

    def __getattr__(self, name):
        return getattr(self._store, name)

    def snapshot_customers(self, snapshot_id):
        self.reads[snapshot_id] += 1
        return self._store.snapshot_customers(snapshot_id)


def test_runs_of_a_snapshot_share_its_customers_and_the_oldest_frame_goes_first(filled):
    store, runs = filled
    counting = _Counting(store)
    frames = FrameCache(counting, size=2)
    one, two = frames.get(runs["rfm"]), frames.get(runs["kmeans"])
    assert one.customers is two.customers
    assert frames.get(runs["rfm"]) is one
    frames.get(runs["toys"])  # puts out kmeans, which was asked for longest ago
    assert frames.get(runs["rfm"]) is one
    assert frames.get(runs["kmeans"]) is not two
    assert counting.reads[one.snapshot.id] == 1


def test_many_at_once_read_a_run_once(filled):
    store, runs = filled
    counting = _Counting(store)
    frames, found, together = FrameCache(counting), [], threading.Barrier(8)

    def ask():
        together.wait()
        found.append(frames.get(runs["rfm"]))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1
    assert sum(counting.reads.values()) == 1


def test_a_deleted_run_is_gone_at_once(tmp_path):
    settings = shop.config(tmp_path)
    store = shop.opened(settings)
    snapshot = store.save_snapshot(shop.new_snapshot("shop", date(2011, 12, 10)), shop.customers(60))
    run = shop.run(store, settings, snapshot, "rfm")
    frames = FrameCache(store)
    frames.get(run)
    unpublish(store)
    store.delete_run(run)
    with pytest.raises(NotFoundError):
        frames.get(run)
    store.close()


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("column", ["clv", "recency_days", "monetary"])
def test_pages_put_together_are_the_sorted_list_with_no_value_last(filled, column, descending):
    store, runs = filled
    frame = FrameCache(store).get(runs["rfm"])
    mask = frame.mask(Selection(bounds={"recency_days": (None, 300)}))
    pages = [frame.page(mask, column, descending, start, start + 50) for start in range(0, 450, 50)]
    found = frame.values(column)[np.concatenate(pages)]
    expected = pd.Series(frame.values(column)[mask]).sort_values(ascending=not descending, na_position="last")
    np.testing.assert_array_equal(found, expected.to_numpy())
    assert len(set(np.concatenate(pages).tolist())) == int(mask.sum())


def test_pages_can_be_sorted_by_id_segment_and_country(filled):
    store, runs = filled
    frame = FrameCache(store).get(runs["rfm"])
    everyone = np.ones(len(frame), dtype=bool)
    ids = frame.customers.ids.take(frame.page(everyone, "customer_id", False, 0, 1000)).to_pylist()
    assert ids == sorted(ids)
    codes = frame.segment_codes[frame.page(everyone, "segment", True, 0, 1000)]
    assert codes.tolist() == sorted(codes, reverse=True)
    names = [frame.countries[c] for c in frame.country_codes[frame.page(everyone, "country", False, 0, 1000)]]
    assert names == sorted(names)


def test_odd_columns_are_read_as_they_are():
    table = pd.DataFrame(
        {
            "recency_days": pd.array([1, None, 3], dtype="Int64"),
            "frequency": [1, 2, 3_000_000_000],
            "monetary": [0.1, np.nan, 280206.02],
            "last_purchase": [date(2011, 12, 9), None, date(1970, 1, 2)],
            "country": ["France", None, "France"],
        },
        index=pd.Index(["a", "b", "c"], name="customer_id"),
    )
    columns = CustomerColumns.from_table(table)
    np.testing.assert_array_equal(columns.columns["recency_days"], [1, np.nan, 3])
    assert columns.columns["frequency"].tolist() == [1, 2, 3_000_000_000]
    assert columns.columns["monetary"][2] == 280206.02
    np.testing.assert_array_equal(columns.columns["last_purchase"], [15317, np.nan, 1])
    assert (columns.countries, columns.country_codes.tolist()) == (("France",), [0, -1, 0])
