"""What the texts mean that say what became of orders: sold, no sale, sent back, wholly or in part."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import duckdb

from engines.columns import CANCELLED_AT, CUSTOMER_ID, IS_TEST, LINE_TYPE, ORDER_ID
from engines.intake.schema.parsing import Parsing
from engines.intake.schema.words import TOTALS, StatusKind, flag, folded, heads_of_lines, kind_of_status
from engines.intake.sources.source import text

#: How rows that add up the others are called, in small letters.
TOTALS_TEXTS = sorted(
    {
        spelt + end
        for words in TOTALS.values()
        for word in words
        for spelt in (word.strip("*"), word.replace(" ", "-").strip("*"))
        for end in ("", ":", "s:")
    }
    | {"łącznie", "ogółem"}
)
_MOST_VALUES = 500  # a column with more different texts says something else than what became of an order
#: Texts of cancelled_at that are no date and mean that it was not.
_NEVER = frozenset(("", "none", "null", "nan", "n a", "never", "nat"))


def meanings_of(
    connection: duckdb.DuckDBPyConnection,
    field: str,
    lines: str,
    *,
    sold: Collection[str] = (),
    not_a_sale: Collection[str] = (),
    returned: Collection[str] = (),
) -> dict[str, StatusKind]:
    """What each text of a field means, the most frequent first; nothing where there are too many.

    Args:
        connection: that knows the lines.
        field: status or line_type.
        lines: their relation.
        sold: patterns that mean a sale here; see :func:`~engines.intake.schema.words.kind_of_status`.
        not_a_sale: those that mean none.
        returned: those that mean that all went back.
    """
    found = connection.execute(
        f"select {field}, count(*) from {lines} where {field} is not null group by 1 order by 2 desc, 1 "  # noqa: S608
        f"limit {_MOST_VALUES + 1}"
    ).fetchall()
    if len(found) > _MOST_VALUES:
        return {}
    own = {"sold": tuple(sold), "not_a_sale": tuple(not_a_sale), "returned": tuple(returned)}
    kinds = {each: kind_of_status(each, document=field == LINE_TYPE, **own) for each, _ in found}
    heads = heads_of_lines(kinds) if field == LINE_TYPE else ()
    return {**kinds, **dict.fromkeys(heads, "not_a_sale")}


def texts_among(connection: duckdb.DuckDBPyConnection, field: str, words: Collection[str], lines: str) -> list[str]:
    """The texts of a field that are one of many words, whatever the case; each text is looked at once."""
    connection.execute("create or replace temp table words as select unnest(?) as word", [sorted(set(words))])
    found = connection.execute(
        f"select {field} from (select distinct {field} from {lines}) "  # noqa: S608 - our own names
        f"where lower({field}) in (select word from words) order by 1"
    ).fetchall()
    return [each for (each,) in found]


def is_total(connection: duckdb.DuckDBPyConnection, lines: str) -> str:
    """SQL: whether a line adds up the others, as its customer or its order says; ``false`` where none does."""
    found = {field: texts_among(connection, field, TOTALS_TEXTS, lines) for field in (CUSTOMER_ID, ORDER_ID)}
    return " or ".join(is_one_of(field, texts) for field, texts in found.items() if texts) or "false"


def texts_of(meanings: Mapping[str, StatusKind], *kinds: StatusKind) -> list[str]:
    """The texts that mean one of these."""
    return [each for each, kind in meanings.items() if kind in kinds]


def no_sale_sql(
    connection: duckdb.DuckDBPyConnection,
    parsing: Parsing,
    meanings: Mapping[str, Mapping[str, StatusKind]],
    lines: str,
) -> str:
    """SQL: whether a line is of no sale; never null."""
    tests = [is_one_of(field, texts_of(each, "not_a_sale")) for field, each in meanings.items()]
    for field in (CANCELLED_AT, IS_TEST):
        if field in parsing.cells:
            found = connection.execute(f"select distinct {field} from {lines} where {field} is not null").fetchall()  # noqa: S608
            tests.append(is_one_of(field, [each for (each,) in found if _is_so(each, field == CANCELLED_AT)]))
    return f"({' or '.join(tests) or 'false'})"


def _is_so(cell: str, may_be_date: bool) -> bool:
    """Whether a cell says yes; a date does so, too, unless it stands for none."""
    answer = flag(cell)
    if answer is not None or not may_be_date:
        return bool(answer)
    return folded(cell) not in _NEVER and not cell.startswith(("0000-00-00", "0001-01-01", "1970-01-01", "1900-01-01"))


def is_one_of(field: str, texts: Collection[str]) -> str:
    """SQL: whether a text is one of these; never null."""
    return f"coalesce({field} in ({listed(texts)}), false)" if texts else "false"


def listed(texts: Collection[str]) -> str:
    """SQL: texts in quotation marks, parted by commas."""
    return ", ".join(map(text, texts))
