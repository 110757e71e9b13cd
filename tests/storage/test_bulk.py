"""Many customers: exact over the seams of batches, in bounded memory, in no path that a name decides."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

from engines.columns import CLV, COUNTRY
from storage import open_store
from storage.contract import Selection
from storage.sql import bulk
from storage.sql.layout import lay_out
from tests.conftest import ROOT
from tests.storage.samples import Clock, finished_run, meets, sample_customers, sample_snapshot


def test_customers_of_several_batches_come_back_exactly(url: str):
    count = 2 * bulk._WRITE_ROWS + 7
    customers = sample_customers(count)
    late = np.arange(count) >= count - 5  # in the last batch alone
    for column in (COUNTRY, CLV, "plugin_note"):
        customers[column] = customers[column].where(late)
    store = open_store(url, clock=Clock())
    snapshot, run, result = finished_run(store, customers)
    assert_frame_equal(store.snapshot_customers(snapshot.id), customers, check_exact=True)
    assert_series_equal(store.labels(run.id), result.labels, check_names=False)
    chosen = Selection(bounds={"clv": (1.0, None)}, q="c")
    assert store.count(run.id, chosen) == meets(customers, result, chosen).sum() > 0
    store.close()


def test_rows_to_be_stored_are_made_batch_by_batch():
    customers = sample_customers(1_000)
    rows = lay_out(customers)[1]
    assert rows.num_rows == 1_000
    sizes = [batch.num_rows for batch in rows.to_batches(300)]
    assert sizes == [300, 300, 300, 100]
    assert all(batch.schema == rows.schema for batch in rows.to_batches(300))
    assert [number for batch in rows.to_batches(300) for number in batch["row_no"].to_pylist()] == list(range(1_000))
    assert list(lay_out(customers.head(0))[1].to_batches(300)) == []


GROWTH = """
import gc, sys
from pathlib import Path
from storage import open_store
from tests.storage.samples import *
def memory(kind):
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(kind)).split()[1]) / 1000
store = open_store(sys.argv[1], clock=Clock())
customers = sample_customers(int(sys.argv[2]))
finished_run(store, customers.head(1000), fingerprint="so that everything is loaded")
gc.collect()
Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
before = memory("VmRSS")
_, run, _ = finished_run(store, customers)
saved = memory("VmHWM") - before
Path("/proc/self/clear_refs").write_text("5")
before = memory("VmRSS")
rows = sum(batch.num_rows for batch in store.stream(run.id, Selection()))
print(saved, memory("VmHWM") - before, customers.memory_usage().sum() / 1e6, rows)
store.close()
"""


@pytest.mark.slow
def test_saving_and_streaming_take_less_memory_than_the_customers_themselves(url: str):
    count = 150_000
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, url, str(count)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    saved, streamed, frame, rows = map(float, done.stdout.split())
    assert rows == count
    assert saved < 1.5 * frame, f"{saved:.0f} MB more to save {frame:.0f} MB of customers"
    assert streamed < 100, f"{streamed:.0f} MB more to stream batches"


def test_names_are_never_part_of_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    home, outside = tmp_path / "home" / "deep", tmp_path / "temporary"
    home.mkdir(parents=True)
    outside.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setattr("tempfile.tempdir", str(outside))
    made: set[str] = set()
    for name in ("../../escaped", "/tmp/escaped", "escaped\\..", "..", "sub/escaped", "%2e%2e%2fescaped", "CON"):
        store = open_store("sqlite:///shop.db", clock=Clock(), workspace=name)
        changes = {"dataset": name, "source": name, "fingerprint": name}
        snapshot, run, _ = finished_run(store, sample_customers(5).rename_axis(name), **changes)
        reader = store.stream(run.id, Selection(q=name), batch_size=2)
        made |= {path.name for path in outside.rglob("*")}
        assert reader.read_all().num_rows == 0
        store.save_audience(name, "")
        assert [each.source for each in store.snapshots()] == [name]
        assert store.snapshot_customers(snapshot.id).index.name == name
        assert store.find_snapshot(sample_snapshot(**changes)) == snapshot
        made |= {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
        store.close()
    assert {path for path in made if "shop.db" not in path} == {"home", "home/deep", "temporary"}
    assert not Path("/tmp/escaped").exists()


@pytest.mark.slow
@pytest.mark.postgres
def test_the_benchmark_runs_by_itself_and_finds_the_databases_alike(tmp_path: Path):
    command = [sys.executable, str(ROOT / "benchmarks" / "store.py"), "--customers", "40000", "--snapshots", "2"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env={**os.environ}, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert "The same customers with the same values in the same order" in done.stdout
    for name in ("SQLite: saving runs at", "PostgreSQL: saving runs at", "delete a snapshot", "file size"):
        assert name in done.stdout
