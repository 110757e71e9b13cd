"""How fast the store saves and reads customers and labels, beside ADBC's bare ingest and SQLAlchemy's executemany.

    python benchmarks/store.py [--customers 1000000] [--snapshots 12] [--postgres postgresql://USER@HOST/EMPTY_DATABASE]

SQLite and PostgreSQL, measured in the same run. SQLite has a folder of its own under --folder; PostgreSQL is a server
of its own, run as an ordinary user, unless an empty database is named, in which the tables are left behind. Ratios are
of CPU seconds (of this process and of the server of its own), which other programs on the machine disturb less than
seconds on the clock. executemany is measured with at most 100,000 customers: its dictionaries take 3 kB per customer.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi
import pandas as pd
import pyarrow as pa
from sqlalchemy import create_engine, insert, text

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from storage import open_store
from storage.contract import NewSnapshot, Selection
from storage.sql.database import Database
from storage.sql.layout import lay_out
from storage.sql.tables import customers as customers_table
from storage.sql.tables import labels as labels_table
from tests.postgres import running_postgres
from tests.storage.samples import sample_customers, sample_result

EXECUTEMANY_ROWS = 100_000
TICKS = os.sysconf("SC_CLK_TCK")
SELECTIONS = (
    Selection(),
    Selection(bounds={"clv": (100.0, None), "recency_days": (None, 200.0)}),
    Selection(q="c00012", countries=("Unknown",)),
)


class Steps:
    """Seconds on the clock, CPU seconds and the growth of memory, by step."""

    def __init__(self, server: Path | None) -> None:
        self.taken: dict[str, list[tuple[float, float, float]]] = {}
        self._server = server

    def time(self, name: str, act: Callable[[], Any]) -> Any:
        """Do something and note what it took."""
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew
        before, clock, cpu = memory("VmRSS"), time.perf_counter(), self._cpu()
        result = act()
        took = time.perf_counter() - clock, self._cpu() - cpu, memory("VmHWM") - before
        self.taken.setdefault(name, []).append(took)
        return result

    def median(self, name: str) -> tuple[float, float, float]:
        """The median of seconds and CPU seconds, and the most of memory in MB."""
        seconds, cpu, grown = zip(*self.taken[name], strict=True)
        return statistics.median(seconds), statistics.median(cpu), max(grown)

    def _cpu(self) -> float:
        own = time.process_time()
        return own if self._server is None else own + server_cpu(self._server)


def memory(kind: str) -> float:
    """Memory of this process in MB: VmRSS is what it has now, VmHWM the most it had."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(kind)).split()[1]) / 1024


def server_cpu(data: Path) -> float:
    """CPU seconds of a PostgreSQL server: of the postmaster, of those it has seen end, and of those that run."""
    postmaster = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0]
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
        if stat.parent.name == postmaster:
            ticks += sum(int(field) for field in fields[11:15])
        elif fields[1] == postmaster:
            ticks += sum(int(field) for field in fields[11:13])
    return ticks / TICKS


def measure(url: str, plain: str, frame: pd.DataFrame, snapshots: int, server: Path | None) -> tuple[Steps, list[str]]:
    """All steps on one database, and what the selections gave; ``plain`` is another, for ADBC and executemany alone."""
    steps, answers, result = Steps(server), [], sample_result(frame)
    with closing(open_store(url, clock=lambda: datetime.now(UTC))) as store:
        for number in range(snapshots):
            day = date(2024, 1, 1) + timedelta(days=30 * number)
            new = NewSnapshot("bench", "bench", str(number), day, {}, {})
            snapshot = steps.time("save customers", lambda new=new: store.save_snapshot(new, frame))
            run = store.start_run(snapshot.id, "bench", {}, lease_seconds=6000)
            steps.time("save labels", lambda run=run: store.finish_run(run.id, result, seconds=1, info={}))
        steps.time("list snapshots, runs", lambda: (store.snapshots(), store.runs()))
        steps.time("load customers", lambda: len(store.snapshot_customers(snapshot.id)))
        steps.time("load labels", lambda: len(store.labels(run.id)))
        for selection in SELECTIONS:
            name = "stream everyone" if selection.is_everyone else "stream a selection"
            answers.append(steps.time(name, lambda chosen=selection: digest(store, run.id, chosen)))
            steps.time("count", lambda chosen=selection: store.count(run.id, chosen))
        size = size_of(url)
        compare(steps, plain, frame, result.labels)
        steps.time("delete a snapshot", lambda: store.delete_snapshot(snapshot.id))
    answers.append(f"{size:,.0f} MB")
    return steps, answers


def digest(store: Any, run_id: int, selection: Selection) -> str:
    """How many customers a selection gives, and a hash of them, with all their values, in their order."""
    found, rows = hashlib.sha256(), 0
    for batch in store.stream(run_id, selection):
        rows += batch.num_rows
        found.update(pd.util.hash_pandas_object(batch.to_pandas(), index=False).to_numpy().tobytes())
    return f"{rows:,} customers, {found.hexdigest()[:12]}"


def compare(steps: Steps, plain: str, frame: pd.DataFrame, labels: pd.Series) -> None:
    """ADBC alone and executemany alone, writing the same rows into the same tables."""
    with closing(open_store(plain, clock=lambda: datetime.now(UTC))):
        pass
    few = frame.head(EXECUTEMANY_ROWS)
    dicts = [rows.to_pylist() for rows in stored_rows(few, labels.head(EXECUTEMANY_ROWS))]
    engine = create_engine(plain.replace("postgresql://", "postgresql+psycopg://"))

    def executemany() -> None:
        with engine.begin() as connection:
            connection.execute(insert(customers_table), dicts[0])
            connection.execute(insert(labels_table), dicts[1])

    steps.time("executemany", executemany)
    query = text("SELECT * FROM customers ORDER BY snapshot_id, row_no")
    steps.time("pandas.read_sql", lambda: len(pd.read_sql(query, engine)))
    with engine.begin() as connection:
        for table in ("customers", "labels"):
            connection.execute(text(f"DELETE FROM {table}"))
    engine.dispose()
    rows = stored_rows(frame, labels)
    steps.time("bare ADBC ingest", lambda: bare_ingest(plain, *rows))
    steps.time("bare ADBC read", lambda: bare_read(plain))


def stored_rows(frame: pd.DataFrame, labels: pd.Series) -> tuple[pa.Table, pa.Table]:
    """The rows as the tables hold them, so that all ways of writing write the same."""
    one = pa.repeat(pa.scalar(1, pa.int32()), len(frame))
    rows = pa.Table.from_batches(lay_out(frame)[1].to_batches(65_536))
    keys = pa.array(labels.to_numpy().astype("int32"))
    named = {"workspace_id": one, "run_id": one, "row_no": rows["row_no"], "segment_key": keys}
    return rows.append_column("workspace_id", one).append_column("snapshot_id", one), pa.table(named)


def bare_connection(url: str) -> Any:
    """ADBC's own connection, with nothing of ours around it."""
    if url.startswith("sqlite"):
        return adbc_driver_sqlite.dbapi.connect(Path(url.removeprefix("sqlite:///")).as_uri())
    return adbc_driver_postgresql.dbapi.connect(Database(url).libpq_uri)


def bare_ingest(url: str, rows: pa.Table, labels: pa.Table) -> None:
    """Both tables through ADBC into the same schema."""
    with bare_connection(url) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("customers", rows, mode="append")
        cursor.adbc_ingest("labels", labels, mode="append")
        connection.commit()


def bare_read(url: str) -> int:
    """All customers in order through ADBC."""
    with bare_connection(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM customers ORDER BY snapshot_id, row_no")
        return sum(batch.num_rows for batch in cursor.fetch_record_batch())


def size_of(url: str) -> float:
    """MB of the whole database, with what SQLite's log has not yet given back to the file."""
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        return sum(each.stat().st_size for each in path.parent.glob(f"{path.name}*")) / 1e6
    engine = Database(url).engine
    with engine.connect() as connection:
        size = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    engine.dispose()
    return size / 1e6


def report(both: dict[str, tuple[Steps, list[str]]], count: int, frame_mb: float) -> None:
    """The tables, one column per database, and the ratios."""
    names = list(both)
    print(f"\n{'':<24}" + "".join(f"{name:^44}" for name in names))
    print(f"{'step':<24}" + "".join(f"{'seconds':>11}{'CPU s':>10}{'rows/s':>13}{'MB more':>10}" for _ in names))
    for step in both[names[0]][0].taken:
        line = f"{step:<24}"
        for steps, _ in both.values():
            seconds, cpu, grown = steps.median(step)
            rows = min(count, EXECUTEMANY_ROWS) if step in ("executemany", "pandas.read_sql") else count
            rate = "" if step.startswith("list") else f"{rows / seconds:,.0f}"
            line += f"{seconds:>11.3f}{cpu:>10.3f}{rate:>13}{grown:>10,.0f}"
        print(line)
    for name, (steps, answers) in both.items():
        save = steps.median("save customers")[1] + steps.median("save labels")[1]
        ingest = steps.median("bare ADBC ingest")[1]
        many = steps.median("executemany")[1] * count / min(count, EXECUTEMANY_ROWS)
        print(f"{name}: saving runs at {ingest / save:.2f} of ADBC's bare ingest and", end=" ")
        print(f"{many / save:.1f} times executemany (ADBC's own: {many / ingest:.1f} times);", end=" ")
        print(f"file size {answers[-1]}; a save needs {steps.median('save customers')[2] / frame_mb:.2f} of the frame")
    first, *others = [answers[:-1] for _, answers in both.values()]
    for selection, answer in zip(SELECTIONS, first, strict=True):
        print(f"{dict(selection.to_query()) or 'everyone'}: {answer}")
    if any(other != first for other in others):
        sys.exit(f"The databases differ: {first} and {others}")
    print("The same customers with the same values in the same order from all databases." if others else "")


def in_schema(url: str) -> str:
    """The same PostgreSQL database, where the tables are another schema's."""
    engine = Database(url).engine
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS plain"))
    engine.dispose()
    return f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3Dplain"


@contextmanager
def postgres(given: str | None) -> Iterator[tuple[str, Path | None]]:
    """The PostgreSQL database to be measured, and the data folder of its server if that is our own."""
    if given:
        yield given, None
        return
    with running_postgres("max_wal_size=4GB") as server:
        yield f"{server.url}/postgres", server.folder / "data"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--snapshots", type=int, default=12)
    parser.add_argument("--postgres", help="URL of an empty PostgreSQL database")
    parser.add_argument("--folder", help="where the SQLite files are made; a temporary folder by default")
    given = parser.parse_args()
    frame = sample_customers(given.customers)
    frame_mb = frame.memory_usage(index=True).sum() / 1e6
    print(
        f"{platform.machine()}, {os.cpu_count()} cores: {given.snapshots} snapshots of {len(frame):,} customers",
        end=" ",
    )
    print(f"x {len(frame.columns)} columns ({frame_mb:,.0f} MB in memory), each with a run's labels")
    both = {}
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        urls = f"sqlite:///{folder}/store.db", f"sqlite:///{folder}/plain.db"
        both["SQLite"] = measure(*urls, frame, given.snapshots, None)
    with postgres(given.postgres) as (url, data):
        both["PostgreSQL"] = measure(url, in_schema(url), frame, given.snapshots, data)
    report(both, given.customers, frame_mb)


if __name__ == "__main__":
    main()
