"""How fast the store saves and reads customers and labels, beside ADBC's bare ingest and SQLAlchemy's executemany.

    python benchmarks/store.py [--customers 200000] [--postgres postgresql://USER@HOST/EMPTY_DATABASE]

Everything is measured in the same run. SQLite is measured in a folder of its own; PostgreSQL only where its URL is
given: name an empty database, in which the tables are left behind.
"""

from __future__ import annotations

import argparse
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi
import pandas as pd
import pyarrow as pa
from sqlalchemy import create_engine, insert, text

from storage import open_store
from storage.contract import NewSnapshot, Selection
from storage.database import Database
from storage.layout import lay_out
from storage.tables import customers as customers_table
from storage.tables import labels as labels_table
from storage.testing.samples import sample_customers, sample_result


def timed(act: Callable[[], object]) -> tuple[float, object]:
    """Seconds, and what came of it."""
    start = time.perf_counter()
    result = act()
    return time.perf_counter() - start, result


def measure(url: str, frame: pd.DataFrame, plain: str) -> list[tuple[str, float]]:
    """Seconds per step on one database; ``plain`` is the URL of another, for the bare ingest and executemany."""
    figures: list[tuple[str, float]] = []

    def step(name: str, act: Callable[[], object]) -> object:
        seconds, result = timed(act)
        figures.append((name, seconds))
        return result

    result = sample_result(frame)
    new = NewSnapshot("bench", "bench", "f", date(2024, 1, 1), {}, {})
    with closing(open_store(url, clock=lambda: datetime.now(UTC))) as store:
        snapshot = step("save customers", lambda: store.save_snapshot(new, frame))
        run = store.start_run(snapshot.id, "bench", {}, lease_seconds=600)
        step("save labels", lambda: store.finish_run(run.id, result, seconds=1, info={}))
        step("read customers", lambda: store.snapshot_customers(snapshot.id))
        step("read labels", lambda: store.labels(run.id))
        step("stream everyone", lambda: sum(batch.num_rows for batch in store.stream(run.id, Selection())))
        half = Selection(min_clv=float(frame["clv"].median()))
        step("count a selection", lambda: store.count(run.id, half))
        step("list runs", store.runs)

    rows, labels = stored_rows(frame, result.labels)
    with closing(open_store(plain, clock=lambda: datetime.now(UTC))):
        pass
    step("bare ADBC ingest", lambda: bare_ingest(plain, rows, labels))
    step("bare ADBC read", lambda: bare_read(plain))
    engine = create_engine(plain.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM customers"))
        connection.execute(text("DELETE FROM labels"))
    dicts = rows.to_pylist(), labels.to_pylist()

    def executemany() -> None:
        with engine.begin() as connection:
            connection.execute(insert(customers_table), dicts[0])
            connection.execute(insert(labels_table), dicts[1])

    step("SQLAlchemy executemany", executemany)
    query = text("SELECT * FROM customers ORDER BY snapshot_id, row_no")
    step("pandas.read_sql", lambda: pd.read_sql(query, engine))
    engine.dispose()
    with closing(open_store(url, clock=lambda: datetime.now(UTC))) as store:
        step("delete the snapshot", lambda: store.delete_snapshot(snapshot.id))
    return figures


def stored_rows(frame: pd.DataFrame, labels: pd.Series) -> tuple[pa.Table, pa.Table]:
    """The rows as the tables hold them, so that all ways of writing write the same."""
    one = pa.repeat(pa.scalar(1, pa.int32()), len(frame))
    rows = lay_out(frame)[1].append_column("workspace_id", one).append_column("snapshot_id", one)
    keys = pa.array(labels.to_numpy().astype("int32"))
    named = {"workspace_id": one, "run_id": one, "row_no": rows["row_no"], "segment_key": keys}
    return rows, pa.table(named)


def bare_connection(url: str):
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


def report(name: str, figures: list[tuple[str, float]], count: int) -> None:
    """The table of one database."""
    print(f"\n{name}\n{'step':<26}{'seconds':>9}{'rows/s':>12}")
    for step, seconds in figures:
        rate = "" if step == "list runs" else f"{count / seconds:,.0f}"
        print(f"{step:<26}{seconds:>9.3f}{rate:>12}")
    took = dict(figures)
    save = took["save customers"] + took["save labels"]
    print(f"saving: {took['bare ADBC ingest'] / save:.2f} of ADBC's bare ingest", end=", ")
    print(f"{took['SQLAlchemy executemany'] / save:.1f} times executemany; ", end="")
    print(f"reading: {took['pandas.read_sql'] / took['read customers']:.1f} times pandas.read_sql")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--postgres", help="URL of an empty PostgreSQL database")
    given = parser.parse_args()
    frame = sample_customers(given.customers)
    print(f"{platform.machine()}, {len(frame):,} customers x {len(frame.columns)} columns + labels")
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/store.db"
        figures = measure(url, frame, f"sqlite:///{folder}/plain.db")
        size = sum(path.stat().st_size for path in Path(folder).glob("store.db*")) / 1e6
        report(f"SQLite (file after deleting: {size:,.0f} MB)", figures, given.customers)
    if given.postgres:
        report("PostgreSQL", measure(given.postgres, frame, in_schema(given.postgres)), given.customers)
    print(f"\npeak memory of the whole run: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def in_schema(url: str) -> str:
    """The same PostgreSQL database, where the tables are another schema's."""
    engine = Database(url).engine
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS plain"))
    engine.dispose()
    return f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3Dplain"


if __name__ == "__main__":
    main()
