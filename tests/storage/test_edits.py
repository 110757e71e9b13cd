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
    own = result.segments[1]
    by_hand = {"name": name, "action": "Ring them.", "colour": "#123456"}
    expected = replace(own, **by_hand, pinned=False, revision=1, own_name=own.name)
    assert edited.segments == (result.segments[0], expected, *result.segments[2:])
    assert edited == replace(run, segments=edited.segments) == store.run(run.id) == store.runs()[0]
    assert (run.revision, edited.revision) == (0, 1)
    assert_series_equal(store.labels(run.id), result.labels, check_names=False)
    mine = (result.labels == 2).sum()
    assert store.count(run.id, Selection(segments=(name,))) == mine > 0
    # it is known by what it was first called, and found by what its run calls it
    assert store.count(run.id, Selection(segments=(NAMES[1],))) == mine
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
    assert third == replace(own, action="Then", colour="#abcdef", pinned=True, revision=3, former=("First",))
    fourth = store.edit_segment(run.id, own.key, revision=3, action="", colour="", pinned=False).segments[0]
    assert fourth == replace(own, revision=4, former=("First",))


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


def test_names_hold_for_every_date_of_a_data_set_and_engine(store: Store):
    customers = sample_customers(20)
    snapshot, run, result = finished_run(store, customers)
    later = store.save_snapshot(sample_snapshot(as_of=date(2024, 6, 1)), customers)
    other = store.save_snapshot(sample_snapshot(dataset="Coffees"), customers)
    where = {"later": (later.id, "kmeans"), "engine": (later.id, "gmm"), "data set": (other.id, "kmeans")}
    runs = {name: store.start_run(*place, {}, lease_seconds=60).id for name, place in where.items()}
    for number in runs.values():
        store.finish_run(number, result, seconds=1, info={})
    store.edit_segment(run.id, 0, revision=0, name="Ours", pinned=True)
    first = {name: store.run(number).segments[0] for name, number in runs.items()}
    assert {name: (item.name, item.pinned) for name, item in first.items()} == {
        "later": ("Ours", True),
        "engine": (NAMES[0], False),
        "data set": (NAMES[0], False),
    }
    store.edit_segment(runs["later"], 0, revision=1, name="Theirs")
    again = store.run(run.id).segments[0]
    assert (again.name, again.former, again.revision) == ("Theirs", ("Ours",), 2)
    for text in (NAMES[0], "Ours", "Theirs"):  # what it is known by, was called and is called
        assert store.count(run.id, Selection(segments=(text,))) == again.customers > 0
    store.rename_dataset("Teas & Co", "Tea")
    assert store.run(run.id).segments[0].name == "Theirs"
    store.delete_run(runs["later"])
    unpublish(store)
    store.delete_snapshot(snapshot.id)
    new = store.start_run(later.id, "kmeans", {}, lease_seconds=60)
    assert store.finish_run(new.id, result, seconds=1, info={}).segments[0].name == "Theirs"


def test_a_name_by_hand_that_a_later_run_gives_another_segment(store: Store):
    customers = sample_customers(20)
    _, run, result = finished_run(store, customers)
    store.edit_segment(run.id, 0, revision=0, name="Evergreens")
    later = store.start_run(run.snapshot_id, "kmeans", {}, lease_seconds=60)
    segments = (*result.segments[:2], replace(result.segments[2], name="evergreens", identity=""), *result.segments[3:])
    done = store.finish_run(later.id, replace(result, segments=segments), seconds=1, info={})
    assert _names(done)[0] == "Evergreens"
    assert done.segments[2].name == "evergreens 2"
    assert done.segments[2].identity == f"{later.id}.{done.segments[2].key}"  # new: one of its own
    assert store.count(later.id, Selection(segments=("Evergreens",))) == done.segments[0].customers


def test_some_treated_as_one_are_one_everywhere_and_can_be_taken_apart(store: Store):
    customers = sample_customers(200)
    _, run, result = finished_run(store, customers)
    later = store.save_snapshot(sample_snapshot(as_of=date(2024, 6, 1)), customers)
    without = store.start_run(later.id, "kmeans", {}, lease_seconds=60).id
    keys = result.labels.where(result.labels != 0, 4)
    rest = replace(result, labels=keys, segments=tuple(item for item in result.segments if item.key != 0))
    store.finish_run(without, rest, seconds=1, info={})
    into, part, third = (result.segments[place] for place in (0, 1, 2))
    merged = store.merge_segment(run.id, part.key, into.key, revision=0)
    one = merged.segments[0]
    assert (one.identity, one.name, one.keys) == (into.identity, into.name, (into.key, part.key))
    assert one.merged_names == (part.name,)
    assert one.customers == into.customers + part.customers
    assert one.frequency == pytest.approx(2.0)
    assert len(merged.segments) == len(result.segments) - 1
    assert sum(item.customers for item in merged.segments) == sum(item.customers for item in run.segments)
    both = result.labels.isin([into.key, part.key]).sum()
    for text in (into.name, part.name, into.identity):
        assert store.count(run.id, Selection(segments=(text,))) == both
    streamed = store.stream(run.id, Selection(), []).read_all()[SEGMENT].to_pylist()
    assert (streamed.count(into.name), streamed.count(part.name)) == (both, 0)
    someone = str(result.labels.index[result.labels == part.key][0])
    assert store.segment_of(run.id, someone) == into.key
    assert_series_equal(store.labels(run.id), result.labels, check_names=False)  # the run itself is as it was
    # a date that has no segment of its own to be one with shows the other under that name
    alone = next(item for item in store.run(without).segments if item.key == part.key)
    assert (alone.name, alone.identity) == (into.name, into.identity)
    # what is one with it goes along, and is all taken apart again
    chain = store.merge_segment(run.id, into.key, third.key, revision=one.revision)
    assert sorted(chain.segments[0].keys) == sorted([into.key, part.key, third.key])
    with pytest.raises(InputError, match="is itself"):
        store.merge_segment(run.id, part.key, third.key, revision=chain.segments[0].revision)
    with pytest.raises(ChangedError):
        store.merge_segment(run.id, third.key, None, revision=0)
    apart = store.merge_segment(run.id, third.key, None, revision=chain.segments[0].revision)
    assert [(item.name, item.keys) for item in apart.segments] == [(item.name, (item.key,)) for item in result.segments]
