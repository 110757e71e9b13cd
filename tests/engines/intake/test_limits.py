"""Reading stays within memory and disk, says in a sentence when that is too little, and leaves nothing behind."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engines.errors import InputError
from engines.intake import Reading, read_sales


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Enough lines that they do not fit into the least memory."""
    path = tmp_path / "many.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("customer_id,order_id,order_date,quantity,unit_price,description\n")
        for start in range(0, 120_000, 1000):
            file.writelines(
                f"{line % 9000},{line // 3},2024-0{1 + line % 9}-11 10:00:00,2,1.25,a thing {line} that was bought\n"
                for line in range(start, start + 1000)
            )
    return path


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def test_too_little_memory_is_said(many: Path, own_folder: Path):
    with pytest.raises(InputError, match=r"many\.csv: there is not enough memory .* memory in \[reading\]"):
        read_sales(str(many), reading=Reading(memory="5 MB"))
    assert not list(own_folder.iterdir())
    with pytest.raises(InputError, match=r"\[reading\] memory = 'much' is no size; write it as \"3 GB\""):
        read_sales(str(many), reading=Reading(memory="much"))
    assert not list(own_folder.iterdir())


def test_a_full_disk_is_said(many: Path, own_folder: Path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        with pytest.raises(InputError, match="no room left on the disk"):
            read_sales(str(many))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert not list(own_folder.iterdir())


def test_the_memory_that_may_be_used_does_not_change_what_comes_out(many: Path):
    with read_sales(str(many)) as usual, read_sales(str(many), reading=Reading(memory="200 MB")) as little:
        assert little.ledger == usual.ledger
        assert little.totals() == usual.totals()
    assert "memory" not in Reading(memory="3 GB").to_dict(), "it is no part of what a snapshot is"


def test_a_reading_that_is_interrupted_leaves_nothing(many: Path, own_folder: Path):
    code = "import sys; from engines.intake import read_sales; print('begin', flush=True); read_sales(sys.argv[1])"
    environment = {**os.environ, "TMPDIR": str(own_folder)}
    with subprocess.Popen([sys.executable, "-c", code, many], env=environment, stdout=-1, stderr=-3) as process:
        assert process.stdout is not None
        process.stdout.readline()
        while not list(own_folder.glob("*/lines.parquet")) and process.poll() is None:
            pass  # until it is in the midst of it
        process.send_signal(signal.SIGINT)
        assert process.wait(60) != 0
    assert not list(own_folder.iterdir())


def test_a_parquet_that_claims_more_rows_than_sales_have_is_refused(tmp_path: Path):
    path = tmp_path / "bomb.parquet"
    rows = 6_000_000
    table = {"customer_id": pa.repeat("1", rows), "date": pa.repeat("2024-01-01", rows), "amount": pa.repeat(1.0, rows)}
    pq.write_table(pa.table(table), path)
    with pytest.raises(InputError, match=r"bomb\.parquet says that it has 6,000,000 rows, and is only [\d,]+ bytes"):
        read_sales(str(path))
