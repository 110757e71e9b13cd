"""What goods cost, as a column of the source says it: what of that cannot be used, and what is said of it."""

from __future__ import annotations

import duckdb

from engines.columns import COST_UNITS
from engines.errors import InputError
from engines.intake.cleaning.cleaning import RULE
from engines.intake.schema.parsing import BLANK, LINE, MONEY_LIMIT, ODD_COST, Parsing
from engines.intake.sources.source import Source
from engines.messages import Message, message_number
from engines.settings import Reading

_CITED = 3


def check_costs(
    connection: duckdb.DuckDBPyConnection, source: Source, parsing: Parsing, reading: Reading, lines: str
) -> tuple[Message, ...]:
    """A note on sold lines whose cost is no number or below zero: they count, and their cost is not known.

    Args:
        connection: that knows the lines.
        source: for messages.
        parsing: how the source is read.
        reading: how many lines may have a cell that cannot be read.
        lines: their relation, as the pass wrote it.

    Raises:
        InputError: there are more of these lines than may be set aside, or the costs cannot be counted.
    """
    if not parsing.cost:
        return ()
    sold = f"from {lines} where {RULE} is null and not {BLANK}"
    count, of, size = connection.execute(
        f"select count({ODD_COST}), count(*), coalesce(sum(cast({COST_UNITS} as double)), 0) {sold}"
    ).fetchall()[0]
    column = parsing.cells[parsing.cost].column
    if size >= MONEY_LIMIT:
        raise InputError(
            "{name}: column {column!r} ({field}) adds up to more than can be counted exactly; check it, or leave it "
            "out with --map {field}=.",
            name=source.name,
            column=column,
            field=parsing.cost,
        )
    if not count:
        return ()
    found = connection.execute(
        f"select {LINE}, {ODD_COST} {sold} and {ODD_COST} is not null order by 1 limit {_CITED}"
    ).fetchall()
    cited = ", ".join(f"{source.locate(line)} ({value[:40]!r})" for line, value in found)
    cited += f" and {count - len(found):,} more" if count > len(found) else ""
    if count > max(of * reading.unreadable_share, min(reading.unreadable_lines, (of - 1) // 2)):
        raise InputError(
            "{name}: column {column!r} ({field}) says no cost on {cited}: a cost is a number, not below zero. Mend "
            "these cells or empty them, name another column with --map {field}=COLUMN, or leave the costs out with "
            "--map {field}=.",
            name=source.name,
            column=column,
            field=parsing.cost,
            cited=cited,
        )
    return (
        message_number(
            "{count:,} line that was sold has a cost (column {column!r}) that is no number or below zero: {cited}. It "
            "counts as one without a cost.",
            "{count:,} lines that were sold have a cost (column {column!r}) that is no number or below zero: {cited}. "
            "They count as lines without a cost.",
            count,
            count=count,
            column=column,
            cited=cited,
        ),
    )
