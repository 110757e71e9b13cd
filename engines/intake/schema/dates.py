"""Date formats: one format for a whole column, and an ambiguous order of day and month is asked for, not guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import duckdb

from engines.errors import InputError
from engines.intake.schema.date_words import is_in_words, tidied
from engines.intake.schema.possible_days import ANY_DAYS, PossibleDays, reasons_why_not
from engines.intake.schema.time_zones import OFFSETS, OFFSETS_WRITTEN, ZoneFound, meant, time_zone, zone_of
from engines.messages import Message, joined, message
from engines.settings import Reading

_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?:\s*[AP]\.?M\.?)?|[0-9]{1,2}\s*[AP]\.?M\.?"
_OFFSET = rf"{OFFSETS_WRITTEN}|(?:UTC|GMT)?[-+][0-9]{{1,2}}(?::?[0-9]{{2}})?"
_TIME = rf"(?i)(?:[T ]\s*|\s+)({_CLOCK})\s*({_OFFSET})?$"
_COMPACT = r"(?i)^([0-9]{8})T?([0-9]{2})([0-9]{2})([0-9]{2})(Z?)$"  # 20101201T082600Z
_DOTTED = r"([0-9]{4}),?\s+([0-9]{1,2})\.([0-9]{2})(?:\.([0-9]{2}))?$"  # 05.01.2024 15.04
_TIME_FORMATS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I %p")
#: How a date of one format is written in nearly all files: what parts its days, its clock and its offset.
_SEPARATORS, _BETWEEN, _NO_OFFSET = ("-", "/", ".", " "), (" ", "T", ", "), ("Z", " UTC", "+00:00", "+0000", " +0000")
_CLOSER = 3  # times as close to one another, dates are the likelier ones
_DECISIVE = 19  # of twenty values above 12, so many must agree before the twentieth is taken for the slip


@dataclass(frozen=True)
class _Shape:
    """A way to write a date: what it looks like once separators are dashes, and how it is then read.

    ``formats`` of the day; or ``moment``, SQL that makes a timestamp of the text ``plain``; of UTC if ``utc``.
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
    micro = f"cast(cast(try_cast(plain as decimal(18, 4)) as decimal(28, 4)) * {1_000_000 // per_second} as bigint)"
    return _Family(_Shape(words, pattern, moment=f"make_timestamp({micro})", utc=True))


_DAYS = "cast(try_cast(plain as decimal(18, 9)) as decimal(28, 9)) - 25569"
_SERIAL = f"make_timestamp(cast(round(({_DAYS}) * 86400) as bigint) * 1000000)"
_FAMILIES = (
    _Family(_Shape(message("year-month-day"), "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", ("%Y-%m-%d",))),
    _Family(_Shape(message("yearmonthday"), "[0-9]{8}", ("%Y%m%d",))),
    _pair("[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}", "%Y", message("year")),
    _pair("[0-9]{1,2}-[0-9]{1,2}-[0-9]{2}", "%y", message("two-digit year")),
    _Family(_Shape(message("two-digit year/month/day"), "[0-9]{2}-[0-9]{1,2}-[0-9]{1,2}", ("%y-%m-%d",))),
    _Family(_Shape(message("day-month name-year"), "[0-9]{1,2}-[A-Za-z]{3,9}-[0-9]{4}", ("%d-%b-%Y", "%d-%B-%Y"))),
    _Family(
        _Shape(message("day-month name-two-digit year"), "[0-9]{1,2}-[A-Za-z]{3,9}-[0-9]{2}", ("%d-%b-%y", "%d-%B-%y"))
    ),
    _Family(_Shape(message("month name day, year"), "[A-Za-z]{3,9}-[0-9]{1,2}-[0-9]{4}", ("%b-%d-%Y", "%B-%d-%Y"))),
    _Family(
        _Shape(message("month name day, two-digit year"), "[A-Za-z]{3,9}-[0-9]{1,2}-[0-9]{2}", ("%b-%d-%y", "%B-%d-%y"))
    ),
    _Family(_Shape(message("year-month name-day"), "[0-9]{4}-[A-Za-z]{3,9}-[0-9]{1,2}", ("%Y-%b-%d", "%Y-%B-%d"))),
    _epoch(message("seconds since 1970"), r"[0-9]{9,10}(\.[0-9]+)?", 1),
    _epoch(message("milliseconds since 1970"), r"[0-9]{13}(\.0+)?", 1000),
    _Family(_Shape(message("days since 1900 as spreadsheets count them"), r"[0-9]{5}([.,][0-9]+)?", moment=_SERIAL)),
)


_TWO_DIGITS, _YEAR_FIRST = next(
    (_FAMILIES[at], _FAMILIES[at + 1]) for at, family in enumerate(_FAMILIES) if "%d-%m-%y" in family.day_first.formats
)
_SHAPES = [shape for family in _FAMILIES for shape in (family.day_first, family.month_first) if shape]


@dataclass(frozen=True)
class TwoReadings:
    """A date that can be read both ways in a column where nothing decides; ``answers``: of date_order, that say which.

    In the place of ``month_first`` may stand a year of two digits that comes first.
    """

    written: str
    day_first: datetime
    month_first: datetime
    day_first_words: str
    month_first_words: str
    answers: tuple[str, str] = ("day-first", "month-first")


@dataclass(frozen=True)
class DateFormat:
    """How a column of dates is read; ``undecided`` where day-first and month-first are both possible.

    ``certain``: the order of day and month is known, and not only the same either way in these dates.
    """

    shape: _Shape
    notes: tuple[str, ...] = ()
    undecided: TwoReadings | None = None
    certain: bool = True


def find_format(
    connection: duckdb.DuckDBPyConnection,
    text: str,
    relation: str,
    reading: Reading,
    possible: PossibleDays = ANY_DAYS,
) -> DateFormat:
    """The format in which most of the dates are written, decided from all of them at once.

    Leaves the table ``dates`` with every distinct value of an SQL expression over a relation, and its parts. Of two
    orders of day and month, the one that alone can read values decides: the other would need a month above 12. Where
    both can read some that the other cannot, nearly all of these must agree, unless no other value depends on it.
    """
    _take_apart(connection, text, relation)
    asked = []
    for family in _FAMILIES:
        one = _name(family.day_first)
        two = _name(family.month_first) if family.month_first else "null"
        either, both = f"({one} is not null or {two} is not null)", f"({one} <> {two})"
        alone = (f"({one} is not null and {two} is null)", f"({one} is null and {two} is not null)")
        asked += [f"coalesce(sum(n) filter (where {part}), 0)" for part in (either, *alone, both)]
    readings = _readings(_SHAPES, possible)
    counts = connection.execute(f"select {', '.join(asked)} from {readings}").fetchall()[0]  # noqa: S608 - our own SQL
    found = {family: tuple(map(int, counts[4 * at : 4 * at + 4])) for at, family in enumerate(_FAMILIES)}
    family = max(_FAMILIES, key=lambda each: found[each][0])
    order = reading.date_order
    if family is _TWO_DIGITS and order == "year-first":
        family = _YEAR_FIRST
    if family.month_first is None:
        note = message("Dates were read as {words}.", words=family.day_first.words)
        plain = family.day_first.formats and family is not _YEAR_FIRST
        return DateFormat(family.day_first, () if plain else (note,))
    _, day, month, differ = found[family]
    if order in ("day-first", "month-first"):
        shape = family.day_first if order == "day-first" else family.month_first
        return DateFormat(shape, (message("Dates were read as {words}, as date_order says.", words=shape.words),))
    shape = family.day_first if day >= month else family.month_first
    few, many = sorted((day, month))
    if differ and (many == 0 or few * _DECISIVE > many):
        return DateFormat(shape, undecided=_both(connection, family.day_first, family.month_first, possible))
    if (
        family is _TWO_DIGITS
        and found[_YEAR_FIRST][0] == found[family][0]
        and (year := _year_first(connection, shape, possible))
    ):
        return DateFormat(shape, undecided=year)
    return DateFormat(shape, (message("Dates were read as {words}.", words=shape.words),), certain=many > 0)


def _year_first(connection: duckdb.DuckDBPyConnection, shape: _Shape, possible: PossibleDays) -> TwoReadings | None:
    """What is to be asked where all dates can begin with a year of two digits and are then far closer to one another.

    24-01-05 to 24-03-30 are three months of 2024, or the 24th of January 2005 to the 24th of March 2030.
    """
    year, one, two = _YEAR_FIRST.day_first, _name(shape), _name(_YEAR_FIRST.day_first)
    span, closer, written, day, first = connection.execute(
        f"select date_diff('day', min({one}), max({one})), date_diff('day', min({two}), max({two})), "  # noqa: S608
        f"min(written), arg_min({one}, written), arg_min({two}, written) from {_readings([shape, year], possible)} "
        f"where {one} <> {two}"
    ).fetchall()[0]
    if span is None or closer * _CLOSER >= span:
        return None
    return TwoReadings(written, day, first, shape.words, year.words, (_answer(shape), "year-first"))


def _answer(shape: _Shape) -> str:
    return "day-first" if shape.formats[0].startswith("%d") else "month-first"


@dataclass(frozen=True)
class Dates:
    """How a column of dates is read, and what decided.

    ``plain``: SQL that reads a text called ``written`` as the table ``dates`` does, where it is written plainly, and
    else gives null; empty where every value is to be looked up in the table. ``possible``: the days that count.
    ``zone``: by which clock moments with an offset count.
    """

    notes: tuple[str, ...]
    possible: PossibleDays
    zone: ZoneFound
    plain: str = ""
    certain: bool = True


def parse_dates(
    connection: duckdb.DuckDBPyConnection,
    text: str,
    relation: str,
    reading: Reading,
    source: str,
    column: str,
    today: date | None = None,
) -> Dates:
    """Fill the table ``dates`` (as written, parsed) with every distinct value of an expression over a relation.

    A value that the chosen format cannot read, or that cannot be the day of a sale, is left null there; a moment with
    an offset, or counted in seconds, is that of a clock in ``reading.time_zone``, or else of the one that the offsets
    speak for.

    Raises:
        InputError: day/month and month/day are both possible; both readings are named. An unknown time zone, or an
            abbreviation that means several.
    """
    said = time_zone(reading)
    possible = PossibleDays(today, ())
    found = find_format(connection, text, relation, reading, possible)
    if found.undecided is not None:
        raise InputError(both_ways(found.undecided, source, column))
    words = [row[0] for row in connection.execute("select distinct word from dates where word <> ''").fetchall()]
    for word, minutes in meant(words, said, source, column).items():
        connection.execute(f"update dates set away = {minutes} where word = '{word}'")  # noqa: S608 - our own list
    away = "0" if found.shape.utc else "away"
    read, every_reading = _name(found.shape), _readings([found.shape], possible)
    offsets, moved, every, clocks = connection.execute(
        f"select list(distinct {away}), count({away}), count(*), count(*) filter (where clock <> '00:00'"  # noqa: S608
        f" and not regexp_full_match(clock, '00:00(:00(\\.0+)?)?')) from {every_reading} "
        f"where {read} is not null"
    ).fetchall()[0]
    zone = zone_of([each for each in offsets or () if each is not None], said)
    if zone.question and not clocks and not found.shape.utc:  # days, written as midnights
        zone = ZoneFound(zone.zone)
    notes = found.notes
    if moved and (said or zone.question):
        brought = zone.question or message("Moments were brought into the time zone {zone}.", zone=zone.zone)
        if moved != every:
            brought = joined((brought, message("Times without an offset were taken as they are.")))
        notes += (brought,)
    local = "moment" if not zone.zone else _local("moment - to_minutes(away)", zone.zone)
    connection.execute(
        f"create or replace table dates as select written, case when away is null then moment else {local} end "  # noqa: S608
        f"as moment from (select written, {away} as away, {read} as moment from {every_reading})"
    )
    days = connection.execute("select distinct cast(moment as date) from dates where moment is not null").fetchall()
    possible = PossibleDays(today).beside([day for (day,) in days])
    if _two_digits(found.shape):
        possible = possible.without_lone_century([day for (day,) in days])
    connection.execute(
        f"create or replace table dates as select written, {possible.moment('moment')} as parsed from dates"  # noqa: S608
    )
    notes += _centuries(connection, found.shape, possible)
    return Dates(notes, possible, zone, _plain(connection, found.shape, zone.zone, possible), found.certain)


def _centuries(connection: duckdb.DuckDBPyConnection, shape: _Shape, possible: PossibleDays) -> tuple[Message, ...]:
    """A note where years of two digits were not read as usual, because they are still to come."""
    if possible.today is None or not _two_digits(shape):
        return ()
    turn = possible.today.year % 100 + 1
    found = connection.execute(
        "select min(written), min(parsed) from dates where year(parsed) < 1969"  # what two digits never mean elsewhere
    ).fetchall()[0]
    if found[0] is None:
        return ()
    return (
        message(
            "Years of two digits from {turn:02d} on were read as those of the last century: {written!r} is "
            "{day:%d %B %Y}.",
            turn=turn,
            written=found[0],
            day=found[1].date(),
        ),
    )


def any_date(
    connection: duckdb.DuckDBPyConnection, text: str, relation: str, possible: PossibleDays = ANY_DAYS
) -> bool:
    """Whether any of the texts is a date of a sale, in whatever format. Replaces the table ``dates``."""
    _take_apart(connection, text, relation)
    read = " or ".join(f"{_name(shape)} is not null" for shape in _SHAPES)
    found = connection.execute(f"select count(*) from {_readings(_SHAPES, possible)} where {read}")  # noqa: S608
    return bool(found.fetchall()[0][0])


def near_placeholder(
    connection: duckdb.DuckDBPyConnection, text: str, moments: str, relation: str, possible: PossibleDays
) -> bool:
    """Whether a date was taken for a placeholder although sales were about that time. Replaces the table ``dates``.

    ``text``: SQL of what was not read; ``moments``: SQL of what was.
    """
    found = {day for day, _, _ in _odd_days(connection, text, relation)} & {*possible.placeholders}
    if not found:
        return False
    rows = connection.execute(f"select distinct cast({moments} as date) from {relation}").fetchall()  # noqa: S608
    days = [day for (day,) in rows if day is not None]
    return bool(days) and not found <= {*possible.beside(days).placeholders}


def why_no_sale(
    connection: duckdb.DuckDBPyConnection, text: str, relation: str, possible: PossibleDays
) -> tuple[Message, ...]:
    """Why texts that are dates are not those of sales. Replaces the table ``dates``."""
    return reasons_why_not(_odd_days(connection, text, relation), possible)


def _odd_days(connection: duckdb.DuckDBPyConnection, text: str, relation: str) -> list[tuple[date, str, int]]:
    """Days that can be read of texts which were not, whatever the year: day, as it is written, number of lines."""
    _take_apart(connection, text, relation)
    read = ", ".join(map(_name, _SHAPES))
    return connection.execute(
        f"select * from (select cast(coalesce({read}) as date) as odd, written, n "  # noqa: S608 - our own SQL
        f"from {_readings(_SHAPES, None)}) where odd is not null order by 1, 2"
    ).fetchall()


def _two_digits(shape: _Shape) -> bool:
    return any("%y" in form for form in shape.formats)


def _local(moment: str, zone: str) -> str:
    """SQL: a moment of UTC as the clocks of a zone show it."""
    return moment if zone == "UTC" else f"timezone('{zone}', timezone('UTC', {moment}))"


def _plain(connection: duckdb.DuckDBPyConnection, shape: _Shape, zone: str, possible: PossibleDays) -> str:
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
        moment = possible.century(moment) if _two_digits(shape) else moment
        sql = possible.moment(_local(moment, zone) if is_utc and zone else moment)
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
        "no value decides.",
        source=source,
        column=column,
        day_first_words=found.day_first_words,
        month_first_words=found.month_first_words,
        written=found.written,
        day_first=found.day_first.date(),
        month_first=found.month_first.date(),
    )
    way = message(
        "Say which with --date-order {one} or --date-order {two} (date_order in [reading]).",
        one=found.answers[0],
        two=found.answers[1],
    )
    return Message("{question} {way}", {"question": question, "way": way})


def _take_apart(connection: duckdb.DuckDBPyConnection, text: str, relation: str) -> None:
    """The table ``dates``: written, n lines, the text tidied, the day with dashes, the clock with a plain AM or PM.

    And minutes from UTC, or the word for a time zone that means several.
    """
    known = ", ".join(f"'{name}': {minutes}" for name, minutes in OFFSETS.items())
    hours = r"'[-+]([0-9]{1,2}?)(?::?([0-9]{2}))?$'"
    connection.execute(
        f"create or replace temp table counted as select {text} as written, count(*) as n from {relation} "  # noqa: S608
        f"where {text} is not null group by 1"
    )
    words = connection.execute(f"select exists (from counted where {is_in_words('written')})").fetchall()[0][0]
    plain = f"rtrim(regexp_replace({tidied('written') if words else 'written'}, $dotted, '\\1 \\2:\\3:\\4'), ':')"
    connection.execute(
        rf"""create or replace table dates as
        with tidy as (select written, n, {plain} as plain from counted),
        spaced as (select *, regexp_replace(plain, $compact, '\1 \2:\3:\4\5') as bare from tidy),
        apart as (
            select *, regexp_extract(bare, $time, 1) as clock, upper(regexp_extract(bare, $time, 2)) as zone,
                trim(regexp_replace(bare, $time, '')) as day
            from spaced)
        select written, n, plain, trim(regexp_replace(day, '[-/. ,]+', '-', 'g'), '-') as day,
            case when clock = '' then '00:00' else
                regexp_replace(regexp_replace(replace(upper(replace(clock, ' ', '')), ',', '.'),
                    '([AP])\.?M\.?$', ' \1M'), '(\.[0-9]{{6}})[0-9]+', '\1') end as clock,
            case when zone = '' then null
                when not regexp_matches(zone, '[0-9]') then cast(map {{{known}}}[zone] as integer)
                else (case when contains(zone, '-') then -1 else 1 end)
                * (60 * cast(regexp_extract(zone, {hours}, 1) as integer)
                   + coalesce(try_cast(regexp_extract(zone, {hours}, 2) as integer), 0))
                end as away,
            case when regexp_matches(zone, '[0-9]') then '' else zone end as word
        from apart""",  # noqa: S608 - expressions are made of column positions
        {"time": _TIME, "compact": _COMPACT, "dotted": _DOTTED},
    )


def _name(shape: _Shape) -> str:
    """The column of :func:`_readings` with the moments of a shape."""
    return f"as_{_SHAPES.index(shape)}"


def _readings(shapes: Sequence[_Shape], possible: PossibleDays | None) -> str:
    """SQL: the table ``dates`` with a column for each shape: the moment, null where it is not written so.

    Or where it cannot be that of a sale, unless ``possible`` is None.
    """
    every = f"(select *, {', '.join(f'{_reading(shape)} as {_name(shape)}' for shape in shapes)} from dates)"  # noqa: S608
    if possible is None:
        return every
    known = [(_name(shape), possible.century(_name(shape)) if _two_digits(shape) else "") for shape in shapes]
    if turned := ", ".join(f"{sql} as {name}" for name, sql in known if sql):
        every = f"(select * replace ({turned}) from {every})"  # noqa: S608
    return f"(select * replace ({', '.join(f'{possible.moment(name)} as {name}' for name, _ in known)}) from {every})"  # noqa: S608


def _reading(shape: _Shape) -> str:
    """SQL: the timestamp of a row of ``dates``, null where it is not written so."""
    if shape.moment:
        return f"case when regexp_full_match(plain, '{shape.pattern}') then {shape.moment} end"
    formats = ", ".join(f"'{day} {clock}'" for day in shape.formats for clock in _TIME_FORMATS)
    return (
        f"case when regexp_full_match(day, '{shape.pattern}') then try_strptime(day || ' ' || clock, [{formats}]) end"
    )


def _both(connection: duckdb.DuckDBPyConnection, one: _Shape, two: _Shape, possible: PossibleDays) -> TwoReadings:
    readings = _readings([one, two], possible)
    written, day, month = connection.execute(
        f"select written, {_name(one)} as one, {_name(two)} as two from {readings} "  # noqa: S608 - our own SQL
        "where one <> two order by written limit 1"
    ).fetchall()[0]
    return TwoReadings(written, day, month, one.words, two.words)
