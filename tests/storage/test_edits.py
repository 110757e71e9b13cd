"""Names, actions and pins that people give segments by hand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from pandas.testing import assert_series_equal

from engines.columns import SEGMENT
from engines.errors import InputError
from storage import Store
from storage.contract import ChangedError, NotFoundError, Run, Selection
from tests.storage.samples import NAMES, finished_run, sample_customers, sample_result, sample_snapshot, unpublish


def _names(run: Run) -> list[str]:
    return [segment.name for segment in run.segments]


def test_an_edited_name_is_seen_everywhere_and_the_figures_stay(store: Store):
    customers = sample_customers(200)
    _, run, result = finished_run(store, customers)
    name = "Ünsere 'Besten' 100% \\ 平 😀"
    edited = store.edit_segment(run.id, 2, revision=0, name=name, action="Ring them.", colour="#123456")
    expected = replace(result.segments[1], name=name, action="Ring them.", colour="#123456", pinned=False, revision=1)
    assert edited.segments == (result.segments[0], expected, *result.segments[2:])
    assert edited == replace(run, segments=edited.segments) == store.run(run.id) == store.runs()[0]
    assert (run.revision, edited.revision) == (0, 1)
    assert_series_equal(store.labels(run.id), result.labels, check_names=False)
    mine = (result.labels == 2).sum()
    assert store.count(run.id, Selection(segments=(name,))) == mine > 0
    assert store.count(run.id, Selection(segments=(NAMES[1],))) == 0
    streamed = store.stream(run.id, Selection(), []).read_all()[SEGMENT].to_pylist()
    assert streamed.count(name) == mine
    assert NAMES[1] not in streamed


def test_what_is_not_given_stays_and_an_empty_text_goes_back(store: Store):
    _, run, result = finished_run(store, sample_customers(20))
    own = result.segments[0]
    store.edit_segment(run.id, own.key, revision=0, name="First", pinned=True)
    second = store.edit_segment(run.id, own.key, revision=1, action="Then").segments[0]
    assert (second.name, second.action, second.pinned, second.revision) == ("First", "Then", True, 2)
    third = store.edit_segment(run.id, own.key, revision=2, name="", colour="#abcdef").segments[0]
    assert third == replace(own, action="Then", colour="#abcdef", pinned=True, revision=3)
    fourth = store.edit_segment(run.id, own.key, revision=3, action="", colour="", pinned=False).segments[0]
    assert fourth == replace(own, revision=4)


def test_an_edit_of_what_was_changed_in_the_meantime_is_refused(store: Store):
    _, run, _ = finished_run(store, sample_customers(20))
    edited = store.edit_segment(run.id, 0, revision=0, name="Hers")
    for revision in (0, 2, -1):
        with pytest.raises(ChangedError, match=r"'Hers' now \(revision 1\)"):
            store.edit_segment(run.id, 0, revision=revision, name="His")
    assert store.run(run.id) == edited
    assert _names(store.edit_segment(run.id, 2, revision=0, name="His"))[:2] == ["Hers", "His"]


def test_of_many_who_edit_at_once_one_wins(store: Store):
    _, run, _ = finished_run(store, sample_customers(20))

    def edit(number: int) -> bool:
        try:
            # half of them on one segment, half on another, and all with the same name
            store.edit_segment(run.id, 2 * (number % 2), revision=0, name="The one")
        except (ChangedError, InputError):
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(edit, range(8))) == 1
    assert _names(store.run(run.id)).count("The one") == 1
    assert store.run(run.id).revision == 1


def test_a_name_is_unique_within_its_run(store: Store):
    customers = sample_customers(20)
    _, run, result = finished_run(store, customers)
    for taken in (NAMES[0], f"  {NAMES[0].upper()} "):
        with pytest.raises(InputError, match=f"called '{NAMES[0]}'"):
            store.edit_segment(run.id, 2, revision=0, name=taken)
    swapped = store.edit_segment(run.id, 0, revision=0, name="Old guard")
    swapped = store.edit_segment(run.id, 2, revision=0, name=NAMES[0])
    assert _names(swapped)[:2] == ["Old guard", NAMES[0]]
    with pytest.raises(InputError, match="a name of its own"):
        store.edit_segment(run.id, 0, revision=1, name="")  # what the run called it is another's now
    assert _names(store.edit_segment(run.id, 0, revision=1, name="OLD GUARD"))[0] == "OLD GUARD"
    other = store.start_run(run.snapshot_id, "e", {}, lease_seconds=60)
    store.finish_run(other.id, result, seconds=1, info={})
    assert _names(store.edit_segment(other.id, 4, revision=0, name="Old guard"))[2] == "Old guard"


def test_texts_that_cannot_be_shown_are_refused(store: Store):
    _, run, _ = finished_run(store, sample_customers(5))
    for values, said in (
        ({"name": "x" * 81}, "81 characters; give it at most 80"),
        ({"action": "x" * 241}, "at most 240"),
        ({"name": "nul\x00"}, "cannot be seen"),
        ({"name": "\u202egnp.exe"}, "cannot be seen"),
        ({"action": "\ud800"}, "cannot be seen"),
    ):
        with pytest.raises(InputError, match=said):
            store.edit_segment(run.id, 0, revision=0, **values)  # type: ignore[arg-type]
    assert store.run(run.id) == run
    edited = store.edit_segment(run.id, 0, revision=0, name=" two\u00a0\n lines ", action="x" * 240).segments[0]
    assert (edited.name, len(edited.action)) == ("two lines", 240)


def test_only_segments_of_finished_runs_have_names(store: Store):
    snapshot, run, _ = finished_run(store, sample_customers(5))
    with pytest.raises(NotFoundError, match="no segment 1"):
        store.edit_segment(run.id, 1, revision=0, name="x")
    with pytest.raises(NotFoundError, match="99"):
        store.edit_segment(99, 0, revision=0, name="x")
    queued = store.queue_run(snapshot.id, "e", {})
    with pytest.raises(NotFoundError, match="it is queued"):
        store.edit_segment(queued.id, 0, revision=0, name="x")


def test_what_follows_a_run_sees_its_edits_and_hands_pins_on(store: Store):
    customers = sample_customers(20)
    _, run, _ = finished_run(store, customers)
    edited = store.edit_segment(run.id, 4, revision=0, name="Friends of the house", action="Write.", pinned=True)
    found = store.predecessor("Teas & Co", "kmeans")
    assert found is not None
    assert found.segments == edited.segments
    assert [segment.pinned for segment in found.segments] == [False, False, True, False]
    snapshot = store.save_snapshot(sample_snapshot(as_of=date(2024, 6, 1)), customers)
    following = store.start_run(snapshot.id, "kmeans", {}, lease_seconds=60)
    result = sample_result(customers)
    taken_over = replace(result, segments=(found.segments[2], *result.segments[:2], result.segments[3]))
    done = store.finish_run(following.id, taken_over, seconds=1, info={})
    first = done.segments[0]
    assert (first.name, first.action, first.pinned, first.revision) == ("Friends of the house", "Write.", True, 1)
    assert [segment.pinned for segment in done.segments[1:]] == [False] * 3
    released = store.edit_segment(done.id, 4, revision=1, pinned=False).segments[0]
    assert (released.name, released.pinned) == ("Friends of the house", False)


def test_edits_go_with_their_run(store: Store):
    customers = sample_customers(5)
    snapshot, run, result = finished_run(store, customers)
    store.edit_segment(run.id, 0, revision=0, name="Gone", pinned=True)
    unpublish(store)
    store.delete_run(run.id)
    again = store.start_run(snapshot.id, "kmeans", {}, lease_seconds=60)
    assert store.finish_run(again.id, result, seconds=1, info={}).segments == result.segments
    store.edit_segment(again.id, 0, revision=0, name="Gone")
    unpublish(store)
    store.delete_snapshot(snapshot.id)
    assert store.runs() == []
