"""The customers of a run, under every kind of selection."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from engines.columns import CLV, COUNTRY, CUSTOMER_ID, SEGMENT
from engines.errors import InputError
from storage import Store, open_store
from storage.contract import Selection
from storage.contract.selection import Range
from tests.storage.samples import (
    SELECTIONS,
    Clock,
    finished_run,
    meets,
    sample_customers,
)


def test_a_selection_counts_and_streams_the_same_customers(store: Store):
    customers = sample_customers(300)
    _, run, result = finished_run(store, customers)
    sizes = set()
    for selection in SELECTIONS:
        expected = list(customers.index[meets(customers, result, selection)])
        got = store.stream(run.id, selection, []).read_all()[CUSTOMER_ID].to_pylist()
        assert (selection, got) == (selection, expected)
        assert (selection, store.count(run.id, selection)) == (selection, len(expected))
        sizes.add(len(expected))
    assert len(sizes) > 8, "the selections differ in what they select"


def test_a_stream_has_the_segment_and_every_column(store: Store):
    customers = sample_customers(300)
    _, run, result = finished_run(store, customers)
    with store.stream(run.id, Selection(), batch_size=64) as reader:
        assert reader.schema.names == [CUSTOMER_ID, SEGMENT, *customers.columns]
        batches = list(reader)
    assert max(batch.num_rows for batch in batches) <= 64
    got = pa.Table.from_batches(batches).to_pandas().set_index(CUSTOMER_ID)
    names = {segment.key: segment.name for segment in result.segments}
    assert list(got.pop(SEGMENT)) == list(result.labels.map(names))
    assert_frame_equal(got, customers, check_index_type=False, check_exact=True)


def test_a_stream_has_the_columns_asked_for(store: Store):
    customers = sample_customers(30)
    _, run, _ = finished_run(store, customers)
    wanted = ["plugin_note", CLV, CUSTOMER_ID, "share_tea & cake"]
    got = store.stream(run.id, Selection(), wanted).read_all().to_pandas().set_index(CUSTOMER_ID)
    assert list(got.columns) == [SEGMENT, "plugin_note", CLV, "share_tea & cake"]
    assert_frame_equal(got.drop(columns=SEGMENT), customers[list(got.columns)[1:]], check_index_type=False)
    assert store.stream(run.id, Selection(), []).schema.names == [CUSTOMER_ID, SEGMENT]
    with pytest.raises(InputError, match="'clv2'"):
        store.stream(run.id, Selection(), ["clv2"])


def test_values_missing_for_long_do_not_change_a_columns_type(store: Store):
    customers = sample_customers(500)
    for column in (COUNTRY, CLV, "plugin_note"):
        customers[column] = customers[column].where(np.arange(500) >= 450)
    _, run, _ = finished_run(store, customers)
    got = store.stream(run.id, Selection(), batch_size=10).read_all().to_pandas().set_index(CUSTOMER_ID)
    assert_frame_equal(got.drop(columns=SEGMENT), customers, check_index_type=False)


def test_a_stream_can_be_left_early_and_several_read_at_once(store: Store):
    _, run, _ = finished_run(store, sample_customers(300))
    streams = [store.stream(run.id, Selection(), [CLV], batch_size=50) for _ in range(4)]
    seen = [reader.read_next_batch().num_rows for reader in streams]
    assert all(0 < rows <= 50 for rows in seen)
    streams[0].close()
    del streams[1]
    store.delete_run(store.queue_run(run.snapshot_id, "e", {}).id)  # nothing is locked by those who still read
    assert sum(batch.num_rows for batch in streams[2]) == 300 - seen[2]


def test_a_bound_that_is_no_number_is_refused(store: Store):
    _, run, _ = finished_run(store, sample_customers(3))
    with pytest.raises(InputError, match="min_clv"):
        store.count(run.id, Selection(bounds={CLV: Range(float("nan"))}))


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("shuffled", [False, True])
def test_both_databases_give_the_same_customers_in_the_same_order(
    tmp_path: Path, postgres_store_url: str, clock: Clock, shuffled: bool
):
    customers = sample_customers(400).sample(frac=1, random_state=2) if shuffled else sample_customers(400)
    answers = []
    for url in (f"sqlite:///{tmp_path / 'shop.db'}", postgres_store_url):
        store = open_store(url, clock=clock)
        _, run, _ = finished_run(store, customers)
        answers.append([store.stream(run.id, selection).read_all().to_pandas() for selection in SELECTIONS])
        store.close()
    for one, other in zip(*answers, strict=True):
        assert_frame_equal(one, other, check_exact=True)
    assert max(map(len, answers[0])) == 400
