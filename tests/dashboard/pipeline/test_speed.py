"""How fast a source is read is told while it is read: in the terminal, and in the stage of a job."""

from __future__ import annotations

from pathlib import Path

from dashboard.pipeline.speed import speed_of, with_speed
from engines.intake import read_sales
from engines.progress import Amount


def test_the_reading_tells_lines_and_bytes_up_to_the_end(tmp_path: Path):
    path, told = tmp_path / "sales.csv", []
    path.write_text("customer,date,amount\n" + "1,2024-01-01,2.50\n" * 1000, encoding="utf-8")
    with read_sales(str(path), watch=told.append):
        pass
    last = told[-1]
    assert last.share == 1.0
    assert last.bytes == path.stat().st_size
    assert abs(last.lines - 1001) <= 2, "the header is a line as well"


def test_speed_in_words():
    half = Amount(0.5, 2_500_000, 250_000_000)
    assert speed_of(half, 5.0) == "500,000 lines/s, 50 MB/s"
    assert with_speed("Reading", half, 5.0) == "Reading: 2,500,000 lines, 500,000 lines/s, 50 MB/s, about 5 s left"
    assert with_speed("Reading", half._replace(share=1.0), 5.0).endswith("MB/s"), "nothing is left"
    assert with_speed("Reading", Amount(0.0, 0, 0), 5.0) == "Reading"
