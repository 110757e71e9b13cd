"""``segmentry publish`` and ``live``, notes in ``segmentry runs``, and what a schedule publishes by itself."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from dashboard.config import load_config
from dashboard.pipeline.publish import publish_scheduled
from dashboard.pipeline.sales import SalesRequest
from dashboard.worker.schedules import new_schedule, schedule_dict
from storage import open_store
from storage.contract.schedules import NewSchedule
from tests.dashboard.answering import worked
from tests.dashboard.calling import HEAD, SHOP
from tests.prepared import prepared
from tests.quick import QUICK
from tests.storage.samples import finished_run, sample_customers, sample_result, sample_snapshot

NOW = datetime(2024, 5, 17, 12, 30, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    opened = open_store(prepared(f"sqlite:///{tmp_path / 'segmentry.db'}"), clock=lambda: NOW)
    yield opened
    opened.close()


@pytest.fixture
def config(tmp_path):
    return load_config(environ={}).replace(database={"url": f"sqlite:///{tmp_path / 'segmentry.db'}"}, **QUICK)


def test_publish_live_history_and_back(segmentry, store):
    _, first, _ = finished_run(store, sample_customers(10))
    _, second, _ = finished_run(store, sample_customers(5), as_of=date(2024, 6, 1))
    said = segmentry("live", "Teas & Co").stdout
    assert f"Teas & Co: run {first.id} (kmeans, 2024-05-01), 10 customers" in said
    assert "by itself: The first run of Teas & Co that was done." in said
    published = segmentry("publish", second.id, "--why", "June").stdout
    assert f"run {second.id} (kmeans, 2024-06-01), 5 customers" in published
    assert "FAILED  customers: 5 customers, -50.0% against 10 of the published run" in published
    made = store.published("Teas & Co")
    assert (made.run_id, made.via, made.why, bool(made.published_by)) == (second.id, "command", "June", True)
    live = json.loads(segmentry("live", "Teas & Co", "--json").stdout)
    assert live["run"] == {"id": second.id, "engine": "kmeans", "as_of": "2024-06-01", "customers": 5}
    assert (live["published"]["why"], live["published"]["when"]) == ("June", made.published_at.isoformat())
    assert [check["name"] for check in live["published"]["checks"]] == ["customers", "ledger", "segments", "stability"]
    back = json.loads(segmentry("publish", "--roll-back", "Teas & Co", "--why", "Too few", "--json").stdout)
    assert (back["run"]["id"], back["published"]["kind"]) == (first.id, "rollback")
    rows = json.loads(segmentry("live", "Teas & Co", "--history", "--json").stdout)
    assert [(row["run"]["id"], row["kind"]) for row in rows] == [
        *((first.id, "rollback"), (second.id, "publish"), (first.id, "publish"))
    ]
    assert "rolled back: Too few" in segmentry("live", "Teas & Co", "--history").stdout


def test_what_cannot_be_published_is_one_sentence_and_exit_code_2(segmentry, store):
    _, run, _ = finished_run(store, sample_customers(5))
    queued = store.queue_run(run.snapshot_id, "gmm", {})
    for words, sentence in (
        (("publish", queued.id, "--why", "x"), f"Run {queued.id} is queued; only a finished run can be published."),
        (("publish", 99, "--why", "x"), "There is no run 99"),
        (("publish", run.id), "Missing option '--why'"),
        (("publish", "--why", "x"), "Name the run that is to be published"),
        (("publish", run.id, "--roll-back", "Teas & Co", "--why", "x"), "Name the run that is to be published"),
        (("publish", "--roll-back", "Teas & Co", "--why", "x"), "was published before"),
        (("live", "nowhere"), "There is no data set nowhere."),
        (("live", "nowhere", "--history"), "There is no data set nowhere."),
    ):
        assert sentence in segmentry(*words, code=2).stderr


def test_runs_show_what_is_published_and_notes(segmentry, store):
    _, run, _ = finished_run(store, sample_customers(5))
    assert "Note" not in segmentry("runs").stdout
    store.set_run_note(run.id, note="For Q4", tags=["Q4 test"])
    shown = segmentry("runs").stdout
    assert "done, published" in shown and "[Q4 test] For Q4" in shown
    (row,) = json.loads(segmentry("runs", "--json").stdout)
    assert (row["published"], row["note"], row["tags"]) == (True, "For Q4", ["Q4 test"])


def test_a_schedule_keeps_whether_it_publishes(segmentry, tmp_path):
    (tmp_path / "shop.csv").write_text("customer_id,date,amount\na,2024-01-01,5\n", encoding="utf-8")
    added = json.loads(segmentry("schedule", "add", "shop.csv", "--every", "day", "--publish", "--json").stdout)
    assert added["publish"]
    assert "publishes what passes its checks" in segmentry("schedule", "list").stdout
    plain = json.loads(segmentry("schedule", "add", "shop.csv", "--every", "day", "--json").stdout)
    assert not plain["publish"]


# --- a refresh of a schedule that publishes ---------------------------------------------------------------------------


def refreshed(store, customers, publish=True, stability=None, **changes):
    """A schedule whose last due time made a run of two engines, and these runs."""
    new = NewSchedule("teas.csv", "0 6 * * *", "UTC", {"name": "Teas & Co", **({"publish": True} if publish else {})})
    schedule = store.add_schedule(new, next_due=NOW)
    job = store.claim_job(["refresh"], lease_seconds=60, worker="ann")
    snapshot, runs = store.save_snapshot(sample_snapshot(**changes), customers), []
    for engine in ("kmeans", "gmm"):
        first = runs[0].id if runs else None
        started = store.start_run(snapshot.id, engine, {}, lease_seconds=60, asked_with=first)
        result = sample_result(customers)
        result = replace(result, metrics={**result.metrics, "stability": stability})
        runs.append(store.finish_run(started.id, result, seconds=1, info={}))
    store.finish_schedule(job.id, "ann", next_due=NOW, runs=[run.id for run in runs])
    store.pause_schedule(schedule.id)
    return schedule.id, runs


def test_a_refresh_whose_checks_pass_is_published(store, config):
    finished_run(store, sample_customers(30))
    number, (kmeans, gmm) = refreshed(store, sample_customers(30), as_of=date(2024, 6, 1))
    publish_scheduled(gmm.id, config, store)
    assert store.published("Teas & Co").via == "first", "the second engine is not the schedule's matter"
    publish_scheduled(kmeans.id, config, store)
    made = store.published("Teas & Co")
    assert (made.run_id, made.via, made.published_by) == (kmeans.id, "schedule", None)
    assert all(check["passed"] for check in made.checks)
    note = f"Run {kmeans.id} is published; all checks passed."
    assert schedule_dict(store.schedule(number))["last"]["note"] == note
    assert [line.text for line in store.job_log(kmeans.job_id)] == [note]
    publish_scheduled(kmeans.id, config, store)
    assert len(store.publications("Teas & Co")) == 2, "it is published once"


@pytest.mark.parametrize(("customers", "stability"), [(20, None), (30, 0.5)])
def test_a_refresh_whose_checks_fail_is_held_and_says_why(store, config, segmentry, customers, stability):
    _, first, _ = finished_run(store, sample_customers(30))
    number, (kmeans, _) = refreshed(store, sample_customers(customers), stability=stability, as_of=date(2024, 6, 1))
    publish_scheduled(kmeans.id, config, store)
    assert store.published("Teas & Co").run_id == first.id
    why = "20 customers, -33.3% against 30" if stability is None else "agrees with itself to 0.50"
    note = store.schedule(number).last_note
    assert note.startswith(f"Run {kmeans.id} is not published: ") and why in note
    assert why in "".join(line.text for line in store.job_log(kmeans.job_id))
    assert why in segmentry("schedule", "list").stdout


def test_a_schedule_that_does_not_publish_publishes_nothing(store, config):
    _, first, _ = finished_run(store, sample_customers(30))
    number, (kmeans, _) = refreshed(store, sample_customers(30), publish=False, as_of=date(2024, 6, 1))
    publish_scheduled(kmeans.id, config, store)
    assert store.published("Teas & Co").run_id == first.id
    assert (store.schedule(number).last_note, store.job_log(kmeans.job_id)) == (None, [])


@pytest.mark.slow
def test_a_worker_publishes_refresh_by_refresh_and_holds_what_is_odd(store, config, tmp_path):
    file = tmp_path / "shop.csv"
    file.write_text(SHOP, encoding="utf-8")
    schedule = store.add_schedule(
        new_schedule(SalesRequest(str(file), ("rfm",)), "day", "UTC", config, publish=True), next_due=NOW
    )

    def refresh_again():
        store.pause_schedule(schedule.id)
        store.resume_schedule(schedule.id, next_due=NOW)
        worked(config, store)
        made = store.schedule(schedule.id)
        return made.last_runs[0], store.published("shop.csv"), made.last_note

    first, published, note = refresh_again()
    assert (published.run_id, published.via, note) == (first, "first", None)
    file.write_text(SHOP + "9,A,RED BAG,3,2024-02-20 10:00:00,2.50,2.0,France\n", encoding="utf-8")
    second, published, note = refresh_again()
    assert (published.run_id, published.via) == (second, "schedule")
    assert "is published" in note
    again, published, _ = refresh_again()
    assert (again, published.run_id, len(store.publications("shop.csv"))) == (second, second, 2), "nothing was new"
    lines = [line for line in SHOP.splitlines()[1:] if ",1.0," in line or ",2.0," in line]
    file.write_text("\n".join([HEAD, *lines, ""]), encoding="utf-8")
    third, published, note = refresh_again()
    assert (third != second, published.run_id) == (True, second)
    assert "is not published" in note and "2 customers" in note
