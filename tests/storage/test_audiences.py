"""Saved audiences: kept by name, renamed, pinned, forgotten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from engines.errors import InputError
from storage import Store
from storage.contract import NotFoundError

ODD = "Über 'all' \\ 100% 平 😀"


def test_audiences_are_kept_by_name_pinned_ones_first(store: Store):
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


def test_an_audience_is_renamed_and_pinned_and_knows_where_it_was_made(store: Store, elsewhere: Store):
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


def test_of_many_who_save_one_name_at_once_all_succeed(store: Store):
    with ThreadPoolExecutor(4) as pool:
        saved = list(pool.map(lambda number: store.save_audience("One", f"min_clv={number}"), range(8)))
    assert len({each.id for each in saved}) == 1
    assert store.audiences()[0] in saved
    assert len(store.audiences()) == 1


def test_names_that_cannot_be_used_are_refused(store: Store):
    for name in ("", "  ", "nul\x00", "\u202egnp.exe", "\ud800", "x" * 201):
        with pytest.raises(InputError):
            store.save_audience(name, "")
    assert store.audiences() == []
