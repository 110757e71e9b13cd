"""How fast a list of a million customers leaves a running server, and how little memory that takes.

    python benchmarks/exports.py [--customers 1000000] [--times 3] [--keep FOLDER]

Made-up customers are segmented by RFM into a SQLite store. A real server with one web process hands them out as CSV,
Parquet and XLSX, with and without a control group. Beside it stands DuckDB's own COPY of the same columns, from a table
of its own in memory, to CSV. Shown are the best time of several, the CPU seconds, and by how much the web process grew
at most. Times are compared in the same run; on a machine with other work on it, CPU seconds say more than the clock.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.desk import fill
from tests.serving import serving

_TICKS = os.sysconf("SC_CLK_TCK")
ASKED = {  # what is asked for: format and query
    "CSV": ("csv", ""),
    "CSV, control group of 10 %": ("csv", "?control=0.1&seed=1"),
    "CSV, seven columns": ("csv", "?columns=customer_id,segment,recency_days,frequency,monetary,clv,country"),
    "Parquet": ("parquet", ""),
    "Parquet, control group of 10 %": ("parquet", "?control=0.1&seed=1"),
    "XLSX, seven columns": ("xlsx", "?columns=customer_id,segment,recency_days,frequency,monetary,clv,country"),
}


class Taken(NamedTuple):
    """What one export took: seconds on the clock, of CPU, growth of the process in MB, and bytes."""

    seconds: float
    cpu: float
    growth: float
    size: int


def cpu_of(process: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_of(process: int) -> float:
    """Resident memory of a process in MB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def server_of(parent: int) -> int:
    """The process that this one has started."""
    return int(Path(f"/proc/self/task/{parent}/children").read_text(encoding="ascii").split()[0])


def measured(process: int, act: Callable[[], int]) -> Taken:
    """What ``act``, which gives a number of bytes, takes of a process."""
    before, most, over = memory_of(process), [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            most[0] = max(most[0], memory_of(process))

    watcher = threading.Thread(target=watch)
    watcher.start()
    begun, cpu = time.perf_counter(), cpu_of(process)
    size = act()
    taken = Taken(time.perf_counter() - begun, cpu_of(process) - cpu, 0.0, size)
    over.set()
    watcher.join()
    return taken._replace(growth=max(most[0] - before, 0.0))


def download(address: str, target: Path | None = None) -> int:
    """Take a list to the end; gives its bytes."""
    size = 0
    with urllib.request.urlopen(address, timeout=600) as answer, (target or Path(os.devnull)).open("wb") as file:
        while chunk := answer.read(1 << 20):
            size += file.write(chunk)
    return size


def best(tries: list[Taken]) -> Taken:
    """The fastest, with the greatest growth of all of them."""
    return min(tries, key=lambda one: one.cpu)._replace(
        seconds=min(one.seconds for one in tries), growth=max(one.growth for one in tries)
    )


def line(what: str, taken: Taken, copy: Taken | None = None) -> None:
    """A line of the table."""
    ratio = "" if copy is None else f"{taken.seconds / copy.seconds:>8.2f}{taken.cpu / copy.cpu:>8.2f}"
    growth = "" if taken.growth < 0 else f"{taken.growth:.0f}"
    print(f"{what:<34}{taken.seconds:>8.1f}{taken.cpu:>8.1f}{growth:>9}{taken.size / 1e6:>8.0f}{ratio:>16}")


def copies(table: Path, folder: Path, times: int) -> Taken:
    """DuckDB's own COPY of a table in its memory."""
    target = folder / "copy.csv"
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE customers AS SELECT * FROM read_parquet(?)", [str(table)])
        own = os.getpid()

        def copy() -> int:
            connection.execute(f"COPY customers TO '{target}' (HEADER)")
            return target.stat().st_size

        return best([measured(own, copy) for _ in range(times)])._replace(growth=-1.0)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--keep", help="a folder in which the store is made, or found again")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(given.keep or temporary)
        url = f"sqlite:///{folder / 'desk.db'}"
        run = 2 if (folder / "desk.db").exists() else fill(url, given.customers)
        with serving(Path(temporary), DATABASE_URL=url) as address:
            process, base = server_of(os.getpid()), f"{address}/api/v1/runs/{run}/export"
            for kind in ("csv", "parquet", "xlsx"):  # what is loaded at first use is loaded
                download(f"{base}.{kind}?q=0000&control=0.1")
            table = Path(temporary) / "all.parquet"
            download(f"{base}.parquet", table)
            copy = copies(table, Path(temporary), given.times)
            print(f"{platform.machine()}, {os.cpu_count()} cores: {given.customers:,} customers")
            print(f"{'':<34}{'s':>8}{'CPU s':>8}{'MB more':>9}{'MB':>8}{'times COPY: s, CPU':>16}")
            line("DuckDB's COPY to CSV", copy)
            for what, (kind, query) in ASKED.items():
                times = 1 if kind == "xlsx" else given.times
                tries = [measured(process, lambda: download(f"{base}.{kind}{query}")) for _ in range(times)]  # noqa: B023
                line(
                    what,
                    best(tries),
                    copy if (kind, query) in (("csv", ""), ASKED["CSV, control group of 10 %"]) else None,
                )


if __name__ == "__main__":
    main()
