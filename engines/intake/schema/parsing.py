"""Parsing of cells: ids as text, dates as dates, money as whole numbers; lines with unreadable cells are marked.

What the cells of a source mean (the format of its dates, the decimal sign, what stands once per order) is decided on
its first lines where more lines cannot change it, and on all of them where they could. Then one pass reads every line
by these decisions, and what it could not read plainly is looked at once more: where it speaks against a decision, that
decision is made on all lines, and the pass is made again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import duckdb

from engines.columns import (
    AMOUNT,
    AMOUNT_UNITS,
    CANCELLED_AT,
    COST,
    COST_UNITS,
    COUNTRY,
    CURRENCY,
    CUSTOMER_ID,
    CUSTOMER_NAME,
    DESCRIPTION,
    DISCOUNT,
    IS_TEST,
    LINE_TYPE,
    MONEY_SCALE,
    ORDER_DATE,
    ORDER_ID,
    ORDER_TOTAL,
    PRODUCT_ID,
    QUANTITY,
    REFUNDED_AMOUNT,
    STATUS,
    UNIT_COST,
    UNIT_PRICE,
    attribute_column,
    is_attribute,
)
from engines.errors import InputError
from engines.intake.schema.cells import Cell, cells_of, id_of, money_of, not_blank, numbers_of
from engines.intake.schema.dates import any_date, near_placeholder, parse_dates, why_no_sale
from engines.intake.schema.mapping import OTHER_AMOUNT, OTHER_PRICE
from engines.intake.schema.numbers import (
    Sign,
    find_decimal_sign,
    pieces_note,
    speaks_against,
    three_digits,
    why_no_number,
)
from engines.intake.schema.orders import order_facts, shared, visits
from engines.intake.schema.possible_days import ANY_DAYS, PossibleDays
from engines.intake.schema.signs import code_of
from engines.intake.schema.time_zones import ZoneFound, counted_in_utc, time_zone
from engines.intake.sources.files import Source
from engines.intake.sources.source import BROKEN, OptionError
from engines.messages import joined, message, message_number
from engines.settings import Reading

PRICE_UNITS = "price_units"  # int64, 1/10,000 of the currency unit
LINE = "line"
LINE_HASH = "line_hash"
BLANK = "blank"
PART = "source_part"
UNREADABLE = "unreadable"  # the field with a cell that cannot be read, else null
#: Texts that were not read plainly, by what they should have been.
ODD_DATE, ODD_QUANTITY, ODD_MONEY = "odd_date", "odd_quantity", "odd_money"
#: What another column of money says of the line (int64 units), and whether that differs by more than was rounded.
OTHER_UNITS, DIFFERS = "other_units", "differs"
#: Money beside that of the line, where the source has a field for it: int64 units, and the text that was not read.
TAKEN_OFF = {REFUNDED_AMOUNT: "odd_refunded", DISCOUNT: "odd_discount"}
#: What the source has for a cost and is none: no number, or below zero where something was sold.
ODD_COST = "odd_cost"
#: Texts that say what became of a line, where the source has a field for it.
OUTCOME = (STATUS, CANCELLED_AT, IS_TEST, LINE_TYPE, CUSTOMER_NAME)
#: What the pass needs of lines beside what they say of sales.
ABOUT_LINES = (
    *(OTHER_UNITS, DIFFERS, ODD_COST),
    *(LINE, LINE_HASH, BLANK, PART, UNREADABLE, ODD_DATE, ODD_QUANTITY, ODD_MONEY),
    *(*TAKEN_OFF.values(), *TAKEN_OFF, *OUTCOME),
)

_IDS = (CUSTOMER_ID, ORDER_ID, PRODUCT_ID)
_WORDS = (DESCRIPTION, COUNTRY, CURRENCY)
#: What exports may say once per order, beside date, total and attributes.
_OF_ORDERS = (CUSTOMER_ID, COUNTRY, CURRENCY, STATUS, CUSTOMER_NAME)
#: The same, where most orders have none: believed only where another field is said once per order as well.
_OF_FEW_ORDERS = (CANCELLED_AT, IS_TEST)
_CENTS = MONEY_SCALE // 100 + 10  # one, and a little more
MONEY_LIMIT = 9e18  # what an int64 of units holds, with a margin
#: What is decided on lines.
ALL = frozenset({"sign", "date", "orders"})
#: A date of which one of the first two numbers can be no month.
_TURNED = (
    r"((1[3-9]|2[0-9]|3[01])[-/.](0?[1-9]|1[0-2])|(0?[1-9]|1[0-2])[-/.](1[3-9]|2[0-9]|3[01]))[-/.][0-9]{2,4}([ T,].*)?"
)
_SAMPLE = 20_480  # lines on which decisions are made where these suffice


@dataclass(frozen=True)
class Parsing:
    """How the lines of the relation ``raw`` are read.

    ``money``: the field of the cell that money is read from. ``zone``: by which clock days are counted. ``possible``:
    which days those of sales may be. ``date``: SQL that reads ``written`` as a moment, empty where the table ``dates``
    is joined. ``filled``: what is taken from the table ``orders``. ``total``: the money is that of an order, to be
    divided among its lines. ``numbers_again``: order numbers are used again, by other customers or on other days.
    ``sampled``: which of "sign" and "date" was decided on the first lines and is to be checked against the rest.
    """

    cells: Mapping[str, Cell]
    money: str
    sign: Sign
    zone: ZoneFound
    repeated_lines_drop: bool
    possible: PossibleDays = ANY_DAYS
    date: str = ""
    filled: tuple[str, ...] = ()
    total: bool = False
    numbers_again: bool = False
    sampled: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    @property
    def attributes(self) -> tuple[str, ...]:
        """The columns of attributes."""
        return tuple(attribute_column(field) for field in self.cells if is_attribute(field))

    @property
    def heading(self) -> str:
        """The name of the column that holds the money; empty where none does."""
        return self.cells[self.money].column if self.money in self.cells else ""

    @property
    def priced(self) -> bool:
        """Whether money is quantity times price."""
        return not {AMOUNT, ORDER_TOTAL} & {*self.cells}

    @property
    def outcome(self) -> tuple[str, ...]:
        """The fields that say what became of a line."""
        return tuple(field for field in OUTCOME if field in self.cells)

    @property
    def other_money(self) -> tuple[str, ...]:
        """The money that is not taken, by the name of mapping."""
        return tuple(field for field in (OTHER_PRICE, OTHER_AMOUNT) if field in self.cells)

    @property
    def cost(self) -> str:
        """The field that says what goods cost, of the line or of one item; empty where none does."""
        return next((field for field in (COST, UNIT_COST) if field in self.cells), "")

    @property
    def money_beside(self) -> tuple[str, ...]:
        """The columns of lines that hold money in whole units, beside their amount."""
        return (*self.taken_off, *((COST_UNITS,) if self.cost else ()))

    @property
    def taken_off(self) -> tuple[str, ...]:
        """The fields of money beside that of the line."""
        return tuple(field for field in TAKEN_OFF if field in self.cells)


def decide(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    chosen: Mapping[str, int],
    reading: Reading,
    *,
    repeated_lines_drop: bool = False,
    on_all: frozenset[str] = frozenset(),
    today: date | None = None,
    signs: Mapping[str, str] = {},
) -> Parsing:
    """How to read the lines of the relation ``raw``, which has the chosen columns.

    May leave the tables ``dates`` and ``orders``, which :func:`lines_of` uses.

    Args:
        connection: that has ``raw``.
        source: for messages.
        chosen: position of the column by field.
        reading: what the source does not say itself.
        repeated_lines_drop: whether further equal lines get no part of an order's total.
        on_all: of "sign", "date" and "orders", what must be decided on all lines.
        today: no sale is later; None: not known.
        signs: the code of the currency by what stands beside the digits of money, where that is the line's currency.

    Raises:
        InputError: no lines, or a choice that only the user can make, named by file, column and value.
    """
    cells = cells_of(connection, source, chosen)
    zone = time_zone(reading)
    connection.execute(f"create or replace temp table sample as select * from raw limit {_SAMPLE}")  # noqa: S608
    short = connection.execute("select count(*) from sample").fetchall()[0][0] < _SAMPLE  # then these are all lines
    sampled = set()

    def tries(what: str) -> tuple[str, ...]:
        """Where to look for an answer: in the first lines, and in all lines if those give none for certain."""
        return ("sample",) if short else ("raw",) if what in on_all else ("sample", "raw")

    for lines in tries("sign"):
        decimal = find_decimal_sign(connection, numbers_of(cells), not_blank(lines), reading, money_of(cells))
        if decimal.certain:
            sampled |= {"sign"} - on_all
            break
    if decimal.asked:
        raise InputError("{name}: {question}", name=source.name, question=three_digits(decimal.example))
    money = next((field for field in (AMOUNT, ORDER_TOTAL, UNIT_PRICE) if field in cells), UNIT_PRICE)
    if signs:
        cells = cells | {CURRENCY: replace(cells[money], sql=code_of(cells[money].text, signs), type="CODE")}
    parsing = Parsing(cells, money, decimal.sign, ZoneFound(zone or "UTC"), repeated_lines_drop)
    notes = decimal.notes
    if money not in cells:
        notes += (
            message(
                "No column holds money: customers are described by when and how often they bought, and all money is 0."
            ),
        )

    if ORDER_ID in cells:
        may_be = (ORDER_DATE, *(field for field in _OF_ORDERS if field in cells), *parsing.attributes)
        rare = tuple(field for field in _OF_FEW_ORDERS if field in cells)
        columns = {attribute_column(field) if is_attribute(field) else field: cells[field].column for field in cells}
        for lines in tries("orders"):
            facts = order_facts(connection, f"({_cells(parsing, lines)})", may_be, money, columns, rare)
            if facts.certain:
                break
        parsing = replace(parsing, filled=facts.filled, total=facts.total, numbers_again=facts.numbers_again)
        notes += facts.notes
    elif money == ORDER_TOTAL:
        notes += (
            message("Without order_id every line was taken for an order of its own, and its total for its amount."),
        )

    when = cells[ORDER_DATE]
    if not when.is_moment:
        for lines in tries("date"):
            try:
                dates = parse_dates(connection, when.text, not_blank(lines), reading, source.name, when.column, today)
            except InputError:  # nothing decides so far
                if lines == tries("date")[-1]:
                    raise
                continue
            if dates.plain and dates.certain:
                sampled |= {"date"} if lines == "sample" else set()
                break
        parsing, notes = replace(parsing, date=dates.plain, zone=dates.zone), notes + dates.notes
        possible = dates.possible
    else:
        lines = tries("date")[0]
        sampled |= {"date"} if lines == "sample" else set()
        days = connection.execute(f"select distinct cast({when.sql} as date) from {lines} as raw").fetchall()  # noqa: S608
        possible = PossibleDays(today).beside(day for (day,) in days if isinstance(day, date))
        if when.has_zone and not zone:
            parsing = replace(parsing, zone=ZoneFound("UTC", counted_in_utc()))
            notes += (parsing.zone.question,)
    parsing = replace(parsing, possible=possible)
    return replace(parsing, sampled=frozenset() if short else frozenset(sampled), notes=notes)


# --- the pass ---------------------------------------------------------------------------------------------------------


def lines_of(parsing: Parsing) -> str:
    """SQL: one row per line of the relation ``raw``, blank ones too, with typed columns.

    Columns: customer_id, order_id, order_date, quantity, price_units, amount_units, product_id, description, country,
    currency, and one for each attribute; null where the source has no such field; ABOUT_LINES. Money is exact: quantity
    times price as decimals, rounded to 1/10,000 of the currency unit, null where that is too large to count.
    ``unreadable`` is the field that cannot be read on a line, whose money then counts as 0. Totals of orders are
    divided among their lines.
    """
    when, money = parsing.cells[ORDER_DATE], parsing.money
    filled = ", ".join(f"coalesce(cells.{name}, orders.{name}) as {name}" for name in parsing.filled)
    lines = f"({_cells(parsing, 'raw')}) as cells"
    if filled:
        lines = f"(select cells.* replace ({filled}) from {lines} left join orders using ({ORDER_ID})) as cells"  # noqa: S608
    if when.is_moment:
        zoned = f"timezone('{parsing.zone.zone}', cast({ORDER_DATE} as timestamptz))"
        moment = parsing.possible.moment(zoned if when.has_zone else f"cast({ORDER_DATE} as timestamp)")
    else:
        moment = parsing.date.replace("written", ORDER_DATE) or "dates.parsed"
    if moment == "dates.parsed":
        lines += f" left join dates on dates.written = cells.{ORDER_DATE}"
    lines = f"""(
        select cells.*, {moment} as moment, try_cast(quantity as bigint) as items,
            case when plain_units is not null then plain_units else {_units("money")} end as units
        from {lines})"""  # noqa: S608

    unread = {BROKEN: f"{BROKEN} is not null", ORDER_DATE: "moment is null"}
    if QUANTITY in parsing.cells:  # where amounts are known, nobody needs every quantity
        unread[QUANTITY] = "quantity is null" if parsing.priced else "quantity is null and odd_quantity is not null"
    if money in parsing.cells:
        unread[money] = "money is null"
    for field in parsing.taken_off:  # a dash is none
        unread[field] = f"{field} is null and regexp_matches({TAKEN_OFF[field]}, '[0-9]')"
    each = f"partition by {ORDER_ID}, case when {ORDER_ID} is null then {LINE} end"
    if parsing.total and parsing.numbers_again:
        lines, each = f"({visits(lines, 'moment')})", f"{each}, {CUSTOMER_ID}, visit"
    if parsing.total:  # one order cannot have two totals
        unread[money] += f" or min(money) over ({each}) <> max(money) over ({each})"
    reasons = " ".join(f"when {condition} then '{field}'" for field, condition in unread.items())
    lines = f"(select *, case when {BLANK} then null {reasons} end as {UNREADABLE} from {lines})"  # noqa: S608
    # An exact product, which the last cast rounds to whole units; DuckDB would keep 18 digits of two such numbers. A
    # whole number of items at a usual price is multiplied as whole numbers.
    exact = "try_cast(cast(quantity as decimal(19, 6)) * cast(units as decimal(19, 0)) as bigint)"
    usual = "items = quantity and abs(items) < 100000 and abs(units) < 10000000000"
    amount, odd_money, price = "units", ODD_MONEY, "cast(null as bigint)"
    if money not in parsing.cells:
        amount = "cast(0 as bigint)"
    elif parsing.priced:
        amount, price = f"case when {usual} then items * units else {exact} end", "units"
    if parsing.total:
        same = f"row_number() over (partition by {LINE_HASH} order by {LINE}) > 1"
        repeated = f" or {same}" if parsing.repeated_lines_drop else ""
        never = f"{UNREADABLE} is not null or {BLANK}"
        place = f"case when {never} then 2 when quantity <= 0{repeated} then 1 else 0 end"
        lines = f"({shared('units', f'(select *, {place} as place from {lines})', each)})"  # noqa: S608
        amount = "part"
        odd_money = f"case when {UNREADABLE} = '{money}' then {_placed(parsing, money).text} else {ODD_MONEY} end"
    readable = f"{UNREADABLE} is null and not {BLANK}"
    taken_off = [text for field in parsing.taken_off for text in (f"{_units(field)} as {field}", TAKEN_OFF[field])]
    for field in () if parsing.total else parsing.other_money:
        other = _units(field)
        if field == OTHER_PRICE:
            other = _times(other)
        cents = f"greatest({_CENTS}, {_CENTS} * abs(quantity) / 2)"  # prices and amounts are rounded to whole cents
        taken_off += [f"{other} as {OTHER_UNITS}", f"abs({amount} - {other}) > {cents} as {DIFFERS}"]
    taken_off += _cost_of(parsing, amount) if parsing.cost else []
    return f"""
        select {LINE}, {LINE_HASH}, {BLANK}, {PART}, {UNREADABLE},
            case when moment is null then cast({ORDER_DATE} as varchar) end as {ODD_DATE},
            {ODD_QUANTITY}, {odd_money} as {ODD_MONEY},
            {CUSTOMER_ID}, {ORDER_ID}, moment as {ORDER_DATE}, cast(quantity as double) as {QUANTITY},
            case when {readable} then {price} end as {PRICE_UNITS},
            case when {readable} then {amount} else 0 end as {AMOUNT_UNITS},
            {", ".join((PRODUCT_ID, *_WORDS, *parsing.attributes, *parsing.outcome, *taken_off))}
        from {lines}"""  # noqa: S608


def _cost_of(parsing: Parsing, amount: str) -> list[str]:
    """SQL: what the goods of a line cost in whole units, null where nothing says it, and the text that says no cost.

    What is worth nothing or less (a gift, a discount, what went back) and says nothing costs nothing.
    """
    units = _times(_units("cost")) if parsing.cost == UNIT_COST and QUANTITY in parsing.cells else _units("cost")
    below = f"cost < 0 and coalesce(quantity, 1) > 0 and {amount} >= 0"
    known = f"case when {units} >= 0 then {units} when {amount} <= 0 then 0 end"
    return [
        f"cast({known} as bigint) as {COST_UNITS}",
        f"case when {below} then cast(cost as varchar) when regexp_matches({ODD_COST}, '[^ -]') then {ODD_COST} end "
        f"as {ODD_COST}",
    ]


def _times(units: str) -> str:
    """SQL: so many items of whole units each."""
    return f"try_cast(cast(quantity as decimal(19, 6)) * cast({units} as decimal(19, 0)) as bigint)"


def _units(money: str) -> str:
    """SQL: a decimal number as whole units of money."""
    return f"cast(cast({money} as decimal(28, 4)) * cast({MONEY_SCALE} as decimal(5, 0)) as bigint)"


def _placed(parsing: Parsing, field: str) -> Cell:
    """The cell of a number, as it goes from the relation ``raw`` through the layers above it."""
    return replace(parsing.cells[field], sql=f"{field}_cell")


def _cells(parsing: Parsing, lines: str) -> str:
    """SQL: ids and words as text, the date as it comes, quantity and money as decimals."""
    cells, money = parsing.cells, parsing.money
    texts = {field: cells[field].text if field in cells else "cast(null as varchar)" for field in (*_IDS, *_WORDS)}
    texts |= {attribute_column(field): cells[field].text for field in cells if is_attribute(field)}
    texts |= {field: cells[field].text for field in parsing.outcome}
    when = cells[ORDER_DATE]
    first, second = [], []
    numbers = [("quantity", QUANTITY, 15, 6), ("money", money, 13, 4)]
    numbers += [(field, field, 13, 4) for field in (*parsing.taken_off, *parsing.other_money)]
    numbers += [("cost", parsing.cost, 13, 4)] if parsing.cost else []
    for name, field, digits, decimals in numbers:
        if field not in cells:
            second += [f"cast(null as decimal(18, {decimals})) as {name}", f"cast(null as varchar) as odd_{name}"]
            continue
        cell, plain = _placed(parsing, field), f"plain_{name}"
        first += [
            f"{cells[field].sql} as {cell.sql}",
            f"{cells[field].plain_number(digits, decimals, parsing.sign)} as {plain}",
        ]
        other = (
            f"when {cell.sql} is null then null else {cell.number(decimals, parsing.sign, pieces=field == QUANTITY)}"
        )
        second += [
            f"cast(case when {plain} is not null then {plain} {other} end as decimal(18, {decimals})) as {name}",
            f"case when {plain} is null then {cell.text} end as {TAKEN_OFF.get(field, f'odd_{name}')}",
        ]
    plain_units = f"cast(plain_money * cast({MONEY_SCALE} as decimal(5, 0)) as bigint)" if money in cells else "0"
    second.append(f"{plain_units} as plain_units")
    # The database promises no order of what it writes: it joins even where a column is looked for in a list of words.
    number = f"row_number() over () - 1 as {LINE}"
    about = ", ".join((LINE, LINE_HASH, BLANK, PART, BROKEN))
    ids = ", ".join(map(id_of, _IDS))
    rest = ", ".join((*(name for name in texts if name not in _IDS), ORDER_DATE))
    return f"""
        select {about}, {ids}, {rest}, {", ".join(second)}
            {f", {_placed(parsing, money).sql}" if parsing.total else ""}
        from (
            select {number}, {LINE_HASH}, {BLANK}, {PART}, {BROKEN},
                {", ".join(f"{sql} as {name}" for name, sql in texts.items())},
                {when.sql if when.is_moment else when.text} as {ORDER_DATE}, {", ".join(first)}
            from {lines} as raw)"""  # noqa: S608 - built from column positions only


# --- what became of it ------------------------------------------------------------------------------------------------


def doubted(connection: duckdb.DuckDBPyConnection, parsing: Parsing, lines: str) -> frozenset[str]:
    """Which decisions of the first lines the rest speaks against: "sign", "date"; to be made on all lines.

    ``lines``: what the pass wrote, with ABOUT_LINES. Replaces the table ``dates``.
    """
    found = set()
    if "sign" in parsing.sampled and speaks_against(connection, (ODD_QUANTITY, ODD_MONEY), lines):
        found.add("sign")
    if "date" in parsing.sampled:
        another = not parsing.cells[ORDER_DATE].is_moment and any_date(connection, ODD_DATE, lines, parsing.possible)
        if another or near_placeholder(connection, ODD_DATE, ORDER_DATE, lines, parsing.possible):
            found.add("date")
    return frozenset(found)


def unreadable_notes(
    connection: duckdb.DuckDBPyConnection, source: Source, parsing: Parsing, reading: Reading, lines: str
) -> tuple[str, ...]:
    """A note on blank lines, and on the lines with cells that were not understood, for each field.

    ``lines``: what the pass wrote, with ABOUT_LINES.

    Raises:
        InputError: no line but blank ones; unreadable ones are more than the share that may be set aside, where the
            field with most of them is named; money that cannot be counted.
    """
    total, blank, again, unread, over, size = connection.execute(
        f"select count(*), count(*) filter ({BLANK}), count(*) filter ({BLANK} and {ODD_DATE} is not null), "  # noqa: S608
        f"count({UNREADABLE}), "
        f"min({LINE}) filter ({AMOUNT_UNITS} is null), sum(abs(cast({AMOUNT_UNITS} as double))) from {lines}"
    ).fetchall()[0]
    if total == blank:
        raise InputError("{name} has a header but no lines. Give one that has some.", name=source.name)
    notes: tuple[str, ...] = ()
    if blank > again:
        notes += (message("{blank} blank lines were passed over.", blank=blank - again),)
    if again:
        notes += (
            message_number(
                "{again} line that is the header again was passed over.",
                "{again} lines that are the header again were passed over.",
                again,
                again=again,
            ),
        )
    notes += parsing.notes
    if QUANTITY in parsing.cells and not parsing.cells[QUANTITY].is_numeric:
        notes += pieces_note(connection, ODD_QUANTITY, lines)
    if unread:
        notes += _set_aside(connection, source, parsing, reading, lines, total - blank, unread)
    if over is not None:
        raise InputError(
            "{name}: quantity times price is too large to count on {over}.", name=source.name, over=source.locate(over)
        )
    if size >= MONEY_LIMIT:
        raise InputError(
            "{name}: its money adds up to more than can be counted exactly; check the price column.", name=source.name
        )
    return notes


def _set_aside(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    parsing: Parsing,
    reading: Reading,
    written: str,
    lines: int,
    unread: int,
) -> tuple[str, ...]:
    counts = dict(
        connection.execute(
            f"select {UNREADABLE}, count(*) from {written} where {UNREADABLE} is not null group by 1"  # noqa: S608
        ).fetchall()
    )
    notes = []
    texts = {ORDER_DATE: ODD_DATE, QUANTITY: ODD_QUANTITY, parsing.money: ODD_MONEY, **TAKEN_OFF}
    texts[BROKEN] = "null::varchar"
    share = lines * reading.unreadable_share
    # Few lines never refuse a file, unless they are half of it.
    most = max(share, min(reading.unreadable_lines, (lines - 1) // 2))
    if share < unread <= most and any(_mixed(connection, written, field, texts[field]) for field in counts):
        most = share
    for field in sorted((field for field in texts if field in counts), key=lambda field: -counts[field]):
        count = counts[field]
        found = connection.execute(
            f"select {LINE}, {texts[field]} from {written} where {UNREADABLE} = '{field}' order by 1 limit 3"  # noqa: S608
        ).fetchall()
        more = f" and {count - len(found):,} more" if count > len(found) else ""
        limits = {
            "unreadable_share": reading.unreadable_share,
            "unreadable_lines": reading.unreadable_lines,
            "unread": unread,
            "lines": lines,
        }
        if field == BROKEN:
            cited = ", ".join(source.locate(line) for line, _ in found)
            notes.append(_misfits(source.name, cited, more, count, unread > most, limits))
            continue
        cell = parsing.cells[field]
        cited = ", ".join(
            f"{source.locate(line)} ({'blank' if value is None else repr(_short(value))})" for line, value in found
        )
        kinds = {ORDER_DATE: message("a date"), ORDER_TOTAL: message("the one total of an order")}
        what = kinds.get(field, message("a number"))
        if field == ORDER_DATE and (why := why_no_sale(connection, ODD_DATE, written, parsing.possible)):
            what, more = message("the date of a sale"), joined(("", f"{more} (", joined(why, "; "), ")"), "")
        if field != ORDER_DATE and (no_number := why_no_number([value for _, value in found if value is not None])):
            more = joined(("", f"{more} (", no_number, ")"), "")
        if unread > most:
            raise InputError(
                "{name}: column {column!r} ({field}) cannot be read as {what} on {cited}{more}. Mend or "
                "remove these lines, or map another column with --map {field}=COLUMN; up to "
                "{unreadable_share:.3g} of the lines or {unreadable_lines:,} of them are set aside (unreadable_share "
                "and unreadable_lines in [reading], and never half of the lines), and {unread:,} of {lines:,} are "
                "more.",
                name=source.name,
                column=cell.column,
                field=field,
                what=what,
                cited=cited,
                more=more,
                **limits,
            )
        notes.append(
            message_number(
                "{count:,} line was set aside, because column {column!r} ({field}) cannot be read as {what}: "
                "{cited}{more}.",
                "{count:,} lines were set aside, because column {column!r} ({field}) cannot be read as {what}: "
                "{cited}{more}.",
                count,
                count=count,
                column=cell.column,
                field=field,
                what=what,
                cited=cited,
                more=more,
            )
        )
    return tuple(notes)


def _misfits(name: str, cited: str, more: str, count: int, too_many: bool, limits: Mapping[str, object]) -> str:
    """A note on the lines that do not fit the header.

    Raises:
        OptionError: there are too many.
    """
    if too_many:
        error = InputError(
            "{name}: lines do not fit the header: {cited}{more}. Mend or remove them, or say how they are written with "
            "--separator, --quote, --escape or --header-row; up to {unreadable_share:.3g} of the lines or "
            "{unreadable_lines:,} of them are set aside (unreadable_share and unreadable_lines in [reading], and never "
            "half of the lines), and {unread:,} of {lines:,} are more.",
            name=name,
            cited=cited,
            more=more,
            **limits,
        )
        raise OptionError("separator", error)
    return message_number(
        "{count:,} line was set aside, because it does not fit the header: {cited}{more}.",
        "{count:,} lines were set aside, because they do not fit the header: {cited}{more}.",
        count,
        count=count,
        cited=cited,
        more=more,
    )


def _mixed(connection: duckdb.DuckDBPyConnection, written: str, field: str, text: str) -> bool:
    """Whether several cells that cannot be read are plain dates or numbers in the other order or with the other sign.

    Then nobody knows how those are meant that can be read both ways.
    """
    pattern = _TURNED if field == ORDER_DATE else r"[-+]?[0-9]+[.,][0-9]{1,2}"
    count = connection.execute(
        f"select count(*) from {written} where {UNREADABLE} = '{field}' "  # noqa: S608
        f"and regexp_full_match({text}, '{pattern}')"
    ).fetchall()[0][0]
    return bool(count > 1)


def _short(value: str) -> str:
    return value if len(value) <= 40 else f"{value[:40]}…"
