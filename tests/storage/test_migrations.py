"""The tables from nothing through every revision, with rows that each version left behind, and back again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from pandas.testing import assert_frame_equal
from sqlalchemy import MetaData, Table, insert, inspect, select

from engines.columns import CUSTOMER_ID
from storage import Store, open_store
from storage.contract import LogLine, Selection, Starter
from storage.contract.objects import ObjectSettings
from storage.contract.schedules import NewSchedule
from storage.contract.selection import Range
from storage.contract.uploads import NewUpload
from storage.migrations import downgrade, upgrade
from storage.sql.database import Database
from storage.sql.tables import Base
from tests.storage.samples import (
    ALARM,
    LIVE,
    Clock,
    claim_run,
    exported,
    finished_run,
    sample_customers,
    sample_result,
    sample_snapshot,
    watched_run,
)

NOW = datetime(2024, 5, 17, 12, 30)
EARLIER, LATER = NOW - timedelta(hours=1), datetime(2100, 1, 1)
CUSTOMERS = pd.DataFrame(
    {"frequency": [3, 1], "monetary": [20.5, float("nan")], "plugin_rank": [7, 8]},
    index=pd.Index(["a", "b"], name=CUSTOMER_ID, dtype="str"),
)
LAYOUT = {
    "index_name": CUSTOMER_ID,
    "index_dtype": "str",
    "columns": [["frequency", "int64", "whole"], ["monetary", "float64", "number"], ["plugin_rank", "int64", "whole"]],
    "sorted": True,
}
OWN = {"workspace_id": 1}
RUN = {**OWN, "snapshot_id": 1, "engine": "kmeans", "settings": {"k": 2}, "attempts": 0, "metrics": {}, "notes": []}
RUN |= {"info": {}, "created_at": EARLIER}
ALERT = {**OWN, "kind": "live", "ari": 0.3, "raised_at": EARLIER, "attempts": 0, "next_try": EARLIER}
UPLOAD = {**OWN, "file": "0f3c.csv", "name": "teas.csv", "size": 10.0, "fingerprint": "ab", "found": {}, "runs": []}
UPLOAD |= {"asked": {}, "attempt": 0, "claim": 0, "created_at": EARLIER, "changed_at": EARLIER}
SCHEDULE = {**OWN, "source": "teas.csv", "cron": "0 6 * * *", "time_zone": "UTC", "job": {"k": 2}, "paused": False}
SCHEDULE |= {"next_due": EARLIER, "attempt": 0, "claim": 0, "created_at": EARLIER, "last_runs": []}
#: What a version of Segmentry with the tables of a revision may have left behind, by revision: table and row.
LEFT_BEHIND: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "0001": [
        ("workspaces", {"id": 1, "name": "default", "created_at": EARLIER}),
        (
            "snapshots",
            {
                **{"id": 1, **OWN, "dataset": "Teas", "source": "teas.csv", "fingerprint": "f00d", "customers": 2},
                **{
                    "as_of": date(2024, 5, 1),
                    "settings": {"mapping": {"customer_id": "Kunde"}},
                    "settings_digest": "x",
                },
                **{"ledger": {}, "info": {"source_kind": "file"}, "layout": LAYOUT, "created_at": EARLIER},
            },
        ),
        *(
            (
                "customers",
                {
                    **{**OWN, "snapshot_id": 1, "row_no": number, "customer_id": name, "frequency": frequency},
                    **{"monetary": monetary, "features": f'{{"plugin_rank":{rank}}}'},
                },
            )
            for number, name, frequency, monetary, rank in ((0, "a", 3.0, 20.5, 7), (1, "b", 1.0, None, 8))
        ),
        ("runs", {**RUN, "id": 1, "state": "done", "attempts": 1, "progress": 1.0, "seconds": 2.0, "finished_at": NOW}),
        ("runs", {**RUN, "id": 2, "state": "running", "attempts": 1, "stage": "Storing", "lease_until": EARLIER}),
        ("runs", {**RUN, "id": 3, "state": "queued", "info": {"location": "/teas.csv"}}),
        ("runs", {**RUN, "id": 4, "state": "failed", "attempts": 2, "error": "no memory", "finished_at": NOW}),
        *(("labels", {**OWN, "run_id": 1, "row_no": number, "segment_key": number}) for number in (0, 1)),
        *(
            (
                "segments",
                {
                    **{
                        **OWN,
                        "run_id": 1,
                        "key": key,
                        "position": key,
                        "name": f"S{key}",
                        "action": "",
                        "customers": 1,
                    },
                    **{"colour": "#000000", "revenue_share": 0.5},
                },
            )
            for key in (0, 1)
        ),
        ("drift_points", {**OWN, "run_id": 1, "as_of": "2024-02-01", "customers": 2, "ari": 0.75, "alert": True}),
    ],
    "0002": [("run_models", {**OWN, "run_id": 1, "model": b"\x00model"})],
    "0003": [
        (
            "segment_edits",
            {**OWN, "run_id": 1, "key": 1, "name": "By hand", "pinned": True, "revision": 1, "edited_at": NOW},
        )
    ],
    "0004": [("runs", {**RUN, "id": 5, "state": "running", "attempts": 1, "worker": "ann", "lease_until": LATER})],
    "0005": [
        ("schedules", {**SCHEDULE, "id": 1, "last_due": EARLIER, "last_finished_at": EARLIER, "last_runs": [1]}),
        ("schedules", {**SCHEDULE, "id": 2, "attempt": 2, "claim": 9, "claimed_at": NOW, "lease_until": LATER}),
        ("schedules", {**SCHEDULE, "id": 3, "paused": True, "last_error": "gone"}),
    ],
    "0006": [
        ("sources", {**OWN, "name": "teas.csv", "kind": "file", "mapping": {}, "created_at": NOW, "used_at": NOW}),
        ("validations", {**OWN, "snapshot_id": 1, "name": "clv", "receipt": {"mae": 1.0}, "created_at": NOW}),
        ("audiences", {**OWN, "name": "Best", "selection": "min_clv=50", "pinned": True, "created_at": NOW}),
        ("exports", {**OWN, "run_id": 1, "selection": "", "format": "csv", "rows": 2, "exported_at": NOW}),
        ("users", {**OWN, "name": "Anna", "password_hash": "scrypt$", "created_at": NOW}),
        ("api_keys", {**OWN, "name": "nightly", "key_hash": "ab", "created_at": NOW}),
    ],
    "0008": [
        (
            "live_points",
            {
                **{**OWN, "run_id": 1, "against": 7, "before": "2024-04-01", "as_of": "2024-05-01", "customers": 2},
                **{"ari": 0.3, "alert": True},
            },
        ),
        ("alerts", {**ALERT, "id": 1, "run_id": 1, "as_of": date(2024, 5, 1), "delivery": "waiting"}),
        (
            "alerts",
            {
                **{**ALERT, "id": 2, "run_id": 1, "as_of": date(2024, 5, 2), "delivery": "delivered", "attempts": 2},
                **{"delivered_at": NOW},
            },
        ),
        (
            "alerts",
            {
                **{**ALERT, "id": 3, "run_id": 1, "as_of": date(2024, 5, 3), "delivery": "failed", "attempts": 5},
                **{"error": "The receiver answered 500."},
            },
        ),
    ],
    "0009": [
        ("uploads", {**UPLOAD, "id": 1, "state": "received"}),
        ("uploads", {**UPLOAD, "id": 2, "state": "queued", "task": "store", "asked": {"name": "Teas"}}),
        (
            "uploads",
            {
                **{**UPLOAD, "id": 3, "state": "done", "task": "inspect", "attempt": 1, "claim": 4, "changed_at": NOW},
                **{"found": {"lines": 3}, "snapshot_id": 1, "runs": [1]},
            },
        ),
        ("uploads", {**UPLOAD, "id": 4, "state": "failed", "task": "inspect", "error": "No date.", "changed_at": NOW}),
        ("uploads", {**UPLOAD, "id": 5, "state": "running", "task": "inspect", "attempt": 1, "lease_until": EARLIER}),
    ],
    "0010": [("order_histories", {**OWN, "snapshot_id": 1, "first_customer": b"a", "data": b"PAR1"})],
    "0011": [
        (
            "exports",
            {
                **{**OWN, "run_id": 1, "selection": "", "format": "xlsx", "rows": 2, "exported_at": NOW, "about": {}},
                **{"state": "broken off", "columns": ["a"], "control_share": 0.5, "control_seed": 1},
            },
        )
    ],
    "0012": [
        ("run_log", {**OWN, "run_id": 1, "line": 1, "at": EARLIER, "text": "Reading customers"}),
        ("run_log", {**OWN, "run_id": 1, "line": 2, "at": NOW, "text": "Storing"}),
        (
            "runs",
            {**RUN, "id": 6, "state": "cancelled", "finished_at": NOW, "started_via": "page", "started_by": "anna"},
        ),
    ],
    "0013": [("uploads", {**UPLOAD, "id": 6, "state": "cancelled", "task": "store", "asked_by": "Änne"})],
}


def _script() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


REVISIONS = [step.revision for step in reversed(list(_script().walk_revisions()))]


def leave_behind(database: Database, revision: str) -> None:
    """Rows as a version with these tables would have written them."""
    with database.begin() as connection:
        for name, row in LEFT_BEHIND.get(revision, ()):
            connection.execute(insert(Table(name, MetaData(), autoload_with=connection)), row)
            if "id" in row and connection.dialect.name == "postgresql":  # as if the server had given the number
                connection.exec_driver_sql(f"select setval(pg_get_serial_sequence('{name}', 'id'), {row['id']})")


def rows(database: Database, name: str, column: str) -> dict[int, Any]:
    """A column of a table as it is now, by the numbers of its rows."""
    with database.engine.connect() as connection:
        table = Table(name, MetaData(), autoload_with=connection)
        return dict(connection.execute(select(table.c.id, table.c[column])).all())


def tables(database: Database) -> set[str]:
    with database.engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def equals_the_code(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        different = compare_metadata(context, Base.metadata)
    # a customer column needs no step: it is added when a snapshot that has it is saved
    assert [each for each in different if each[:3] != ("add_column", None, "customers")] == []
    assert tables(database) == {"alembic_version", *Base.metadata.tables}


def everything(store: Store, sales: Path) -> None:
    """Something in every table, by the methods of today."""
    customers = sample_customers(40)
    snapshot, run, _ = finished_run(store, customers, sales=sales)
    store.fail_run(store.start_run(snapshot.id, "e", {}, lease_seconds=60).id, "no memory")
    store.log_job(run.job_id, None, [LogLine(store._clock(), "Storing")])
    store.edit_segment(run.id, 0, revision=0, name="By hand")
    store.add_schedule(NewSchedule("teas.csv", "0 6 * * *", "UTC"), next_due=Clock().now)
    store.save_audience("Best of all", "min_clv=50", pinned=True)
    exported(store, run.id)
    watched_run(store, "watched", drift=[ALARM], live=LIVE)
    store.ask_upload(store.add_upload(NewUpload("0f3c.csv", "teas.csv", 10, "ab")).id, "store", {}, who="Anna")
    new = sample_snapshot(fingerprint="receipts")
    store.save_snapshot(new, customers, {"clv": {}})
    store.queue_job("preview", 1, {"columns": ["a"]})


def answers(store: Store) -> dict[str, Any]:
    """What a step down and up again leaves as it was; the numbers of jobs and their worker's leases are new."""
    runs = [
        replace(run, job_id=0, lease_until=None, segments=tuple(replace(item, facts=None) for item in run.segments))
        for run in store.runs()
    ]
    logs = [store.job_log(run.job_id) for run in store.runs()]
    return {
        # what a step down forgets: which file is whose, and the facts of segments
        **{
            "snapshots": [replace(each, sales=None) for each in store.snapshots()],
            "runs": runs,
            "logs": logs,
            "uploads": store.uploads(),
        },
        **{"schedules": store.schedules(), "alerts": store.alerts(), "exports": store.exports()},
        **{"audiences": store.audiences(), "drift": [store.drift(run.id) for run in store.runs()]},
    }


def test_the_revisions_are_one_line_of_steps():
    assert sorted(REVISIONS) == REVISIONS
    assert _script().get_heads() == [REVISIONS[-1]]
    assert set(LEFT_BEHIND) < set(REVISIONS)


def test_from_nothing_through_every_revision_with_data_and_back(empty_url: str, tmp_path: Path):
    database, seen = Database(empty_url), {}
    for revision in REVISIONS:
        upgrade(database, revision)
        seen[revision] = tables(database)
        leave_behind(database, revision)
    equals_the_code(database)
    clock = Clock()
    clock.now = NOW.replace(tzinfo=UTC)
    store = open_store(empty_url, clock=clock, migrate=False, objects=ObjectSettings(str(tmp_path / "objects")))
    what_is_left_is_there(store, clock)
    (tmp_path / "sales").write_bytes(b"sales")
    everything(store, tmp_path / "sales")
    before = answers(store)

    downgrade(database, "0013")
    what_went_back_is_there(database)
    upgrade(database)
    equals_the_code(database)
    assert answers(store) == before
    store.close()
    for revision, below in zip(reversed(REVISIONS), [*reversed(REVISIONS[:-1]), "base"], strict=True):
        assert tables(database) == seen[revision]
        downgrade(database, below)
    assert tables(database) == {"alembic_version"}
    upgrade(database)
    equals_the_code(database)
    database.close()


def what_is_left_is_there(store: Store, clock: Clock) -> None:
    now = clock.now
    # what has been there since the first revision is as it was
    (snapshot,) = store.snapshots()
    assert (snapshot.dataset, snapshot.settings) == ("Teas", {"mapping": {"customer_id": "Kunde"}})
    assert (snapshot.rules, store.run(1).rules) == (1, 1)
    assert_frame_equal(store.snapshot_customers(1), CUSTOMERS, check_exact=True)
    assert store.labels(1).to_dict() == {"a": 0, "b": 1}
    assert store.count(1, Selection(bounds={"frequency": Range(2)})) == 1
    assert store.stream(1, Selection(), ["plugin_rank"]).read_all()["plugin_rank"].to_pylist() == [7, 8]
    assert (store.model(1), [segment.name for segment in store.run(1).segments]) == (b"\x00model", ["S0", "By hand"])
    assert [(point.as_of, point.ari) for point in store.drift(1)] == [("2024-02-01", 0.75)]
    assert [item.receipt for item in store.validations(1)] == [{"mae": 1.0}]
    assert [item.name for item in store.audiences()] == ["Best"]
    told = [(item.id, item.dataset, item.engine, item.state) for item in store.exports()]
    assert told == [(2, None, None, "broken off"), (1, "Teas", "kmeans", "complete")]
    # runs: finished, given up, under way, lost, and waiting
    states = {run.id: (run.state, run.attempts, run.worker, run.error) for run in store.runs()}
    assert states == {
        1: ("done", 1, None, None),
        2: ("running", 1, None, None),
        3: ("queued", 0, None, None),
        4: ("failed", 2, None, "no memory"),
        5: ("running", 1, "ann", None),
        6: ("cancelled", 0, None, None),
    }
    assert (store.run(1).finished_at, store.run(1).seconds, store.run(1).progress) == (now, 2.0, 1.0)
    assert store.run(6).starter == Starter("page", "anna")
    lines = [LogLine(now - timedelta(hours=1), "Reading customers"), LogLine(now, "Storing")]
    assert store.job_log(store.run(1).job_id) == lines
    claimed = [claim_run(store, "bob") for _ in range(3)]
    assert [(run.id, run.attempts) for run in claimed if run] == [(2, 2), (3, 1)]
    assert store.run(3).info == {"location": "/teas.csv"}
    # the latest date's run is published, as it was what people saw first
    published = store.published("Teas")
    assert (published.run_id, published.via, published.published_at, published.why) == (
        *(1, "first", now),
        "Published when published runs came in",
    )
    # uploads
    found = {item.id: (item.state, item.task, item.asked, item.error, item.asked_by) for item in store.uploads()}
    assert found == {
        1: ("received", None, {}, None, None),
        2: ("queued", "store", {"name": "Teas"}, None, None),
        3: ("done", "inspect", {}, None, None),
        4: ("failed", "inspect", {}, "No date.", None),
        5: ("running", "inspect", {}, None, None),
        6: ("cancelled", "store", {}, None, "Änne"),
    }
    done = store.upload(3)
    assert (done.found, done.snapshot_id, done.runs, done.changed_at) == ({"lines": 3}, 1, (1,), now)
    jobs = [store.claim_job(["upload"], lease_seconds=60, worker="bob") for _ in range(3)]
    assert [(job.subject, job.attempts) for job in jobs if job] == [(2, 1), (5, 2)]
    # schedules: one due, one under way, one paused
    due, under_way, paused = store.schedules()
    assert (due.last_runs, due.last_due, under_way.claimed_at, paused.paused) == ((1,), due.next_due, now, True)
    jobs = [store.claim_job(["refresh"], lease_seconds=60, worker="bob") for _ in range(2)]
    assert [(job.subject, job.due_at) for job in jobs if job] == [(1, due.next_due)]
    assert store.resume_schedule(3, next_due=now).claimed_at is None
    # alerts: one to be sent, one that was, one that was given up
    sent = [(item.delivery, item.attempts, item.error, item.delivered_at) for item in store.alerts()]
    assert sent == [
        ("failed", 5, "The receiver answered 500.", None),
        ("delivered", 2, None, now),
        ("waiting", 0, None, None),
    ]
    jobs = [store.claim_job(["delivery"], lease_seconds=60, worker="bob") for _ in range(2)]
    assert [job.subject for job in jobs if job] == [1]
    assert [point.ari for point in store.live_points("Teas", "kmeans").values()] == [0.3]


def what_went_back_is_there(database: Database) -> None:
    states = {**dict.fromkeys((1, 7, 9), "done"), **dict.fromkeys((2, 3, 5), "running"), 4: "failed", 8: "failed"}
    assert rows(database, "runs", "state") == {**states, 6: "cancelled"}
    assert rows(database, "runs", "worker")[2] == "bob"
    assert rows(database, "uploads", "asked")[2] == {"name": "Teas"}
    assert rows(database, "uploads", "task") == {
        **{1: None, 2: "store", 3: "inspect"},
        **{4: "inspect", 5: "inspect", 6: "store", 7: "store"},
    }
    assert rows(database, "uploads", "changed_at")[1] == EARLIER
    claimed = {number for number, moment in rows(database, "schedules", "claimed_at").items() if moment is not None}
    assert claimed == {1, 2}
    assert rows(database, "alerts", "delivery") == {1: "waiting", 2: "delivered", 3: "failed", 4: "waiting"}
    assert rows(database, "sources", "kind").keys() == {1}
    assert tables(database) >= {"run_log", "users", "api_keys"}


def test_of_an_old_store_what_people_saw_first_is_published(url: str):
    store, customers = open_store(url, clock=Clock()), sample_customers(5)

    def run(engine: str, **changes: Any) -> int:
        snapshot = store.save_snapshot(sample_snapshot(**changes), customers)
        started = store.start_run(snapshot.id, engine, {}, lease_seconds=60)
        return store.finish_run(started.id, sample_result(customers), seconds=1, info={}).id

    latest = {"as_of": date(2024, 9, 1), "dataset": "Teas"}
    run("gmm", dataset="Zebra")
    plug_in = run("planted", **latest)
    run("rfm", dataset="Teas", as_of=date(2024, 8, 1))
    run("kmeans", **latest)
    seen = run("kmeans", **latest)
    store.fail_run(store.start_run(store.run(seen).snapshot_id, "rfm", {}, lease_seconds=60).id, "no memory")
    run("rfm", dataset="Teas", as_of=date(2024, 7, 1))
    store.save_snapshot(sample_snapshot(dataset="No run"), customers)
    other = open_store(url, clock=Clock(), workspace="another")
    finished_run(other, customers, dataset="Teas")
    before = other.publications("Teas")
    assert store.published("Teas").run_id == plug_in, "the first that was done"
    database = Database(url)
    downgrade(database, "0021")
    upgrade(database)
    assert [(name, item.run_id) for name, item in store.published_runs().items()] == [("Zebra", 1), ("Teas", seen)]
    assert [item.run_id for item in other.publications("Teas")] == [item.run_id for item in before]
    for each in (store, other, database):
        each.close()


@pytest.mark.parametrize("revision", ["0003", "0013"])
def test_a_worker_of_an_older_version_that_is_lost_is_followed_by_one_of_today(url: str, revision: str):
    store = open_store(url, clock=Clock())
    _, done, _ = finished_run(store, sample_customers(5))
    lost = store.start_run(done.snapshot_id, "e", {}, lease_seconds=-1)
    database = Database(url)
    for _ in range(2):
        downgrade(database, revision)
        upgrade(database)
    # the facts of segments are what a step down forgets
    forgot = replace(done, segments=tuple(replace(item, facts=None) for item in done.segments))
    assert store.run(done.id) == forgot
    taken = claim_run(store, "ann")
    assert taken is not None
    assert (taken.id, taken.attempts, taken.worker) == (lost.id, 2, "ann")
    store.close()
    database.close()
