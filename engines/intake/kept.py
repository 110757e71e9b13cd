"""Kept sales: clean sales that were written to a file once, opened again as of any date, or of one customer alone."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import ibis

from engines.columns import CUSTOMER_ID, ORDER_DATE
from engines.intake.cleaning.cleaning import RULE, clean_lines, cut, with_rows
from engines.intake.cleaning.ledger import Ledger
from engines.intake.cleaning.offsets import offset_returns
from engines.intake.cleaning.outliers import usual_amounts
from engines.intake.cleaning.returns import WENT_BACK
from engines.intake.cleaning.rules import Asked, conditions
from engines.intake.sales import Origin, Sales, cleaned, counted, lines_database
from engines.intake.schema.parsing import LINE
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
        connection = lines_database(reading, Path(folder.name))
        stack.callback(connection.disconnect)
        with short_of(origin.name):
            _open(connection, path)
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


@contextmanager
def customer_lines(
    path: Path,
    customer_id: str,
    rules: CleaningRules,
    reading: Reading,
    *,
    mapped: Collection[str],
    as_of: date,
) -> Iterator[ibis.Table]:
    """The clean lines of one customer, as :func:`open_kept` gives them, until the ``with`` statement ends.

    No ledger is made and nothing else is read of the file than where this customer stands, unless outliers are dropped,
    as what is usual follows from the amounts of all lines.

    Args:
        path: of the file.
        customer_id: whose lines; there are none of an unknown customer.
        rules: by which the source was cleaned.
        reading: for the memory that may be used.
        mapped: the fields that the source has.
        as_of: only lines before its midnight count.
    """
    with tempfile.TemporaryDirectory(prefix="segmentry-kept-") as folder:
        connection = lines_database(reading, Path(folder))
        try:
            _open(connection, path)
            kept, fields_of_lines = connection.table("kept"), counted(tuple(mapped))
            asked = Asked(kept, rules, fields_of_lines)
            if rules.drop_outliers:
                staying = kept.filter(kept[RULE].isnull() & ~_compared(asked))
                staying = staying.filter(staying[ORDER_DATE] < ibis.timestamp(as_of.isoformat()))
                asked = Asked(kept, rules, fields_of_lines, usual_amounts(staying, rules.outlier_z))
            # why a line is dropped matters for a ledger alone
            reason = (kept[RULE].isnull() & _compared(asked)).ifelse("compared", kept[RULE])
            mine = kept.mutate(**{RULE: reason}).filter(kept[CUSTOMER_ID] == customer_id)
            lines, versions = cut(mine, rules, as_of), None
            if rules.net:
                lines = with_rows(lines)
                versions = offset_returns(lines, RULE, WENT_BACK).versions
            with clean_lines(lines, rules, fields_of_lines, versions).cache() as found:
                yield found
        finally:
            connection.disconnect()


def _open(connection: Any, path: Path) -> None:
    """Make the view ``kept`` of a file of kept sales, each line with its number in it."""
    connection.con.execute(
        f"create view kept as select * exclude (file_row_number), file_row_number as {LINE} "  # noqa: S608 - our names
        f"from read_parquet({text(str(path))}, file_row_number = true)"
    )


def _compared(asked: Asked) -> ibis.Value:
    """Whether a line is dropped for what others are."""
    return ibis.or_(ibis.literal(False), *conditions(asked, compares=True).values()).fill_null(False)
