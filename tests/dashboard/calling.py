"""The command line called as a user does, and a small shop's export for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner, Result

from dashboard.cli import main

SHOP = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1,A,RED BAG,2,2024-01-05 10:00:00,2.50,1.0,Germany
2,B,TEA MUG,1,2024-01-20 10:00:00,4.00,1.0,Germany
3,A,RED BAG,3,2024-02-01 10:00:00,2.50,2.0,France
C4,A,RED BAG,-1,2024-02-02 10:00:00,2.50,2.0,France
5,B,TEA MUG,1,2024-02-03 10:00:00,4.00,,France
6,C,CARD,9,2024-02-10 10:00:00,1.00,3.0,Unspecified
7,C,CARD,90,2024-02-11 10:00:00,1.00,4.0,Germany
8,C,CARD,1,2024-02-12 10:00:00,0.00,4.0,Germany
"""
HEAD = SHOP.splitlines()[0]

Call = Callable[..., Result]


def call(*words: object, code: int = 0, **environ: str) -> Result:
    """``segmentry`` with these words in the current folder; its exit code must be ``code``."""
    done = CliRunner(env=environ).invoke(main, [str(word) for word in words])
    assert done.exit_code == code, (done.stderr, done.exception)
    if not isinstance(done.exception, SystemExit | None):
        raise done.exception
    return done


def stored(folder: Path) -> int:
    """How many snapshots and runs the database in ``folder`` holds."""
    file = folder / "segmentry.db"
    if not file.exists():
        return 0
    with sqlite3.connect(file) as connection:
        return sum(connection.execute(f"select count(*) from {name}").fetchone()[0] for name in ("snapshots", "runs"))
