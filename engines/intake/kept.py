"""Kept sales: clean sales that were written to a file once, opened again as of any date."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import fields
from datetime import date
from pathlib import Path

from engines.intake.cleaning.ledger import Ledger
from engines.intake.sales import Origin, Sales, cleaned, counted, open_database
from engines.intake.sources.source import short_of, text
from engines.settings import CleaningRules, Reading


def open_kept(
    path: Path, origin: Origin, ledger: Ledger, rules: CleaningRules, reading: Reading, *, as_of: date | None = None
) -> Sales:
    """Clean sales as reading their source would give them as of a date, from what :meth:`Sales.keep` wrote.

    Args:
        path: of that file.
        origin: of the sales.
        ledger: of the source, as of whatever date.
        rules: by which it was cleaned.
        reading: for the memory that may be used.
        as_of: only lines before its midnight count; by default the day after the last sale.

    Raises:
        InputError: there is no sale before that date.
    """
    with ExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix="segmentry-kept-")
        stack.callback(folder.cleanup)
        connection = open_database(reading, Path(folder.name))
        stack.callback(connection.disconnect)
        with short_of(origin.name):
            connection.con.execute(f"create view kept as select * from read_parquet({text(str(path))})")  # noqa: S608
            found = cleaned(connection.table("kept"), rules, counted(origin.fields), as_of, origin.name, ledger)
        stack.pop_all()  # they are given back by the sales
    return Sales(
        **{item.name: getattr(origin, item.name) for item in fields(Origin)},
        table=found.table,
        ledger=found.ledger,
        as_of=found.as_of,
        first_day=found.first_day,
        last_day=found.last_day,
        file=path,
        _connection=connection,
        _folder=folder,
    )
