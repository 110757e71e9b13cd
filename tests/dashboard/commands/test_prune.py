"""``segmentry prune``: what goes, what stays, and that nothing goes unasked."""

import json
import os
import time
from datetime import UTC, date, datetime

import pytest
from click.testing import CliRunner

from dashboard.cli import main
from dashboard.config import Retention
from dashboard.pipeline.prune import plan_pruning, prune_snapshots
from storage import open_store
from tests.prepared import prepared
from tests.storage.samples import Clock, finished_run, sample_customers, sample_result, unpublish

CUSTOMERS = sample_customers(5)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request, tmp_path, clock):
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_store_url")
    store = open_store(prepared(url), clock=clock)
    yield store
    store.close()


def monthly(store, clock, months, dataset="Teas & Co"):
    """A snapshot with a finished run, not published, saved on the 1st of each of these months of 2024; their ids."""
    made = []
    for month in months:
        clock.now = datetime(2024, month, 1, 6, tzinfo=UTC)
        made.append(finished_run(store, CUSTOMERS, dataset=dataset, as_of=date(2024, month, 1))[0].id)
    unpublish(store)
    return made


def keeping(snapshots=0, months=0) -> Retention:
    return Retention(keep_snapshots=snapshots, keep_months=months)


def leaving(store, clock, **kept) -> list[int]:
    return [item.snapshot.id for item in plan_pruning(store, keeping(**kept), clock.now).leaving]


def test_the_newest_of_each_data_set_are_kept_by_number(store, clock):
    teas = monthly(store, clock, [1, 2, 3, 4])
    shoes = monthly(store, clock, [1, 2], dataset="Shoes")
    assert leaving(store, clock, snapshots=2) == teas[:2]
    assert sorted(leaving(store, clock, snapshots=1)) == sorted([*teas[:3], *shoes[:1]])
    assert leaving(store, clock, snapshots=4) == []
    assert leaving(store, clock) == [], "0 is all"


def test_what_was_saved_in_the_last_months_is_kept_and_the_newest_always(store, clock):
    teas = monthly(store, clock, [1, 2, 3, 4])
    clock.now = datetime(2024, 4, 30, 6, tzinfo=UTC)
    assert leaving(store, clock, months=1) == teas[:3]
    assert leaving(store, clock, months=2) == teas[:2], "29 February is the same day two months before 30 April"
    assert leaving(store, clock, months=1, snapshots=3) == teas[:1], "either of the two keeps it"
    clock.now = datetime(2034, 1, 1, tzinfo=UTC)
    assert leaving(store, clock, months=1) == teas[:3]


def test_newest_means_the_customers_latest_date_not_the_latest_saved(store, clock):
    may, february = monthly(store, clock, [5, 2])
    assert may < february
    assert leaving(store, clock, snapshots=1) == [february]


def test_what_is_at_work_stays_even_if_it_begins_after_the_preview(store, clock):
    old, running, queued, _ = monthly(store, clock, [1, 2, 3, 4])
    store.start_run(running, "e", {}, lease_seconds=60)
    store.queue_run(queued, "e", {})
    planned = plan_pruning(store, keeping(1), clock.now)
    assert [item.snapshot.id for item in planned.leaving] == [old]
    assert {item.snapshot.id: item.reason for item in planned.spared} == {
        running: "a run of it is queued or running",
        queued: "a run of it is queued or running",
    }
    late = store.queue_run(old, "e", {})
    gone, spared = prune_snapshots(store, planned)
    assert (gone, [item.snapshot.id for item in spared]) == ([], [old])
    assert store.run(late.id).state == "queued"
    store.cancel_run(late.id)
    assert prune_snapshots(store, planned)[0] == [old]
    assert prune_snapshots(store, planned) == ([], []), "what is gone already is no error"


def test_the_published_run_stays_even_if_it_is_published_after_the_preview(store, clock):
    january, february, march, _ = monthly(store, clock, [1, 2, 3, 4])
    by_snapshot = {run.snapshot_id: run.id for run in store.runs()}
    store.publish(by_snapshot[january], who=None, via="api", why="In use")
    planned = plan_pruning(store, keeping(1), clock.now)
    assert [item.snapshot.id for item in planned.leaving] == [february, march]
    reason = f"run {by_snapshot[january]} is the published run"
    assert [(item.snapshot.id, item.reason) for item in planned.spared] == [(january, reason)]
    store.publish(by_snapshot[march], who=None, via="api", why="Now this")
    gone, spared = prune_snapshots(store, planned)
    assert (gone, [item.snapshot.id for item in spared]) == ([february], [march])
    assert spared[0].reason == "a run of it was published meanwhile"
    assert store.published("Teas & Co").run_id == by_snapshot[march]


def test_names_given_by_hand_stay_until_a_later_run_has_them(store, clock):
    first, second, _ = monthly(store, clock, [1, 2, 3])
    by_snapshot = {run.snapshot_id: run for run in store.runs()}
    store.edit_segment(by_snapshot[first].id, 0, revision=0, name="Friends", pinned=True)
    assert leaving(store, clock, snapshots=1) == [first, second], "a later run of the engine has taken over by now"
    store.delete_run(by_snapshot[second].id)
    newest = max(by_snapshot)
    store.delete_run(by_snapshot[newest].id)
    planned = plan_pruning(store, keeping(1), clock.now)
    assert [item.snapshot.id for item in planned.leaving] == [second]
    assert "names given by hand" in planned.spared[0].reason
    assert store.predecessor("Teas & Co", "kmeans").segments[0].name == "Friends"


def test_a_run_whose_names_nobody_has_touched_keeps_nothing(store, clock):
    first, _ = monthly(store, clock, [1, 2])
    alone = store.start_run(first, "an engine of that month", {}, lease_seconds=60)
    store.finish_run(alone.id, sample_result(CUSTOMERS), seconds=1, info={})
    assert leaving(store, clock, snapshots=1) == [first]


@pytest.mark.slow
def test_files_that_nothing_refers_to_go_when_they_are_old(segmentry, tmp_path):
    segmentry("run", "cdnow-sample", "--engine", "rfm")
    (model,) = (tmp_path / "segmentry-objects").glob("*/model/*")
    lost = model.with_name("0" * 64)
    for age, is_there in ((0, True), (7200, False)):
        lost.write_bytes(b"left by a process that was killed")
        os.utime(lost, (time.time() - age,) * 2)
        segmentry("prune", "--dry-run")
        assert lost.exists()
        segmentry("prune")
        assert (lost.exists(), model.exists()) == (is_there, True)


def test_what_goes_goes_with_everything_of_it_and_the_rest_is_untouched(store, clock):
    monthly(store, clock, [1, 2])
    (kept,) = monthly(store, clock, [3])
    labels = store.labels(store.runs()[0].id)
    gone, _ = prune_snapshots(store, plan_pruning(store, keeping(1), clock.now))
    assert len(gone) == 2
    assert [snapshot.id for snapshot in store.snapshots()] == [kept]
    (run,) = store.runs()
    assert store.labels(run.id).equals(labels)
    assert len(store.snapshot_customers(kept)) == 5


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def segmentry(tmp_path, monkeypatch):
    """Calls ``segmentry`` in a folder of its own whose database has four snapshots."""
    monkeypatch.chdir(tmp_path)
    clock = Clock()
    store = open_store(prepared(f"sqlite:///{tmp_path / 'segmentry.db'}"), clock=clock)
    monthly(store, clock, [1, 2, 3, 4])
    store.close()

    def call(*words, code=0, **environ):
        done = CliRunner(env=environ).invoke(main, [str(word) for word in words])
        assert done.exit_code == code, (done.stderr, done.exception)
        return done

    return call


def snapshots(segmentry) -> set[int]:
    return {run["snapshot"] for run in json.loads(segmentry("runs", "--json").stdout)}


def test_a_preview_deletes_nothing_and_says_everything(segmentry):
    seen = json.loads(segmentry("prune", "--keep", 2, "--dry-run", "--json").stdout)
    assert seen["totals"] == {"snapshots": 2, "runs": 2, "customers": 10}
    first = {"snapshot": 1, "name": "Teas & Co", "as_of": "2024-01-01", "customers": 5, "runs": [1]}
    assert {name: seen["snapshots"][0][name] for name in first} == first
    assert (seen["kept"], seen["spared"], seen["deleted"]) == (2, [], [])
    told = segmentry("prune", "--keep", 2, "--dry-run").stdout
    assert "Goes:  snapshot 1, Teas & Co as of 2024-01-01: 5 customers, runs 1" in told
    assert "2 snapshots with 2 runs and 10 customers go, 2 snapshots stay." in told
    assert snapshots(segmentry) == {1, 2, 3, 4}


def test_nothing_goes_without_yes_or_a_terminal(segmentry):
    for words in (("--keep", 1), ("--keep", 1, "--json")):
        assert "--yes" in segmentry("prune", *words, code=2).stderr
    segmentry("prune", "--keep", 1, "--yes", "--dry-run", code=2)
    segmentry("prune", "--keep", -1, "--yes", code=2)
    assert snapshots(segmentry) == {1, 2, 3, 4}


def test_yes_deletes_and_again_there_is_nothing_left_to_do(segmentry):
    done = json.loads(segmentry("prune", "--keep", 3, "--yes", "--json").stdout)
    assert done["deleted"] == [1]
    assert "2 snapshots deleted" in segmentry("prune", "--months", 1, "--keep", 1, "--yes").stdout
    assert snapshots(segmentry) == {4}
    assert "0 snapshots with" in segmentry("prune", "--keep", 1).stdout, "nothing to ask about"


def test_the_configuration_decides_when_nothing_is_given(segmentry):
    assert json.loads(segmentry("prune", "--yes", "--json").stdout)["deleted"] == []
    environ = {"SEGMENTRY_RETENTION_KEEP_SNAPSHOTS": "3"}
    assert json.loads(segmentry("prune", "--dry-run", "--json", **environ).stdout)["totals"]["snapshots"] == 1
    given = segmentry("prune", "--dry-run", "--months", 1200, "--json", **environ)
    assert json.loads(given.stdout)["totals"]["snapshots"] == 0, "the command line alone decides"
