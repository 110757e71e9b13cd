"""Reading dates as they were meant: one format for a whole column, and no guess at which is day and which is month."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from engines.errors import InputError

_FIRST_YEAR, _LAST_YEAR = 1900, 2199  # a sale in the year 10 or 9999 is a slip or a placeholder
_TIME = r"(?i)(?:[T ]\s*|\s+)([0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?\s*(?:[AP]\.?M\.?)?)\s*Z?$"
_TIME_FORMATS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")


@dataclass(frozen=True)
class _Shape:
    """A way to write a date: what it looks like once separators are dashes, and how it is then read."""

    words: str
    pattern: str
    formats: tuple[str, ...]


_SHAPES = (
    _Shape("year-month-day", "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", ("%Y-%m-%d",)),
    _Shape("yearmonthday", "[0-9]{8}", ("%Y%m%d",)),
    _Shape("day/month/year", "[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}", ("%d-%m-%Y",)),
    _Shape("month/day/year", "[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}", ("%m-%d-%Y",)),
    _Shape("day/month/two-digit year", "[0-9]{1,2}-[0-9]{1,2}-[0-9]{2}", ("%d-%m-%y",)),
    _Shape("month/day/two-digit year", "[0-9]{1,2}-[0-9]{1,2}-[0-9]{2}", ("%m-%d-%y",)),
    _Shape("day-month name-year", "[0-9]{1,2}-[A-Za-z]{3,9}-[0-9]{4}", ("%d-%b-%Y", "%d-%B-%Y")),
    _Shape("day-month name-two-digit year", "[0-9]{1,2}-[A-Za-z]{3,9}-[0-9]{2}", ("%d-%b-%y", "%d-%B-%y")),
    _Shape("month name day, year", "[A-Za-z]{3,9}-[0-9]{1,2}-[0-9]{4}", ("%b-%d-%Y", "%B-%d-%Y")),
)


def parse_dates(connection: duckdb.DuckDBPyConnection, text: str, source: str, column: str) -> tuple[str, ...]:
    """Fill the table ``dates`` (as written, parsed) with every distinct value of an expression over the table ``raw``.

    A value that the chosen format cannot read is left null there. Gives notes on what decided.

    Raises:
        InputError: day/month and month/day both read every value, and differently; both readings are named.
    """
    connection.execute(
        f"create or replace table written as select distinct {text} as written from raw "  # noqa: S608 - our own names
        f"where not blank and {text} is not null"
    )
    # The date and the time apart; the date with dashes, the time with a plain AM or PM and at most six decimals.
    connection.execute(
        r"""create or replace table dates as
        with apart as (
            select written, regexp_extract(written, $time, 1) as clock, trim(regexp_replace(written, $time, '')) as day
            from written)
        select written, regexp_replace(day, '[-/. ,]+', '-', 'g') as day,
            case when clock = '' then '00:00' else
                regexp_replace(regexp_replace(upper(replace(clock, ' ', '')), '([AP])\.?M\.?$', ' \1M'),
                    '(\.[0-9]{6})[0-9]+', '\1') end as clock
        from apart""",
        {"time": _TIME},
    )
    readings = {shape: _reading(shape) for shape in _SHAPES}
    counts = connection.execute(
        f"select count(*), {', '.join(f'count({reading})' for reading in readings.values())} from dates"  # noqa: S608
    ).fetchall()[0]
    total, read = counts[0], dict(zip(_SHAPES, counts[1:], strict=True))
    whole = [shape for shape in _SHAPES if read[shape] == total]
    notes: tuple[str, ...] = ()
    if len(whole) > 1:
        one, other = whole
        example = connection.execute(
            f"select written, {readings[one]} as one, {readings[other]} as other from dates "  # noqa: S608
            "where one <> other order by written limit 1"
        ).fetchone()
        if example:
            written, as_one, as_other = example
            raise InputError(
                f"{source}: the dates in column {column!r} can be read as {one.words} or as {other.words}: "
                f"{written!r} is {as_one:%d %B %Y} or {as_other:%d %B %Y}, and no value above 12 decides. "
                "Write them as year-month-day."
            )
    best = max(_SHAPES, key=lambda shape: read[shape])
    if "/" in best.words:
        notes = (f"Dates were read as {best.words}.",)
    connection.execute(f"create or replace table dates as select written, {readings[best]} as parsed from dates")  # noqa: S608
    connection.execute("drop table written")
    return notes


def plausible(timestamp: str) -> str:
    """SQL: the timestamp, or null where its year cannot be that of a sale."""
    return f"case when year({timestamp}) between {_FIRST_YEAR} and {_LAST_YEAR} then {timestamp} end"


def _reading(shape: _Shape) -> str:
    formats = ", ".join(f"'{day} {clock}'" for day in shape.formats for clock in _TIME_FORMATS)
    parsed = f"try_strptime(day || ' ' || clock, [{formats}])"
    return f"case when regexp_full_match(day, '{shape.pattern}') then {plausible(parsed)} end"
