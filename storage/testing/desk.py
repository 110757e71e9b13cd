"""What a store must do with what surrounds snapshots and runs: sources, checks, audiences, users and keys."""

# ruff: noqa: D102 - the names of the tests say what they are
from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from engines.errors import InputError
from storage.contract import NotFoundError, Store
from storage.contract.audiences import DeskStore
from storage.testing.samples import Clock, sample_customers, sample_snapshot

ODD = "Über 'all' \\ 100% 平 😀"
_PASSWORD = "correct horse: 'battery' \\ % 平"  # noqa: S105 - made up


class DeskChecks:
    """What a store must do with sources, validations, saved audiences, users and API keys."""

    def test_a_saved_snapshot_leaves_its_source_behind(self, store: Store, clock: Clock) -> None:
        first = clock.now
        store.save_snapshot(sample_snapshot(info={"source_kind": "file"}), sample_customers(3))
        (source,) = store.sources()
        assert (source.name, source.kind, source.mapping) == ("teas.csv", "file", {"customer_id": "Kunde"})
        clock.forward(60)
        later = sample_snapshot(fingerprint="2", settings={"mapping": {"customer_id": "it's"}}, info={})
        store.save_snapshot(later, sample_customers(3))
        (again,) = store.sources()
        assert (again.id, again.kind, again.mapping) == (source.id, "unknown", {"customer_id": "it's"})
        assert (again.created_at, again.used_at) == (first, clock.now)
        store.save_snapshot(later, sample_customers(3))  # an equal one is not saved, and changes nothing
        assert store.sources() == [again]

    def test_sources_are_kept_by_name(self, store: Store) -> None:
        made = store.save_source(ODD, "database", {"amount": "Betrag"})
        assert store.sources() == [made]
        changed = store.save_source(f"  {ODD} ", "file", {})
        assert (changed.id, changed.name, changed.kind, changed.mapping) == (made.id, ODD, "file", {})
        other = store.save_source("A", "file", {})
        assert store.sources() == [other, changed]
        store.delete_source(made.id)
        assert store.sources() == [other]

    def test_receipts_are_kept_with_their_snapshot(self, store: Store, clock: Clock) -> None:
        snapshot = store.save_snapshot(sample_snapshot(), sample_customers(3))
        other = store.save_snapshot(sample_snapshot(fingerprint="2"), sample_customers(3))
        assert store.validations(snapshot.id) == []
        store.save_validation(snapshot.id, "clv", {"mae": 1.0})
        receipt = {"mae": 2.5, "bins": [1, 2], "text": ODD, "none": None, "nan": float("nan")}
        kept = store.save_validation(snapshot.id, "clv", receipt)
        assert kept.receipt == {**receipt, "nan": None}
        assert kept.created_at == clock.now
        second = store.save_validation(snapshot.id, "churn", {})
        assert store.validations(snapshot.id) == [second, kept]
        assert store.validations(other.id) == []
        both = store.save_snapshot(sample_snapshot(fingerprint="3"), sample_customers(3), {"b": {"x": 1}, "a": receipt})
        assert [(each.name, each.receipt) for each in store.validations(both.id)] == [
            ("a", kept.receipt),
            ("b", {"x": 1}),
        ]
        again = store.save_snapshot(sample_snapshot(fingerprint="3"), sample_customers(3), {"c": {}})
        assert (again.id, len(store.validations(both.id))) == (both.id, 2)  # an equal snapshot changes nothing
        store.delete_snapshot(snapshot.id)
        with pytest.raises(NotFoundError, match=str(snapshot.id)):
            store.validations(snapshot.id)

    def test_audiences_are_kept_by_name_pinned_ones_first(self, store: Store) -> None:
        quiet = store.save_audience("Quiet", "max_recency=30.0&q=%25&other=1")
        assert quiet.selection == "max_recency=30&q=%25"
        odd = store.save_audience(ODD, "segment=It%27s&segment=b&country=C%C3%B4te", pinned=True)
        everyone = store.save_audience("Everyone", "")
        assert store.audiences() == [odd, everyone, quiet]
        assert store.save_audience("Quiet", "min_clv=1").id == quiet.id
        assert [each.selection for each in store.audiences()][2] == "min_clv=1"
        store.delete_audience(odd.id)
        assert [each.name for each in store.audiences()] == ["Everyone", "Quiet"]
        for name, selection, said in (("x", "min_clv=much", "min_clv"), ("", "", "name")):
            with pytest.raises(InputError, match=said):
                store.save_audience(name, selection)

    def test_an_audience_is_renamed_and_pinned_and_knows_where_it_was_made(
        self, store: Store, elsewhere: Store
    ) -> None:
        made = store.save_audience("Best", "min_clv=1", dataset="Teas & Co", engine="rfm")
        store.save_audience("Other", "")
        assert (made.dataset, made.engine, store.audience(made.id)) == ("Teas & Co", "rfm", made)
        changed = store.change_audience(made.id, name=f" {ODD} ")
        assert (changed.id, changed.name, changed.selection, changed.pinned) == (made.id, ODD, "min_clv=1", False)
        assert store.change_audience(made.id, pinned=True).name == ODD
        assert store.audiences()[0] == store.change_audience(made.id, name=ODD)
        for name in ("Other", ""):
            with pytest.raises(InputError, match="name"):
                store.change_audience(made.id, name=name)
        for verb in (elsewhere.audience, elsewhere.change_audience):
            with pytest.raises(NotFoundError):
                verb(made.id)

    def test_of_many_who_save_one_name_at_once_all_succeed(self, store: Store) -> None:
        with ThreadPoolExecutor(4) as pool:
            saved = list(pool.map(lambda number: store.save_audience("One", f"min_clv={number}"), range(8)))
        assert len({each.id for each in saved}) == 1
        assert store.audiences()[0] in saved
        assert len(store.audiences()) == 1

    def test_users_come_in_with_their_own_password_alone(self, store: Store, elsewhere: Store) -> None:
        anna = store.add_user("Anna", _PASSWORD)
        with pytest.raises(InputError, match="already"):
            store.add_user(" Anna ", "another password")
        assert store.check_user("Anna", _PASSWORD) == anna
        assert store.users() == [anna]
        for name, password in (
            ("Anna", _PASSWORD + " "),
            ("anna", _PASSWORD),
            ("Bob", _PASSWORD),
            ("\x00", ""),
            ("", ""),
        ):
            assert store.check_user(name, password) is None
        assert elsewhere.check_user("Anna", _PASSWORD) is None
        assert _PASSWORD not in repr(store.users())
        for password in ("short", "x" * 1025):
            with pytest.raises(InputError, match="8 to 1,024"):
                store.add_user("Bob", password)
        store.remove_user(anna.id)
        assert store.check_user("Anna", _PASSWORD) is None

    def test_api_keys_are_shown_once(self, store: Store, elsewhere: Store) -> None:
        made, key = store.add_api_key("nightly")
        other, second = store.add_api_key("weekly")
        assert key != second
        assert len(key) > 40
        assert (store.check_api_key(key), store.check_api_key(second)) == (made, other)
        assert store.api_keys() == [made, other]
        for wrong in ("", key[:-1], key + " ", "nightly", "\x00", "\ud800"):
            assert store.check_api_key(wrong) is None
        assert elsewhere.check_api_key(key) is None
        with pytest.raises(InputError, match="already"):
            store.add_api_key("nightly")
        store.remove_api_key(made.id)
        assert store.check_api_key(key) is None
        assert store.check_api_key(second) == other

    def test_another_workspace_finds_nothing_that_surrounds_runs(self, store: Store, elsewhere: Store) -> None:
        snapshot = store.save_snapshot(sample_snapshot(), sample_customers(3))
        store.save_validation(snapshot.id, "clv", {})
        audience = store.save_audience("a", "")
        user, (key, secret), (source,) = store.add_user("u", _PASSWORD), store.add_api_key("k"), store.sources()
        refused: list[Callable[[], object]] = [
            lambda: elsewhere.save_validation(snapshot.id, "clv", {"mine": 1}),
            lambda: elsewhere.validations(snapshot.id),
            lambda: elsewhere.delete_source(source.id),
            lambda: elsewhere.audience(audience.id),
            lambda: elsewhere.change_audience(audience.id, name="mine"),
            lambda: elsewhere.delete_audience(audience.id),
            lambda: elsewhere.remove_user(user.id),
            lambda: elsewhere.remove_api_key(key.id),
        ]
        for verb in refused:
            with pytest.raises(NotFoundError):
                verb()
        nothing: list[Callable[[], object]] = [
            lambda: elsewhere.sources(),
            lambda: elsewhere.audiences(),
            lambda: elsewhere.users(),
            lambda: elsewhere.api_keys(),
            lambda: elsewhere.check_user("u", _PASSWORD),
            lambda: elsewhere.check_api_key(secret),
        ]
        assert not any(verb() for verb in nothing)
        own: list[Callable[[], object]] = [
            lambda: elsewhere.save_source(source.name, "file", {"mine": "1"}),
            lambda: elsewhere.save_audience("a", "min_clv=1"),
            lambda: elsewhere.add_user("u", "a password of its own"),
            lambda: elsewhere.add_api_key("k"),
        ]
        for verb in own:
            verb()
        # every verb there is has been walked, so that a new one is not forgotten here
        walked = {name for verb in (*refused, *nothing, *own) for name in verb.__code__.co_names}
        assert walked >= DeskStore.__abstractmethods__
        assert (store.sources(), store.audiences()) == ([source], [audience])
        assert (store.users(), store.api_keys()) == ([user], [key])
        assert store.check_user("u", "a password of its own") is None

    def test_names_that_cannot_be_used_are_refused_everywhere(self, store: Store) -> None:
        snapshot = store.save_snapshot(sample_snapshot(as_of=date(2024, 1, 1)), sample_customers(2))
        for name in ("", "  ", "nul\x00", "\u202egnp.exe", "\ud800", "x" * 201):
            verbs: list[Callable[[], object]] = [
                lambda name=name: store.save_source(name, "file", {}),  # type: ignore[misc]
                lambda name=name: store.save_validation(snapshot.id, name, {}),  # type: ignore[misc]
                lambda name=name: store.save_audience(name, ""),  # type: ignore[misc]
                lambda name=name: store.add_user(name, _PASSWORD),  # type: ignore[misc]
                lambda name=name: store.add_api_key(name),  # type: ignore[misc]
            ]
            for verb in verbs:
                with pytest.raises(InputError):
                    verb()
        assert not any((store.validations(snapshot.id), store.audiences(), store.users(), store.api_keys()))
