"""One customer: the segment in a run, found without reading the others."""

from __future__ import annotations

import pytest

from storage import Store
from storage.contract import NotFoundError
from tests.storage.samples import finished_run, sample_customers


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
