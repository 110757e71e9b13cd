"""The benchmark of reading runs by itself, and fails where ours and plain pandas come out differently."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.intake import exponent, report

ROOT = Path(__file__).resolve().parents[3]


def run(folder: Path, *options: str) -> str:
    command = [sys.executable, str(ROOT / "benchmarks" / "intake.py"), "--folder", str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env={**os.environ}, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    assert not any(folder.iterdir())
    return done.stdout


def test_pandas_makes_the_same_ledger_totals_and_customers(tmp_path: Path):
    out = run(tmp_path, "--lines", "0.02", "--kinds", "csv", "--steps", "customers", "pandas")
    assert "20,000 lines, csv" in out
    assert "ours and pandas: the same ledger, totals and 2,264 customers" in out
    for words in ("customers / pandas", "open", "decide", "pass", "ledger"):
        assert words in out


@pytest.mark.slow
def test_every_step_on_two_sizes_of_both_kinds(tmp_path: Path):
    steps = ("inspect", "customers", "keep", "scan", "copy", "pandas")
    out = run(tmp_path, "--lines", "0.1", "0.01", "--memory", "1 GB", "--steps", *steps)
    for words in ("inspect / scan", "keep / copy", "growth of keep, parquet: exponent"):
        assert words in out
    assert out.count("ours and pandas: the same ledger, totals and") == 4


@pytest.mark.slow
def test_a_whole_run(tmp_path: Path):
    out = run(tmp_path, "--lines", "0.01", "--kinds", "parquet", "--steps", "inspect", "run")
    assert "run / inspect" in out


def test_more_lines_than_pandas_can_hold_are_left_to_the_others(tmp_path: Path):
    out = run(tmp_path, "--lines", "0.01", "--kinds", "csv", "--steps", "scan", "pandas", "--pandas-limit", "0.005")
    assert "not run: above --pandas-limit 0.005" in out


def test_the_lines_of_a_file_are_repeated(tmp_path: Path):
    header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
    lines = [
        "536365,85123A,LAMP,6,2010-12-01 08:26:00,2.55,17850.0,France",
        "C7,85123A,LAMP,-6,2010-12-03,2.55,,France",
    ]
    source, folder = tmp_path / "sales.csv", tmp_path / "folder"
    source.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    folder.mkdir()
    out = run(folder, "--lines", "0.00001", "--source", str(source), "--steps", "scan", "copy")
    assert "10 lines, parquet" in out


def test_another_ledger_than_that_of_pandas_is_a_failure(capsys: pytest.CaptureFixture[str]):
    ours = {"cpu": 1.0, "ledger": {"in": {"lines": 3}}, "customers": [2, 11], "stages": {"ledger": 0.5}}
    theirs = {**ours, "stages": {"customers": 0.25}}
    report({"customers": ours, "pandas": theirs})
    assert "ours and pandas: the same ledger, totals and 2 customers" in capsys.readouterr().out
    for other in ({"ledger": {"in": {"lines": 4}}}, {"customers": [2, 12]}):
        with pytest.raises(SystemExit, match="Ours and pandas differ"):
            report({"customers": ours, "pandas": {**theirs, **other}})


def test_the_exponent_is_that_of_the_growth():
    assert exponent([1.0, 10.0, 100.0], [3.0, 3.0 * 10**1.2, 3.0 * 100**1.2]) == pytest.approx(1.2)
