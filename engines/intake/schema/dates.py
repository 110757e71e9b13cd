"""Date formats: one format for a whole column, and an ambiguous order of day and month is asked for, not guessed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import duckdb

from engines.errors import InputError
from engines.messages import Message, joined, message
from engines.settings import Reading

_FIRST_YEAR, _LAST_YEAR = 1900, 2199  # a sale in the year 10 or 9999 is a slip or a placeholder
_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?:\s*[AP]\.?M\.?)?|[0-9]{1,2}\s*[AP]\.?M\.?"
_OFFSET = r"Z|UTC|GMT|(?:UTC|GMT)?[-+][0-9]{2}:?(?:[0-9]{2})?"
_TIME = rf"(?i)(?:[T ]\s*|\s+)({_CLOCK})\s*({_OFFSET})?$"
_COMPACT = r"(?i)^([0-9]{8})T?([0-9]{2})([0-9]{2})([0-9]{2})(Z?)$"  # 20101201T082600Z
_WEEKDAY = r"(?i)^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+"
_TIME_FORMATS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I %p")
#: How a date of one format is written in nearly all files: what parts its days, its clock and its offset.
_SEPARATORS, _BETWEEN, _NO_OFFSET = ("-", "/", ".", " "), (" ", "T"), ("Z", " UTC", "+00:00", "+0000", " +0000")
_DECISIVE = 19  # of twenty values above 12, so many must agree before the twentieth is taken for the slip


@dataclass(frozen=True)
class _Shape:
    """A way to write a date: what it looks like once separators are dashes, and how it is then read.

    ``formats`` of the day; or ``moment``, SQL that makes a timestamp of the text ``written``; of UTC if ``utc``.
    """

    words: str
    pattern: str
    formats: tuple[str, ...] = ()
    moment: str = ""
    utc: bool = False


@dataclass(frozen=True)
class _Family:
    """Ways to write a date that look the same: one, or two that differ in the order of day and month."""

    day_first: _Shape
    month_first: _Shape | None = None


def _pair(pattern: str, year: str, words: str) -> _Family:
    return _Family(
        _Shape(message("day/month/{words}", words=words), pattern, (f"%d-%m-{year}",)),
        _Shape(message("month/day/{words}", words=words), pattern, (f"%m-%d-{year}",)),
    )


def _epoch(words: str, pattern: str, per_second: int) -> _Family:
    micro = f"cast(cast(try_cast(written as decimal(18, 4)) as decimal(28, 4)) * {1_000_000 // per_second} as bigint)"
    return _Family(_Shape(words, pattern, moment=f"make_timestamp({micro})", utc=True))


_DAYS = "cast(try_cast(written as decimal(18, 9)) as decimal(28, 9)) - 25569"
_SERIAL = f"make_timestamp(cast(round(({_DAYS}) * 86400) as bigint) * 1000000)"
_FAMILIES = (
    _Family(_Shape(message("year-month-day"), "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", ("%Y-%m-%d",))),
    _Family(_Shape(message("yearmonthday"), "[0-9]{8}", ("%Y%m%d",))),
    _pair("[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}", "%Y", message("year")),
    _pair("[0-9]{1,2}-[0-9]{1,2}-[0-9]{2}", "%y", message("two-digit year")),
    _Family(_Shape(message("day-month name-year"), "[0-9]{1,2}-[A-Za-z]{3,9}-[0-9]{4}", ("%d-%b-%Y", "%d-%B-%Y"))),
    _Family(
        _Shape(message("day-month name-two-digit year"), "[0-9]{1,2}-[A-Za-z]{3,9}-[0-9]{2}", ("%d-%b-%y", "%d-%B-%y"))
    ),
    _Family(_Shape(message("month name day, year"), "[A-Za-z]{3,9}-[0-9]{1,2}-[0-9]{4}", ("%b-%d-%Y", "%B-%d-%Y"))),
    _Family(_Shape(message("year-month name-day"), "[0-9]{4}-[A-Za-z]{3,9}-[0-9]{1,2}", ("%Y-%b-%d", "%Y-%B-%d"))),
    _epoch(message("seconds since 1970"), r"[0-9]{9,10}(\.[0-9]+)?", 1),
    _epoch(message("milliseconds since 1970"), r"[0-9]{13}(\.0+)?", 1000),
    _Family(_Shape(message("days since 1900 as spreadsheets count them"), r"[0-9]{5}([.,][0-9]+)?", moment=_SERIAL)),
)


@dataclass(frozen=True)
class TwoReadings:
    """A date that can be read both ways in a column where nothing decides."""

    written: str
    day_first: datetime
    month_first: datetime
    day_first_words: str
    month_first_words: str


@dataclass(frozen=True)
class DateFormat:
    """How a column of dates is read; ``undecided`` where day-first and month-first are both possible.

    ``certain``: the order of day and month is known, and not only the same either way in these dates.
    """

    shape: _Shape
    notes: tuple[str, ...] = ()
    undecided: TwoReadings | None = None
    certain: bool = True


def find_format(connection: duckdb.DuckDBPyConnection, text: str, relation: str, reading: Reading) -> DateFormat:
    """The format in which most of the dates are written, decided from all of them at once.

    Leaves the table ``dates`` with every distinct value of an SQL expression over a relation, and its parts. Of two
    orders of day and month, the one that alone can read values decides: the other would need a month above 12. Where
    both can read some that the other cannot, nearly all of these must agree, unless no other value depends on it.
    """
    _take_apart(connection, text, relation)
    asked = []
    for family in _FAMILIES:
        one = _reading(family.day_first)
        two = _reading(family.month_first) if family.month_first else "null"
        either, both = f"({one} is not null or {two} is not null)", f"({one} <> {two})"
        alone = (f"({one} is not null and {two} is null)", f"({one} is null and {two} is not null)")
        asked += [f"coalesce(sum(n) filter (where {part}), 0)" for part in (either, *alone, both)]
    counts = connection.execute(f"select {', '.join(asked)} from dates").fetchall()[0]  # noqa: S608 - our own SQL
    found = {family: tuple(map(int, counts[4 * at : 4 * at + 4])) for at, family in enumerate(_FAMILIES)}
    family = max(_FAMILIES, key=lambda each: found[each][0])
    if family.month_first is None:
        note = "" if family.day_first.formats else message("Dates were read as {words}.", words=family.day_first.words)
        return DateFormat(family.day_first, (note,) if note else ())
    _, day, month, differ = found[family]
    if reading.date_order:
        shape = family.day_first if reading.date_order == "day-first" else family.month_first
        return DateFormat(shape, (message("Dates were read as {words}, as date_order says.", words=shape.words),))
    shape = family.day_first if day >= month else family.month_first
    few, many = sorted((day, month))
    if differ and (many == 0 or few * _DECISIVE > many):
        return DateFormat(shape, undecided=_both(connection, family.day_first, family.month_first))
    return DateFormat(shape, (message("Dates were read as {words}.", words=shape.words),), certain=many > 0)


@dataclass(frozen=True)
class Dates:
    """How a column of dates is read, and what decided.

    ``plain``: SQL that reads a text called ``written`` as the table ``dates`` does, where it is written plainly, and
    else gives null; empty where every value is to be looked up in the table.
    """

    notes: tuple[str, ...]
    plain: str = ""
    certain: bool = True


def parse_dates(
    connection: duckdb.DuckDBPyConnection, text: str, relation: str, reading: Reading, source: str, column: str
) -> Dates:
    """Fill the table ``dates`` (as written, parsed) with every distinct value of an expression over a relation.

    A value that the chosen format cannot read is left null there; a moment with an offset, or counted in seconds, is
    that of a clock in ``reading.time_zone``.

    Raises:
        InputError: day/month and month/day are both possible; both readings are named. An unknown time zone.
    """
    zone = time_zone(reading)
    found = find_format(connection, text, relation, reading)
    if found.undecided is not None:
        raise InputError(both_ways(found.undecided, source, column))
    notes = found.notes
    away = "0" if found.shape.utc else "away"
    moved = connection.execute(
        f"select count({away}), count(*) from dates where {_reading(found.shape)} is not null"  # noqa: S608
    ).fetchall()[0]
    if moved[0] and (zone != "UTC" or found.shape.utc):
        brought = message("Moments were brought into the time zone {zone}.", zone=zone)
        if moved[0] != moved[1]:
            brought = joined((brought, message("Times without an offset were taken as they are.")))
        notes += (brought,)
    parsed = plausible(f"case when away is null then moment else {_local('moment - to_minutes(away)', zone)} end")
    connection.execute(
        f"create or replace table dates as select written, {parsed} as parsed from "  # noqa: S608
        f"(select written, {away} as away, {_reading(found.shape)} as moment from dates)"
    )
    return Dates(notes, _plain(connection, found.shape, zone), found.certain)


def any_date(connection: duckdb.DuckDBPyConnection, text: str, relation: str) -> bool:
    """Whether any of the texts is a date, in whatever format. Replaces the table ``dates``."""
    _take_apart(connection, text, relation)
    shapes = [shape for family in _FAMILIES for shape in (family.day_first, family.month_first) if shape]
    read = " or ".join(f"{_reading(shape)} is not null" for shape in shapes)
    return bool(connection.execute(f"select count(*) from dates where {read}").fetchall()[0][0])  # noqa: S608


def _local(moment: str, zone: str) -> str:
    """SQL: a moment of UTC as the clocks of a zone show it."""
    return moment if zone == "UTC" else f"timezone('{zone}', timezone('UTC', {moment}))"


def _plain(connection: duckdb.DuckDBPyConnection, shape: _Shape, zone: str) -> str:
    """The one way of writing in which all of the table ``dates`` is written, as SQL; empty where there is none."""
    example = connection.execute("select min(written) from dates where parsed is not null").fetchall()[0][0]
    days = [day.replace("-", separator) for day in shape.formats for separator in _SEPARATORS]
    days += [f"%{name} %d, %Y" for name in "bB" if f"%{name}-%d-%Y" in shape.formats]
    clocks = [f"{between}{clock}" for between in _BETWEEN for clock in _TIME_FORMATS]
    ways = [
        (f"{day}{clock}{offset}", bool(offset))
        for day in dict.fromkeys(days)
        for clock in ("", *clocks)
        for offset in ("", *(_NO_OFFSET if clock else ()))
    ]
    for way, is_utc in ways:
        if example is None or not _fits(example, way):
            continue
        moment = f"try_strptime(written, '{way}')"
        sql = plausible(_local(moment, zone) if is_utc else moment)
        differ = f"select count(*) from dates where ({sql}) is distinct from parsed"  # noqa: S608 - our own SQL
        if not connection.execute(differ).fetchall()[0][0]:
            return sql
    return ""


def _fits(text: str, way: str) -> bool:
    try:
        datetime.strptime(text, way)
    except ValueError:
        return False
    return True


def both_ways(found: TwoReadings, source: str, column: str) -> Message:
    """What to say where day and month cannot be told apart: the question, and how to answer it."""
    question = message(
        "{source}: the dates in column {column!r} can be read as {day_first_words} or as "
        "{month_first_words}: {written!r} is {day_first:%d %B %Y} or {month_first:%d %B %Y}, and "
        "no value above 12 decides.",
        source=source,
        column=column,
        day_first_words=found.day_first_words,
        month_first_words=found.month_first_words,
        written=found.written,
        day_first=found.day_first.date(),
        month_first=found.month_first.date(),
    )
    way = message("Say which with --date-order day-first or --date-order month-first (date_order in [reading]).")
    return Message("{question} {way}", {"question": question, "way": way})


def time_zone(reading: Reading) -> str:
    """The time zone of a reading.

    Raises:
        InputError: there is no such zone.
    """
    try:
        return str(ZoneInfo(reading.time_zone).key)
    except (KeyError, OSError, ValueError):
        raise InputError(
            "There is no time zone {time_zone!r}; give time_zone an IANA name such as Europe/London or UTC.",
            time_zone=reading.time_zone,
        ) from None


def plausible(timestamp: str) -> str:
    """SQL: the timestamp, or null where its year cannot be that of a sale."""
    bounds = f"timestamp '{_FIRST_YEAR}-01-01' and timestamp '{_LAST_YEAR}-12-31 23:59:59.999999'"
    return f"case when {timestamp} between {bounds} then {timestamp} end"


def _take_apart(connection: duckdb.DuckDBPyConnection, text: str, relation: str) -> None:
    """The table ``dates``: written, n lines, the day with dashes, the clock with a plain AM or PM, minutes from UTC."""
    connection.execute(
        rf"""create or replace table dates as
        with counted as (
            select {text} as written, count(*) as n from {relation} where {text} is not null group by 1),
        plain as (
            select *, regexp_replace(regexp_replace(written, $compact, '\1 \2:\3:\4\5'), $weekday, '') as bare
            from counted),
        apart as (
            select *, regexp_extract(bare, $time, 1) as clock, upper(regexp_extract(bare, $time, 2)) as zone,
                trim(regexp_replace(bare, $time, '')) as day
            from plain)
        select written, n, regexp_replace(day, '[-/. ,]+', '-', 'g') as day,
            case when clock = '' then '00:00' else
                regexp_replace(regexp_replace(replace(upper(replace(clock, ' ', '')), ',', '.'),
                    '([AP])\.?M\.?$', ' \1M'), '(\.[0-9]{{6}})[0-9]+', '\1') end as clock,
            case when zone = '' then null when not regexp_matches(zone, '[0-9]') then 0 else
                (case when contains(zone, '-') then -1 else 1 end)
                * (60 * cast(regexp_extract(zone, '[-+]([0-9]{{2}})', 1) as integer)
                   + coalesce(try_cast(regexp_extract(zone, '[-+][0-9]{{2}}:?([0-9]{{2}})', 1) as integer), 0))
                end as away
        from apart""",  # noqa: S608 - expressions are made of column positions
        {"time": _TIME, "compact": _COMPACT, "weekday": _WEEKDAY},
    )


def _reading(shape: _Shape) -> str:
    """SQL: the timestamp of a row of ``dates``, null where it is not written so."""
    if shape.moment:
        return f"case when regexp_full_match(written, '{shape.pattern}') then {plausible(shape.moment)} end"
    formats = ", ".join(f"'{day} {clock}'" for day in shape.formats for clock in _TIME_FORMATS)
    parsed = f"try_strptime(day || ' ' || clock, [{formats}])"
    return f"case when regexp_full_match(day, '{shape.pattern}') then {plausible(parsed)} end"


def _both(connection: duckdb.DuckDBPyConnection, one: _Shape, two: _Shape) -> TwoReadings:
    written, day, month = connection.execute(
        f"select written, {_reading(one)} as one, {_reading(two)} as two from dates "  # noqa: S608
        "where one <> two order by written limit 1"
    ).fetchall()[0]
    return TwoReadings(written, day, month, one.words, two.words)
