"""Forty lines of sales, and ways to write and read them."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv

from engines.intake import Reading, read_sales
from engines.intake.sources.files import open_source

HEADER = ["customer_id", "order_id", "date", "amount", "description"]
ROWS = [[f"c{n % 7}", f"o{n // 2}", f"2024-0{1 + n % 9}-11", f"{n}.25", f"Café «{n}»"] for n in range(40)]


def text(rows=ROWS, separator=",", header=HEADER) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows([header, *rows] if header else rows)
    return out.getvalue()


def lines(source, mapping=(), **reading) -> list[tuple]:
    with read_sales(str(source), reading=Reading(**reading), mapping=dict(mapping)) as sales:
        return sorted(tuple(row.values()) for row in sales.table.to_pyarrow().to_pylist())


def opened(source, tmp_path, **reading):
    folder = tmp_path / f"work-{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    with duckdb.connect() as connection:
        return open_source(source, connection, folder, Reading(**reading))


def fingerprint(source, **reading) -> str:
    with read_sales(str(source), reading=Reading(**reading)) as sales:
        return sales.fingerprint


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(content)
    return sink.getvalue().to_pybytes()


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path
