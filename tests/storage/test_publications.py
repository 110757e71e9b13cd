"""Publications: one published run per data set, its history, roll back, what is never deleted, two at once."""

from __future__ import annotations

import threading
from datetime import date

import pytest

from engines.errors import InputError
from storage import Store, open_store
from storage.contract import ChangedError, NotFoundError, PublishedError, Run
from storage.contract.publications import WHY_LENGTH
from tests.storage.samples import (
    Clock,
    claim_run,
    finished_run,
    sample_customers,
    sample_result,
    sample_snapshot,
    unpublish,
)

CUSTOMERS = sample_customers(6)
BY_HAND = {"who": "anna", "via": "api", "why": "Better names"}


def asked(store: Store, *engines: str, **changes: object) -> list[Run]:
    """Runs that wait, asked for at once on a snapshot."""
    snapshot = store.save_snapshot(sample_snapshot(**changes), CUSTOMERS)
    runs: list[Run] = []
    for engine in engines:
        first = runs[0].id if runs else None
        runs.append(store.queue_run(snapshot.id, engine, {}, asked_with=first))
    return runs


def finish(store: Store, run: Run, worker: str | None = "ann") -> Run:
    return store.finish_run(run.id, sample_result(CUSTOMERS), seconds=1, info={}, worker=worker)


def claimed(store: Store, number: int) -> list[Run]:
    return [run for run in (claim_run(store, "ann") for _ in range(number)) if run is not None]


def test_a_run_is_published_by_hand_and_the_history_says_who_when_and_why(store: Store, clock: Clock):
    snapshot, first, _ = finished_run(store, CUSTOMERS)
    _, second, _ = finished_run(store, CUSTOMERS, as_of=date(2024, 6, 1))
    clock.forward(60)
    checks = [{"name": "customers", "passed": False, "text": "6 customers, 5 before"}]
    made = store.publish(second.id, who="anna", via="api", why="  Better \n names ", checks=checks, expected=first.id)
    assert (made.dataset, made.run_id, made.engine, made.as_of) == (snapshot.dataset, second.id, "kmeans", second.as_of)
    assert (made.previous_run_id, made.published_by, made.via, made.kind) == (first.id, "anna", "api", "publish")
    assert (made.why, made.published_at, list(made.checks)) == ("Better names", clock.now, checks)
    assert store.published(snapshot.dataset) == made
    assert store.published_runs() == {snapshot.dataset: made}
    history = store.publications(snapshot.dataset)
    assert [(item.run_id, item.via) for item in history] == [(second.id, "api"), (first.id, "first")]
    assert (store.published("Another"), store.publications("Another")) == (None, [])


def test_what_is_not_finished_or_has_no_reason_is_not_published(store: Store):
    _, first, _ = finished_run(store, CUSTOMERS)
    waiting = store.queue_run(first.snapshot_id, "gmm", {})
    failed = store.fail_run(store.start_run(first.snapshot_id, "gmm", {}, lease_seconds=60).id, "no memory")
    for run, state in ((waiting, "queued"), (failed, "failed")):
        with pytest.raises(InputError, match=f"Run {run.id} is {state}; only a finished run"):
            store.publish(run.id, **BY_HAND)
    with pytest.raises(NotFoundError, match="no run 999"):
        store.publish(999, **BY_HAND)
    for why in ("", "  ", "x" * (WHY_LENGTH + 1), "nul\x00", "bell\x07"):
        with pytest.raises(InputError):
            store.publish(first.id, **{**BY_HAND, "why": why})
    assert [item.via for item in store.publications(first.dataset)] == ["first"]


def test_who_expects_another_run_to_be_published_is_refused(store: Store):
    _, first, _ = finished_run(store, CUSTOMERS)
    _, second, _ = finished_run(store, CUSTOMERS, as_of=date(2024, 6, 1))
    with pytest.raises(ChangedError, match=f"Run {first.id} of Teas & Co is published by now, and not run {second.id}"):
        store.publish(second.id, **BY_HAND, expected=second.id)
    with pytest.raises(ChangedError):
        store.roll_back(first.dataset, **BY_HAND, expected=second.id)
    assert store.published(first.dataset).run_id == first.id


def test_rolling_back_goes_back_through_the_history(store: Store):
    runs = [finished_run(store, CUSTOMERS, fingerprint=name)[1] for name in "abc"]
    dataset = runs[0].dataset
    for run in runs[1:]:
        store.publish(run.id, **BY_HAND)
    back = store.roll_back(dataset, **BY_HAND)
    assert (back.run_id, back.previous_run_id, back.kind) == (runs[1].id, runs[2].id, "rollback")
    assert store.roll_back(dataset, **BY_HAND, expected=runs[1].id).run_id == runs[0].id
    with pytest.raises(InputError, match="published before"):
        store.roll_back(dataset, **BY_HAND)
    assert store.publish(runs[2].id, **BY_HAND).previous_run_id == runs[0].id
    assert store.roll_back(dataset, **BY_HAND).run_id == runs[0].id
    with pytest.raises(NotFoundError, match="There is no data set Another"):
        store.roll_back("Another", **BY_HAND)
    asked(store, "rfm", dataset="Waiting")
    with pytest.raises(NotFoundError, match="No run of Waiting is published"):
        store.roll_back("Waiting", **BY_HAND)


def test_a_published_run_and_its_snapshot_are_not_deleted_and_what_was_published_before_may_be(store: Store):
    snapshot, first, _ = finished_run(store, CUSTOMERS)
    later, second, _ = finished_run(store, CUSTOMERS, as_of=date(2024, 6, 1))
    store.publish(second.id, **BY_HAND)
    for delete in (
        lambda: store.delete_run(second.id),
        lambda: store.delete_snapshot(later.id),
        lambda: store.delete_snapshot(later.id, idle=True),
    ):
        with pytest.raises(PublishedError, match=f"Run {second.id} is the published run of Teas & Co and stays"):
            delete()
    assert store.labels(second.id).size == len(CUSTOMERS)
    store.delete_snapshot(snapshot.id)
    history = store.publications(snapshot.dataset)
    assert [(item.run_id, item.engine, item.as_of) for item in history] == [
        (second.id, "kmeans", later.as_of),
        (first.id, "kmeans", snapshot.as_of),
    ]
    with pytest.raises(InputError, match=f"Run {first.id} of Teas & Co, which was published before, is deleted"):
        store.roll_back(snapshot.dataset, **BY_HAND)


def test_a_renamed_data_set_keeps_its_publications(store: Store):
    _, run, _ = finished_run(store, CUSTOMERS)
    before = store.publications("Teas & Co")
    store.rename_dataset("Teas & Co", "Coffee/and tea")
    assert [item.id for item in store.publications("Coffee/and tea")] == [item.id for item in before]
    assert store.published_runs().keys() == {"Coffee/and tea"}
    assert store.published("Teas & Co") is None
    with pytest.raises(PublishedError, match="Coffee/and tea"):
        store.delete_run(run.id)


def test_data_sets_are_listed_as_they_were_first_published(store: Store):
    _, late, _ = finished_run(store, CUSTOMERS, dataset="Zebra")
    finished_run(store, CUSTOMERS, dataset="Apple")
    _, other, _ = finished_run(store, CUSTOMERS, dataset="Zebra", fingerprint="b")
    store.publish(other.id, **BY_HAND)
    assert [(name, item.run_id != late.id) for name, item in store.published_runs().items()] == [
        ("Zebra", True),
        ("Apple", True),
    ]


# --- the first one, by itself -----------------------------------------------------------------------------------------


def test_the_first_engine_asked_for_is_published_with_its_end_and_no_later_run(store: Store, clock: Clock):
    rfm, kmeans = asked(store, "rfm", "kmeans")
    mine = {run.id: run for run in claimed(store, 2)}
    assert (mine[kmeans.id].asked_with, mine[rfm.id].asked_with) == (rfm.id, None)
    finish(store, kmeans)
    assert store.published(rfm.dataset) is None, "the first engine is still at work"
    clock.forward(5)
    finish(store, rfm)
    made = store.published(rfm.dataset)
    assert (made.run_id, made.via, made.published_by, made.previous_run_id) == (rfm.id, "first", None, None)
    assert (made.published_at, made.kind, made.checks) == (clock.now, "publish", ())
    # a trial, an earlier date, new sales and a run that fails change nothing
    finished_run(store, CUSTOMERS, as_of=date(2023, 1, 1))
    finished_run(store, CUSTOMERS, fingerprint="new", as_of=date(2024, 7, 1))
    store.fail_run(store.start_run(rfm.snapshot_id, "gmm", {}, lease_seconds=60).id, "no memory")
    finish(store, store.start_run(rfm.snapshot_id, "gmm", {}, lease_seconds=60), worker=None)
    assert store.publications(rfm.dataset) == [made]


@pytest.mark.parametrize("end", ["fail", "cancel", "release", "delete", "give up"])
def test_where_the_first_engine_comes_to_nothing_the_next_is_published_when_all_are_over(
    store: Store, clock: Clock, end: str
):
    rfm, kmeans, gmm = asked(store, "rfm", "kmeans", "gmm")
    lease = 10.0 if end == "give up" else 3600.0
    for _ in range(3):
        claim_run(store, "ann", lease)
    finish(store, kmeans)
    if end == "fail":
        store.fail_run(rfm.id, "no memory", worker="ann")
    elif end == "cancel":
        store.cancel_run(rfm.id)
    elif end == "delete":
        store.delete_run(rfm.id)
    elif end == "release":
        store.release_job(rfm.job_id, "ann", reason="killed")
        claim_run(store, "ann")
        store.release_job(rfm.job_id, "ann", reason="killed")
    else:
        # leases are the server's matter on PostgreSQL: one that is over when it begins
        store.cancel_run(gmm.id)
        store.release_job(rfm.job_id, "ann")
        for _ in range(2):
            claim_run(store, "bob", -1)
        assert claim_run(store, "bob", -1) is None
        assert store.run(rfm.id).state == "failed"
    if end != "give up":
        assert store.published(rfm.dataset) is None, "another engine is still at work"
        store.fail_run(gmm.id, "no memory", worker="ann")
    assert [item.run_id for item in store.publications(rfm.dataset)] == [kmeans.id]


def test_where_all_engines_fail_the_next_request_is_the_first(store: Store):
    (rfm,) = asked(store, "rfm")
    claimed(store, 1)
    (other,) = asked(store, "kmeans", fingerprint="b")
    claimed(store, 1)
    finish(store, other)
    assert store.published(rfm.dataset) is None, "what was asked for first is still at work"
    store.fail_run(rfm.id, "no memory", worker="ann")
    assert store.published(rfm.dataset).run_id == other.id


def test_a_run_that_a_killed_command_left_behind_keeps_nobody_from_being_first(store: Store):
    snapshot = store.save_snapshot(sample_snapshot(), CUSTOMERS)
    store.start_run(snapshot.id, "rfm", {}, lease_seconds=-1)
    again = store.start_run(snapshot.id, "rfm", {}, lease_seconds=60)
    finish(store, again, worker=None)
    assert store.published(snapshot.dataset).run_id == again.id


def test_nothing_is_published_by_itself_where_other_runs_are_done_and_none_is_published(store: Store):
    """As in a store from before there were published runs, had its step not published one."""
    _, old, _ = finished_run(store, CUSTOMERS)
    unpublish(store)
    finished_run(store, CUSTOMERS, as_of=date(2024, 6, 1))
    assert store.published(old.dataset) is None


# --- two at once ------------------------------------------------------------------------------------------------------


def at_once(*methods: object) -> list[object]:
    """What these give or raise when each is called in a thread of its own at the same moment."""
    start, answers = threading.Barrier(len(methods)), [None] * len(methods)

    def call(place: int) -> None:
        start.wait()
        try:
            answers[place] = methods[place]()
        except Exception as error:  # noqa: BLE001 - what was raised is the answer
            answers[place] = error

    threads = [threading.Thread(target=call, args=(place,)) for place in range(len(methods))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_two_who_publish_at_once_leave_one_published_run_and_both_in_the_history(url: str):
    one, two = (open_store(url, clock=Clock()) for _ in range(2))
    runs = [finished_run(one, CUSTOMERS, fingerprint=name)[1] for name in "abc"]
    for _ in range(10):
        before = one.publications(runs[0].dataset)
        made = at_once(
            lambda: one.publish(runs[1].id, **BY_HAND), lambda: two.publish(runs[2].id, **{**BY_HAND, "who": "bob"})
        )
        history = one.publications(runs[0].dataset)
        assert sorted(item.id for item in history[:2]) == sorted(item.id for item in made)
        assert history[2:] == before
        assert history[0].previous_run_id == history[1].run_id, "each saw the other, or what was before both"
        assert history[1].previous_run_id == before[0].run_id
        assert two.published(runs[0].dataset) == history[0]
    one.close()
    two.close()


def test_of_two_who_expect_the_same_one_publishes(url: str):
    one, two = (open_store(url, clock=Clock()) for _ in range(2))
    runs = [finished_run(one, CUSTOMERS, fingerprint=name)[1] for name in "ab"]
    dataset = runs[0].dataset
    for _ in range(10):
        now = one.publish(runs[1].id, **BY_HAND)
        answers = at_once(
            lambda: one.publish(runs[0].id, **BY_HAND, expected=runs[1].id),
            lambda: two.roll_back(dataset, **BY_HAND, expected=runs[1].id),
        )
        assert sorted(type(item).__name__ for item in answers) == ["ChangedError", "Publication"]
        assert one.published(dataset).run_id == runs[0].id
        assert one.publications(dataset)[1] == now
    one.close()
    two.close()


def test_a_run_that_is_deleted_while_it_is_published_is_either_published_or_gone(url: str):
    one, two = (open_store(url, clock=Clock()) for _ in range(2))
    _, first, _ = finished_run(one, CUSTOMERS)
    for number in range(8):
        snapshot, run, _ = finished_run(one, CUSTOMERS, fingerprint=f"n{number}")
        delete = (lambda: two.delete_run(run.id)) if number % 2 else (lambda: two.delete_snapshot(snapshot.id))  # noqa: B023
        published, deleted = at_once(lambda: one.publish(run.id, **BY_HAND), delete)  # noqa: B023
        if isinstance(deleted, PublishedError):
            assert one.published(run.dataset).run_id == run.id == one.run(run.id).id
            one.publish(first.id, **BY_HAND)
        else:
            assert (deleted, type(published)) == (None, NotFoundError)
            assert one.published(run.dataset).run_id == first.id
    one.close()
    two.close()


def test_two_engines_that_end_at_once_publish_one(url: str):
    one, two = (open_store(url, clock=Clock()) for _ in range(2))
    for number in range(6):
        name = f"set {number}"
        rfm, kmeans = asked(one, "rfm", "kmeans", dataset=name)
        claimed(one, 2)
        if number % 2:
            ended = at_once(lambda: finish(one, rfm), lambda: finish(two, kmeans))  # noqa: B023
        else:
            ended = at_once(lambda: one.fail_run(rfm.id, "no memory", worker="ann"), lambda: finish(two, kmeans))  # noqa: B023
        assert all(isinstance(item, Run) for item in ended), ended
        assert [item.run_id for item in one.publications(name)] == [rfm.id if number % 2 else kmeans.id]
    one.close()
    two.close()


def test_a_data_set_that_is_renamed_while_a_run_is_published_keeps_it(url: str):
    one, two = (open_store(url, clock=Clock()) for _ in range(2))
    runs = [finished_run(one, CUSTOMERS, dataset="0", fingerprint=name)[1] for name in "ab"]
    for number in range(6):
        made, _ = at_once(
            lambda: one.publish(runs[number % 2].id, **BY_HAND),  # noqa: B023
            lambda: two.rename_dataset(str(number), str(number + 1)),  # noqa: B023
        )
        assert one.published_runs().keys() == {str(number + 1)}
        assert one.published(str(number + 1)).id == made.id
    one.close()
    two.close()


# --- notes and tags ---------------------------------------------------------------------------------------------------


def test_a_run_has_a_note_and_tags_in_any_state(store: Store):
    _, run, _ = finished_run(store, CUSTOMERS)
    assert (run.note, run.tags) == ("", ())
    noted = store.set_run_note(run.id, note=" For Q4,\r\n as  asked ", tags=["Q4 test", "q4 TEST", " ", "Übung"])
    assert (noted.note, noted.tags) == ("For Q4,\nas asked", ("Q4 test", "Übung"))
    assert store.set_run_note(run.id, tags=[]).note == "For Q4,\nas asked"
    assert store.set_run_note(run.id, note="") == run
    waiting = store.queue_run(run.snapshot_id, "gmm", {})
    assert store.set_run_note(waiting.id, note="x" * 500).note == "x" * 500
    for more in ({"note": "x" * 501}, {"tags": ["x" * 41]}, {"tags": [str(n) for n in range(13)]}, {"note": "nul\x00"}):
        with pytest.raises(InputError):
            store.set_run_note(run.id, **more)
    with pytest.raises(NotFoundError):
        store.set_run_note(999, note="x")
