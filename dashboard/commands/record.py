"""Lists that commands write to a file: each is on record, as the lists of the dashboard are."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from dashboard.commands.options import account
from dashboard.exports.files import format_of, write

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from storage.contract import Store


def take(reader: pa.RecordBatchReader, file: Path, store: Store, *, run: int, kind: str, query: str = "") -> int:
    """Write a list to a file and record it.

    Args:
        reader: its rows.
        file: its ending is the format.
        store: where it is recorded.
        run: whose customers they are.
        kind: of the list, ``customers`` or ``movers``.
        query: what was asked for, as in an address.

    Returns:
        How many rows were written.

    Raises:
        InputError: the format is not known, or the file cannot be written.
    """
    written = write(reader, file, format_of(file))
    store.record_export(
        run,
        "",
        format=written.kind,
        rows=written.rows,
        size=written.size,
        sha256=written.sha256,
        columns=written.columns,
        user=account(),
        about={"version": version("segmentry"), "file": file.name, "list": kind, "query": query},
    )
    return written.rows
