"""Preview of a source before it is read: columns, first lines, guessed fields, and open questions."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from engines.columns import (
    AMOUNT,
    AMOUNT_UNITS,
    COUNTRY,
    CURRENCY,
    CUSTOMER_ID,
    DESCRIPTION,
    LINE_TYPE,
    ORDER_DATE,
    ORDER_ID,
    ORDER_TOTAL,
    PRODUCT_ID,
    QUANTITY,
    STATUS,
    UNIT_PRICE,
)
from engines.errors import InputError
from engines.intake.schema.cells import Cell, cells_of, money_of, not_blank, numbers_of
from engines.intake.schema.contents import look_at
from engines.intake.schema.currencies import currencies_beside, dataset_currency, signs_in
from engines.intake.schema.dates import TwoReadings, both_ways, find_format
from engines.intake.schema.likeness import sales_judge
from engines.intake.schema.mapping import (
    Guess,
    Mapped,
    column_labels,
    doubts,
    guess_columns,
    map_columns,
    may_hold_money,
    missing_field,
    needed_but_missing,
    question_of,
)
from engines.intake.schema.meanings import (
    is_one_of,
    is_total,
    meanings_of,
    no_sale_sql,
    texts_of,
    totals_among,
)
from engines.intake.schema.numbers import find_decimal_sign
from engines.intake.schema.parsing import (
    ALL,
    BLANK,
    LINE,
    ODD_MONEY,
    UNREADABLE,
    Parsing,
    decide,
    lines_of,
    unreadable_notes,
)
from engines.intake.schema.possible_days import PossibleDays, far_after
from engines.intake.schema.read_lines import lines_as_read
from engines.intake.schema.shapes import refuse_other_tables
from engines.intake.schema.time_zones import ZONES, time_zone
from engines.intake.sources.files import Source, open_source
from engines.intake.sources.folders import Many
from engines.intake.sources.head import start_of
from engines.intake.sources.locations import kind_of
from engines.intake.sources.samples import EMBEDDED, open_embedded
from engines.intake.sources.source import OptionError, mending, named
from engines.messages import Message, message
from engines.settings import COMMON, Reading, currency_code

_LOOKED_AT = 1000  # lines that columns are guessed from
_TRIED = 10_000  # lines that are read for a trial
_TRIES = 5  # settings that may be wrong at once
#: What may be said for a setting where the source itself gives no list.
_ANSWERS = {
    "encoding": ("utf-8", "cp1252", "iso-8859-1", "mac_roman", "utf-16"),
    "separator": (",", ";", "\t", "|", " "),
    "quote": ('"', "'"),
}

#: What follows where a field that is not needed is missing.
_WITHOUT = {
    ORDER_ID: message("An order is all that a customer buys on one day."),
    QUANTITY: message("Items per order are not known."),
    PRODUCT_ID: message("Unique products are not known."),
    DESCRIPTION: message("Shares of categories are not known."),
    COUNTRY: message("Nothing is said about countries."),
}


@dataclass(frozen=True)
class SheetFacts:
    """A sheet of a workbook, with its columns."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class SourceFacts:
    """What the source is; empty where it does not apply.

    ``kind``: text, JSON, web page, workbook, OpenDocument, old workbook, Parquet, folder, pattern, database, built in.
    ``header_row``: the line or row with the names of the columns, from 1, 0 for none; ``skip``: how many lines are
    passed over where none has names. ``quote``, ``escape``: of a text; equal where a quotation mark is doubled.
    ``sheets``: those that are read; ``all_sheets``: those with something on them.
    """

    name: str
    kind: str
    encoding: str = ""
    separator: str = ""
    sheets: tuple[str, ...] = ()
    header_row: int = 0
    skip: int = 0
    quote: str = ""
    escape: str = ""
    all_sheets: tuple[SheetFacts, ...] = ()


@dataclass(frozen=True)
class ColumnLook:
    """A column with up to three different example values; ``kind``: date, number, text or empty."""

    name: str
    kind: str
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Option:
    """One answer to a question: the value to give for ``Choice.setting``, in words, with an example from the source."""

    value: str
    words: str
    example: str


@dataclass(frozen=True)
class Choice:
    """What the user has to say, because the source does not.

    ``kind``: ``date_order``, ``decimal``, ``time_zone``, ``as_of`` (a last sale far from all others), ``currency``
    (nothing says it, or a sign that several have), ``currencies`` (several, or a heading that names another one than
    the cells), ``mapping`` (a mapped column that is not there, or two fields that exclude each other), ``field`` (one
    that is needed and not found), ``guess`` (a column that is only guessed for one), ``table`` (this is no table of
    sales) or ``unreadable`` (too many cells that are not what they are mapped to); ``encoding``, ``separator``,
    ``quote``, ``header_row``, ``columns`` or ``sheets``: the source cannot be read so, and is shown as it looks without
    this setting, or with a guess. ``field``, ``column``: what it is about, empty where there is none. ``setting``: the
    parameter that answers it: ``as_of``, ``currency``, ``cleaning.rates``, ``mapping``, or ``reading.`` and a setting
    of reading.
    ``question``: one sentence or two. ``options``: the answers; empty where any column may be named.
    ``needed``: False where a default is taken without an answer, or where lines not yet looked at may decide.
    """

    kind: str
    field: str
    column: str
    setting: str
    question: str
    options: tuple[Option, ...] = ()
    needed: bool = True


@dataclass(frozen=True)
class Missing:
    """A field that no column holds, whether it is needed, and what follows without it."""

    field: str
    needed: bool
    effect: str


@dataclass(frozen=True)
class Preview:
    """A source as it looks from its first lines.

    ``lines``: cells as text in the order of ``columns``, None where blank. ``read_lines``: the same lines as they are
    read, see :func:`~engines.intake.schema.read_lines.lines_as_read`; none where a question must be answered first.
    ``lines_seen``: how many lines were looked at; ``whole``: whether these are all. ``notes``: what a reading of these
    lines would say. ``usable``: nothing that is needed is missing or must be chosen.
    """

    source: SourceFacts
    columns: tuple[ColumnLook, ...]
    guesses: tuple[Guess, ...]
    lines: tuple[tuple[str | None, ...], ...]
    lines_seen: int
    whole: bool
    problems: tuple[Choice, ...]
    missing: tuple[Missing, ...]
    notes: tuple[str, ...]
    read_lines: tuple[Mapping[str, str], ...] = ()

    @property
    def usable(self) -> bool:
        """Whether the source can be read as things stand."""
        return not any(problem.needed for problem in self.problems) and not any(item.needed for item in self.missing)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: the fields by name, and ``usable``."""
        return {**asdict(self), "usable": self.usable}


def preview(
    source: str,
    *,
    mapping: Mapping[str, str] = {},
    reading: Reading = Reading(),  # noqa: B008 - frozen
    currency: str = "",
    lines: int = 20,
    today: date | None = None,
) -> Preview:
    """Look at the first lines of a source; nothing is kept.

    Args:
        source: as for :func:`~engines.intake.read_sales`.
        mapping: column by field, as far as it is known; the rest is guessed. A wrong one is among the problems.
        reading: what is known about the source.
        currency: ISO 4217 code of the money where the source does not tell it; empty: it is not known.
        lines: how many of the first lines to give.
        today: the day of reading, as for a reading.

    Raises:
        InputError: the source cannot be opened: nothing that a choice would mend.
    """
    with duckdb.connect() as connection, tempfile.TemporaryDirectory(prefix="segmentry-preview-") as folder:
        connection.execute("set autoinstall_known_extensions = false; set TimeZone = 'UTC'")
        embedded = EMBEDDED.get(source)
        problems: tuple[Choice, ...] = ()
        if embedded:
            opened, cut, usual = open_embedded(embedded), False, embedded.mapping
        else:
            start = start_of(source, Path(folder), reading)
            opened, reading, problems = _opened(str(start or source), connection, Path(folder), reading, mapping)
            cut, usual = start is not None, {}
        if isinstance(opened, Many):  # files of one shape: the first speaks for all
            opened, cut = opened.parts[0], True
        currency = embedded.currency if embedded else currency_code(currency)
        kind = "built in" if embedded else _kind(source, opened)

        def look(source: Source) -> Preview:
            first = _first_lines(source)
            first.load(connection, range(len(source.columns)))
            return _Look(connection, first, reading, {**usual, **mapping}, cut, today, currency, problems).preview(
                kind, lines
            )

        return mending(opened, look)


def _opened(
    source: str, connection: duckdb.DuckDBPyConnection, folder: Path, reading: Reading, mapping: Mapping[str, str]
) -> tuple[Source, Reading, tuple[Choice, ...]]:
    """The source; where a setting of reading is wrong or missing, as it looks with another, which is a problem then."""
    problems: list[Choice] = []
    first: OptionError | None = None  # what is wrong with the reading that was asked for
    while True:
        place = folder / f"opened-{len(problems)}"
        place.mkdir()
        try:
            return open_source(source, connection, place, reading, sales_judge(mapping)), reading, tuple(problems)
        except OptionError as error:
            first = first or error
            other = _instead(reading, error)
            if other == reading or len(problems) == _TRIES:
                raise first from None
            answers = error.answers or _ANSWERS.get(error.setting, ())
            options = tuple(Option(answer, answer, "") for answer in answers)
            setting = f"reading.{error.setting}"
            problems.append(Choice(error.setting, "", "", setting, error.message, options))
            reading = other


def _instead(reading: Reading, error: OptionError) -> Reading:
    """Another way of reading, for a look at a source that cannot be read this way."""
    if error.setting == "encoding":
        return replace(reading, encoding="" if reading.encoding else "iso-8859-1")
    if error.setting == "columns":
        return replace(reading, columns=() if reading.columns else named([""] * error.width))
    if error.setting == "header_row":
        return replace(reading, header_row=0, skip=0)
    if error.setting == "quote":
        return replace(reading, quote="", escape="")
    return replace(reading, **{error.setting: getattr(Reading(), error.setting)})


def _first_lines(opened: Source) -> Source:
    if opened.arrow is not None:
        return replace(opened, arrow=opened.arrow.slice(0, _TRIED))
    return replace(opened, relation=f"(select * from {opened.relation} limit {_TRIED})")  # noqa: S608


class _Look:
    """One look at the table ``raw``, which holds the first lines of a source with all their columns."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        source: Source,
        reading: Reading,
        mapping: Mapping[str, str],
        cut: bool,
        today: date | None,
        currency: str,
        problems: tuple[Choice, ...] = (),
    ) -> None:
        self._connection, self._source, self._today, self._currency = connection, source, today, currency
        self._seen = int(connection.execute("select count(*) from raw").fetchall()[0][0])
        self._whole = not cut and self._seen < _TRIED
        self._problems: list[Choice] = list(problems)
        self._parsing: Parsing | None = None  # once the lines are read
        self._outcomes = ("false", "false")  # SQL: whether a line is of no sale, and whether it went back
        cells = ", ".join(f"nullif(trim(cast(c{place} as varchar)), '')" for place in range(len(source.columns)))
        self._rows = connection.execute(
            f"select {cells} from raw where not blank order by rowid limit {_LOOKED_AT}"  # noqa: S608
        ).fetchall()
        self._looks = [look_at([row[place] for row in self._rows]) for place in range(len(source.columns))]
        self._reading, self._mapping = self._known(reading), mapping
        mapped = self._mapped(mapping)
        self._guesses, self._mapping_notes = mapped.guesses, mapped.notes
        self._fields = {guess.field: guess.position for guess in self._guesses}

    def preview(self, kind: str, lines: int) -> Preview:
        """What was found."""
        source, money = self._source, may_hold_money(self._mapping, self._looks, self._guesses)
        needed = needed_but_missing(self._fields, money=money)
        self._ask_guesses()
        self._problems += [
            Choice("field", field, "", "mapping", missing_field(field, source.columns, source.name)) for field in needed
        ]
        if needed and source.elsewhere:
            sheets = tuple(Option(sheet, ", ".join(columns) or sheet, "") for sheet, columns in source.all_sheets)
            self._problems.append(Choice("sheets", "", "", "reading.sheets", source.elsewhere, sheets, needed=False))
        notes = (*source.notes, *self._mapping_notes, *doubts(self._guesses), *(() if needed else self._tried()))
        if not self._whole:
            notes = (message("Only the first {seen:,} lines were looked at.", seen=self._seen), *notes)
        gone = [Missing(field, True, message("Without it nothing can be read.")) for field in needed]
        gone += [Missing(field, False, effect) for field, effect in _WITHOUT.items() if field not in self._fields]
        columns = zip(column_labels(source.columns), self._looks, strict=True)
        return Preview(
            source=SourceFacts(
                name=source.name,
                kind=kind,
                encoding=source.encoding,
                separator=source.separator,
                sheets=source.sheets,
                header_row=source.header_row,
                skip=source.skip,
                quote=source.quote,
                escape=source.escape,
                all_sheets=tuple(SheetFacts(name, columns) for name, columns in source.all_sheets),
            ),
            columns=tuple(ColumnLook(name, look.kind, look.examples) for name, look in columns),
            guesses=self._guesses,
            lines=tuple(tuple(row) for row in self._rows[:lines]),
            lines_seen=self._seen,
            whole=self._whole,
            problems=tuple(self._problems),
            missing=tuple(item for at, item in enumerate(gone) if item.field not in [g.field for g in gone[:at]]),
            notes=notes,
            read_lines=lines_as_read(self._connection, self._parsing, *self._outcomes, lines) if self._parsing else (),
        )

    def _known(self, reading: Reading) -> Reading:
        try:
            time_zone(reading)
        except InputError as error:
            self._problems.append(Choice("time_zone", ORDER_DATE, "", "reading.time_zone", error.message))
            return replace(reading, time_zone="")
        return reading

    def _mapped(self, mapping: Mapping[str, str]) -> Mapped:
        """The guesses beside what is mapped; a field that is mapped to what is not there is told, and then guessed."""
        usable: dict[str, str] = {}
        for field, name in mapping.items():
            try:
                guess_columns(self._source.columns, {**usable, field: name}, self._source.name)
            except InputError as error:
                self._problems.append(Choice("mapping", field, name, "mapping", error.message))
            else:
                usable[field] = name
        mapped = map_columns(self._source.columns, usable, self._source.name, self._looks)
        fields = {guess.field: guess.position for guess in mapped.guesses}
        try:
            refuse_other_tables(self._source.columns, usable, self._source.name, self._looks, fields)
        except InputError as error:
            self._problems.append(Choice("table", "", "", "mapping", error.message))
        return mapped

    def _ask_guesses(self) -> None:
        """A question for each guess that would be refused without an answer; any column may be the answer."""
        labels = column_labels(self._source.columns)
        for guess in () if self._reading.trust_guesses else self._guesses:
            if guess.is_question:
                others = [place for place in range(len(labels)) if place != guess.position]
                options = tuple(
                    Option(labels[place], labels[place], ", ".join(self._looks[place].examples))
                    for place in (guess.position, *others)
                )
                question = question_of([guess], self._source.name)
                self._problems.append(Choice("guess", guess.field, guess.column, "mapping", question, options))

    def _tried(self) -> tuple[str, ...]:
        """The notes of a reading of these lines; what would stop it is among the problems instead."""
        try:
            cells = cells_of(self._connection, self._source, self._fields)
        except InputError as error:
            self._problems.append(Choice("mapping", "", "", "mapping", error.message))
            return ()
        if not self._rows:
            return ()
        asked = self._ask_decimal(cells)
        about_currency = self._ask_currency(cells)
        if self._ask_date_order(cells[ORDER_DATE]) or asked:
            return ()
        try:
            parsing = decide(self._connection, self._source, self._fields, self._reading, on_all=ALL, today=self._today)
            self._connection.execute(f"create table lines as {lines_of(parsing)}")
            meanings = {
                field: meanings_of(self._connection, field, "lines")
                for field in (STATUS, LINE_TYPE)
                if field in parsing.cells
            }
            no_sale = no_sale_sql(self._connection, parsing, meanings, "lines")
            gone = f"{no_sale} or {is_total(totals_among(self._connection, 'lines'))}"
            self._connection.execute(f"update lines set {UNREADABLE} = null where {gone}")  # noqa: S608 - our names
            returned = [is_one_of(field, texts_of(each, "returned")) for field, each in meanings.items()]
            self._parsing, self._outcomes = parsing, (gone, " or ".join(returned) or "false")
            self._ask_time_zone(parsing)
            notes = unreadable_notes(self._connection, self._source, parsing, self._reading, "lines")
            notes = (*notes, *self._ask_last_day(parsing))
        except OptionError as error:
            setting = f"reading.{error.setting}"
            options = tuple(Option(answer, answer, "") for answer in _ANSWERS.get(error.setting, ()))
            self._problems.append(Choice(error.setting, "", "", setting, error.message, options, needed=self._whole))
            return ()
        except InputError as error:
            self._problems.append(Choice("unreadable", "", "", "mapping", error.message, needed=self._whole))
            return ()
        return notes + about_currency

    def _ask_currency(self, cells: Mapping[str, Cell]) -> tuple[str, ...]:
        """What is known of the currency; what is not is among the problems."""
        if CURRENCY in cells:
            column = cells[CURRENCY].text
            if self._connection.execute(f"select count({column}) from raw").fetchall()[0][0]:  # noqa: S608
                return ()
        money = next((cells[field] for field in (AMOUNT, ORDER_TOTAL, UNIT_PRICE) if field in cells), None)
        if money is None:
            return ()
        texts = f"select rowid as {LINE}, {BLANK}, {money.text} as {ODD_MONEY}, null as {UNREADABLE} from raw"  # noqa: S608
        heading = money.column
        try:
            signs = signs_in(self._connection, f"({texts})")
            beside = currencies_beside(self._source.columns, self._looks, self._fields.values())
            found = dataset_currency(self._source, heading, signs, self._currency, beside=beside)
        except InputError as error:  # with rates they can be read
            self._problems.append(
                Choice("currencies", CURRENCY, heading, "cleaning.rates", error.message, needed=False)
            )
            return ()
        if found.code and not found.choices:
            return found.notes
        question = (
            found.notes[0]
            if found.notes
            else message(
                "{question} Say it with --currency, such as --currency EUR.",
                question=message("Nothing says which currency the money is in."),
            )
        )
        options = tuple(Option(code, code, heading) for code in found.choices or COMMON)
        self._problems.append(Choice("currency", CURRENCY, heading, "currency", question, options, needed=False))
        return ()

    def _ask_date_order(self, column: Cell) -> bool:
        if column.is_moment:
            return False
        found = find_format(
            self._connection,
            column.text,
            not_blank("raw"),
            self._reading,
            PossibleDays(self._today, ()),
        ).undecided
        if found is not None:
            question = both_ways(found, self._source.name, column.column)
            options = _orders(found)
            self._problems.append(
                Choice(
                    *("date_order", ORDER_DATE, column.column, "reading.date_order", question, options),
                    needed=self._whole,
                )
            )
        return found is not None

    def _ask_time_zone(self, parsing: Parsing) -> None:
        if parsing.zone.question:
            column = parsing.cells[ORDER_DATE].column
            options = tuple(Option(zone, zone, "") for zone in ZONES)
            self._problems.append(
                Choice(
                    *("time_zone", ORDER_DATE, column, "reading.time_zone", parsing.zone.question, options),
                    needed=False,
                )
            )

    def _ask_last_day(self, parsing: Parsing) -> tuple[Message, ...]:
        """Ask about a last sale far from all others, which a reading refuses where it is to decide the as-of date."""
        sold = f"{CUSTOMER_ID} is not null and {AMOUNT_UNITS} > 0 and {UNREADABLE} is null"
        days = self._connection.execute(
            f"select cast({ORDER_DATE} as date), count(*) from lines where {sold} group by 1 order by 1"  # noqa: S608
        ).fetchall()
        after = far_after(days)
        if after is None or not self._whole or self._reading.trust_guesses:
            return ()
        last = days[-1][0]
        question = message(
            "The last sale is on {last}, {away:,} days after all but {lines:,} of the lines, which end on {edge}. "
            "How long customers have been silent is counted from there. Say which day it is to be: as_of.",
            last=last,
            away=(after.day - after.edge).days,
            lines=after.lines,
            edge=after.edge,
        )
        left_out, right = (str(day + timedelta(days=1)) for day in (after.edge, last))
        options = (
            Option(left_out, message("the day after the others"), ""),
            Option(right, message("the day after the last sale"), ""),
        )
        column = parsing.cells[ORDER_DATE].column
        self._problems.append(Choice("as_of", ORDER_DATE, column, "as_of", question, options, needed=False))
        return (question,)

    def _ask_decimal(self, cells: Mapping[str, Cell]) -> bool:
        """Ask for the decimal sign where nothing decides it; whether nothing can be read without an answer."""
        found = find_decimal_sign(self._connection, numbers_of(cells), not_blank("raw"), self._reading, money_of(cells))
        if found.example:
            bare = found.example.replace(",", ".")
            options = (
                Option(
                    ".",
                    message("decimal point"),
                    f"{found.example} = {bare if '.' in found.example else _joined(bare)}",
                ),
                Option(
                    ",",
                    message("decimal comma"),
                    f"{found.example} = {bare if ',' in found.example else _joined(bare)}",
                ),
            )
            question = found.notes[0]
            self._problems.append(Choice("decimal", "", "", "reading.decimal", question, options, needed=found.asked))
        return found.asked


def _orders(found: TwoReadings) -> tuple[Option, ...]:
    return (
        Option(
            found.answers[0],
            found.day_first_words,
            message("{written} is {day_first:%d %B %Y}", written=found.written, day_first=found.day_first.date()),
        ),
        Option(
            found.answers[1],
            found.month_first_words,
            message("{written} is {month_first:%d %B %Y}", written=found.written, month_first=found.month_first.date()),
        ),
    )


def _joined(number: str) -> str:
    return number.replace(".", "")


def _kind(source: str, opened: Source) -> str:
    kind = kind_of(source)
    return kind if kind in ("database", "folder", "pattern") else opened.kind or "text"
