"""The record of exports: whole, broken off or unfinished, and never forgotten."""

from __future__ import annotations

import pytest

from engines.errors import InputError
from storage import Store
from storage.contract import ChangedError
from storage.contract.exports import ControlGroup
from tests.storage.samples import Clock, exported, finished_run, sample_customers, unpublish

ODD = "Über 'all' \\ 100% 平 😀"
_SHA = "ab" * 32


def test_exports_are_written_down_and_outlast_their_run(store: Store, clock: Clock):
    snapshot, run, _ = finished_run(store, sample_customers(5))
    first = exported(store, run.id)
    assert (first.selection, first.user, first.exported_at) == ("", None, clock.now)
    clock.forward(5)
    second = exported(store, run.id, "segment=a%26b&min_clv=5", format="xlsx", user=ODD, columns=["a", ODD])
    assert (second.run_id, second.selection, second.format, second.rows, second.sha256, second.user) == (
        *(run.id, "segment=a%26b&min_clv=5", "xlsx", 5),
        *(_SHA, ODD),
    )
    assert (second.state, second.size, second.columns, second.control) == ("complete", 12, ("a", ODD), None)
    assert (first.dataset, first.as_of, first.engine) == (snapshot.dataset, snapshot.as_of, run.engine)
    assert first.about["fingerprint"] == snapshot.fingerprint
    assert first.about["engine_settings"] == run.settings
    assert store.exports() == [second, first]
    unpublish(store)
    store.delete_snapshot(run.snapshot_id)
    assert store.exports() == [second, first]
    assert store.export(first.id) == first
    assert store.exports(limit=1) == [second]
    assert store.exports(before=second.id) == [first]
    assert store.exports(before=first.id) == []


def test_an_export_is_whole_only_when_it_has_ended_so(store: Store, clock: Clock):
    _, run, _ = finished_run(store, sample_customers(5))
    control = ControlGroup(0.125, 2**31 - 1, "campaign")
    about = {"version": "1", "nan": float("nan"), "title": ODD}
    whole = store.begin_export(
        run.id, "min_clv=1.0", format="csv", user="anna", columns=["customer_id"], control=control, about=about
    )
    assert (whole.state, whole.rows, whole.size, whole.sha256, whole.control) == ("begun", 0, None, None, control)
    assert (whole.selection, whole.about["version"], whole.about["nan"], whole.about["title"]) == (
        *("min_clv=1", "1"),
        *(None, ODD),
    )
    broken = store.begin_export(run.id, "", format="csv")
    clock.forward(60)
    ended = store.end_export(whole.id, rows=5, size=2**40, sha256=_SHA)
    assert (ended.state, ended.rows, ended.size, ended.sha256) == ("complete", 5, 2**40, _SHA)
    assert ended.exported_at == whole.exported_at
    cut = store.end_export(broken.id, rows=3, size=100, sha256=None)
    assert (cut.state, cut.rows, cut.size, cut.sha256, cut.columns) == ("broken off", 3, 100, None, None)
    for export in (ended, cut):
        with pytest.raises(ChangedError, match="ended already"):
            store.end_export(export.id, rows=9, size=9, sha256="c")
    assert store.exports() == [cut, ended]


def test_exports_that_cannot_be_written_down_are_not(store: Store):
    _, run, _ = finished_run(store, sample_customers(5))
    begun = store.begin_export(run.id, "", format="csv")
    with pytest.raises(InputError, match="min_clv"):
        store.begin_export(run.id, "min_clv=much", format="csv")
    with pytest.raises(InputError, match="column"):
        store.begin_export(run.id, "", format="csv", columns=["nul\x00"])
    assert store.exports() == [begun]
