"""The lines that cleaning dropped, as they were in the source, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
import pyarrow as pa

from engines.intake.cleaning.cleaning import RULE, dropped_lines
from engines.intake.cleaning.rules import RULES
from engines.intake.schema.parsing import LINE
from engines.intake.sources.source import BROKEN
from engines.settings import CleaningRules

REASON = "reason"

_TABLE = "dropped"
_BATCH = 65_536
_HEADER = 2  # the record below the header is the second, and lines are numbered from 0


def keep_dropped(connection: Any, flagged: ibis.Table, rules: CleaningRules, chosen: Mapping[str, int]) -> None:
    """Fill the table ``dropped`` from flagged and cut lines and the relation ``raw``, which is read once more.

    ``chosen``: position of the column in the source by field. Cells are text as the source has them.
    """
    connection.create_table("why", dropped_lines(flagged, rules).select(LINE, RULE))
    sentences = pa.table({RULE: list(RULES), REASON: [f"{rule.catches}: {rule.because}" for rule in RULES.values()]})
    cells = ", ".join(f'cast(raw.c{place} as varchar) as "{field}"' for field, place in chosen.items())
    connection.con.register("sentences", sentences)
    connection.con.execute(
        f"create table {_TABLE} as select why.{LINE} + {_HEADER} as {LINE}, why.{RULE}, "  # noqa: S608
        f"sentences.{REASON} || coalesce(': ' || raw.{BROKEN}, '') as {REASON}, {cells} "
        f"from why join (select *, row_number() over () - 1 as number from raw) as raw on raw.number = why.{LINE} "
        f"join sentences on sentences.{RULE} = why.{RULE} order by 1"
    )
    connection.con.unregister("sentences")
    connection.con.execute("drop table why")


def read_dropped(connection: Any) -> pa.RecordBatchReader:
    """The table ``dropped``, batch by batch.

    Raises:
        ValueError: there is none.
    """
    if not connection.con.execute("select 1 from duckdb_tables() where table_name = ?", [_TABLE]).fetchall():
        raise ValueError("The dropped lines were not kept: read the sales with keep_dropped=True.")
    everything = connection.con.cursor().sql(f"select * from {_TABLE} order by {LINE}")  # noqa: S608 - our own names
    reader: pa.RecordBatchReader = everything.to_arrow_reader(_BATCH)
    return reader
