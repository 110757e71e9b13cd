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
_PLACEHOLDERS = ("0000-00-00", "0001-01-01", "1970-01-01", "1900-01-01")
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


def totals_among(connection: duckdb.DuckDBPyConnection, lines: str, but: Collection[str] = ()) -> dict[str, list[str]]:
    """The customers and orders that are called as rows that add up others are, by field; ``but``: those that do not."""
    words = set(TOTALS_TEXTS) - {word.lower() for word in but}
    found = {field: texts_among(connection, field, words, lines) for field in (CUSTOMER_ID, ORDER_ID)}
    return {field: texts for field, texts in found.items() if texts}


def is_total(found: Mapping[str, Collection[str]]) -> str:
    """SQL: whether a line is one of :func:`totals_among`; never null."""
    return f"({' or '.join(is_one_of(field, texts) for field, texts in found.items()) or 'false'})"


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
    if IS_TEST in parsing.cells:
        found = connection.execute(f"select distinct {IS_TEST} from {lines} where strlen({IS_TEST}) < 20").fetchall()  # noqa: S608
        tests.append(is_one_of(IS_TEST, [each for (each,) in found if flag(each)]))
    if CANCELLED_AT in parsing.cells:  # moments are many and all different: what says no is short, or a placeholder
        places = " or ".join(f"prefix({CANCELLED_AT}, {text(day)})" for day in _PLACEHOLDERS)
        found = connection.execute(
            f"select distinct {CANCELLED_AT} from {lines} where strlen({CANCELLED_AT}) < 10 and not ({places})"  # noqa: S608
        ).fetchall()
        no = [each for (each,) in found if flag(each) is False or folded(each) in _NEVER]
        tests.append(f"({CANCELLED_AT} is not null and not ({places}) and not {is_one_of(CANCELLED_AT, no)})")
    return f"({' or '.join(tests) or 'false'})"


def is_one_of(field: str, texts: Collection[str]) -> str:
    """SQL: whether a text is one of these; never null."""
    return f"coalesce({field} in ({listed(texts)}), false)" if texts else "false"


def listed(texts: Collection[str]) -> str:
    """SQL: texts in quotation marks, parted by commas."""
    return ", ".join(map(text, texts))
