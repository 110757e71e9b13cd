"""What a store must do with the record of exports: whole, broken off or unfinished, and never forgotten."""

# ruff: noqa: D102 - the names of the tests say what they are
from __future__ import annotations

from collections.abc import Callable

import pytest

from engines.errors import InputError
from storage.contract import ChangedError, NotFoundError, Store
from storage.contract.exports import ControlGroup, ExportStore
from storage.testing.desk import ODD
from storage.testing.samples import Clock, finished_run, sample_customers

_SHA = "ab" * 32


class ExportChecks:
    """What a store must do with the record of exports."""

    def test_exports_are_written_down_and_outlast_their_run(self, store: Store, clock: Clock) -> None:
        snapshot, run, _ = finished_run(store, sample_customers(5))
        first = store.record_export(run.id, "", format="csv", rows=5)
        assert (first.selection, first.sha256, first.user, first.exported_at) == ("", None, None, clock.now)
        clock.forward(5)
        second = store.record_export(
            run.id, "segment=a%26b&min_clv=5", format="xlsx", rows=2, sha256=_SHA, user=ODD, size=12, columns=["a", ODD]
        )
        assert (second.run_id, second.selection, second.format, second.rows, second.sha256, second.user) == (
            *(run.id, "segment=a%26b&min_clv=5", "xlsx", 2),
            *(_SHA, ODD),
        )
        assert (second.state, second.size, second.columns, second.control) == ("complete", 12, ("a", ODD), None)
        assert (first.dataset, first.as_of, first.engine) == (snapshot.dataset, snapshot.as_of, run.engine)
        assert first.about["fingerprint"] == snapshot.fingerprint
        assert first.about["engine_settings"] == run.settings
        assert store.exports() == [second, first]
        store.delete_snapshot(run.snapshot_id)
        assert store.exports() == [second, first]
        assert store.export(first.id) == first
        assert store.exports(limit=1) == [second]
        assert store.exports(before=second.id) == [first]
        assert store.exports(before=first.id) == []

    def test_an_export_is_whole_only_when_it_has_ended_so(self, store: Store, clock: Clock) -> None:
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

    def test_exports_that_cannot_be_written_down_are_not(self, store: Store, elsewhere: Store) -> None:
        _, run, _ = finished_run(store, sample_customers(5))
        begun = store.begin_export(run.id, "", format="csv")
        with pytest.raises(InputError, match="min_clv"):
            store.begin_export(run.id, "min_clv=much", format="csv")
        with pytest.raises(InputError, match="column"):
            store.begin_export(run.id, "", format="csv", columns=["nul\x00"])
        refused: list[Callable[[], object]] = [
            lambda: elsewhere.begin_export(run.id, "", format="csv"),
            lambda: elsewhere.record_export(run.id, "", format="csv", rows=1),
            lambda: elsewhere.end_export(begun.id, rows=1, size=1, sha256=_SHA),
            lambda: elsewhere.export(begun.id),
        ]
        for verb in refused:
            with pytest.raises(NotFoundError):
                verb()
        nothing: list[Callable[[], object]] = [lambda: elsewhere.exports()]
        assert not any(verb() for verb in nothing)
        walked = {name for verb in (*refused, *nothing) for name in verb.__code__.co_names}
        assert walked >= ExportStore.__abstractmethods__
        assert store.exports() == [begun]
