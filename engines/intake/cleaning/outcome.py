"""What became of the orders: what is no sale, what went back, and what came off, from the fields that say so.

The pass writes the texts of these fields beside each line. They are few, so that each is understood once, after the
pass, and lines are changed by a query on what was written. A refund or a discount that stands in a column of its own,
or follows from a status, becomes a line that was not in the source: ``added`` says what it is. It counts as money, but
not as a line.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

import duckdb

from engines.columns import (
    AMOUNT_UNITS,
    COST_UNITS,
    CUSTOMER_ID,
    CUSTOMER_NAME,
    DESCRIPTION,
    DISCOUNT,
    LINE_TYPE,
    MONEY_SCALE,
    ORDER_DATE,
    ORDER_ID,
    PRODUCT_ID,
    QUANTITY,
    REFUNDED_AMOUNT,
    STATUS,
)
from engines.intake.cleaning.cleaning import NOTE, RULE, Step
from engines.intake.cleaning.returns import WENT_BACK
from engines.intake.cleaning.rules import ADDED, NOT_A_SALE, REFUNDED, RETURN_LINE, RETURN_RULES
from engines.intake.schema.meanings import (
    is_one_of,
    is_total,
    listed,
    meanings_of,
    no_sale_sql,
    texts_of,
    totals_among,
)
from engines.intake.schema.parsing import BLANK, LINE, LINE_HASH, OUTCOME, TAKEN_OFF, UNREADABLE, Parsing
from engines.intake.schema.words import StatusKind, folded
from engines.intake.sources.source import text
from engines.messages import Message, joined, message
from engines.settings import CleaningRules

_SHOWN = 6
_ENOUGH = 3  # orders of several lines with the same sum on each: below that it may be chance
#: A status that names a document: the line itself is what went back, and not what was sold before.
_REFUND_DOCUMENTS = frozenset(
    (
        *("refund", "return", "credit memo", "credit note", "chargeback", "reversal", "gutschrift", "erstattung"),
        *("ruckerstattung", "ruckzahlung", "retoure", "ruckgabe", "remboursement", "retour", "avoir", "devolucion"),
        *("reembolso", "abono", "rimborso", "reso", "nota di credito", "nota de credito", "terugbetaling"),
        *("creditnota", "estorno", "devolucao", "zwrot", "korekta", "退款", "退货", "退貨", "返金", "返品"),
    )
)
_KINDS: Mapping[StatusKind, Message] = {
    "sold": message("sold"),
    "not_a_sale": message("no sale"),
    "returned": message("sold and sent back"),
    "partly_returned": message("sold and partly sent back"),
}


def became(connection: duckdb.DuckDBPyConnection, parsing: Parsing, rules: CleaningRules, lines: str) -> Step:
    """Make the view ``became``: the flagged lines, changed by the fields that say what became of them.

    Lines of orders that are no sale have that for their rule, whatever else they are. Lines that are documents of what
    went back are returns. Refunds and discounts are lines of their own, with ``added``.

    Args:
        connection: that knows the lines.
        parsing: how the source is read.
        rules: how it is cleaned.
        lines: the relation that the pass wrote.
    """
    totals = totals_among(connection, lines, rules.sold)
    adds_up, notes = is_total(totals), _discounts_noted(connection, rules, lines)
    if totals:
        notes.append(
            message(
                "Lines of {texts} add up the others, and are no sale. If this is a customer or an order, name it in "
                "sold in [cleaning].",
                texts=_shown([each for texts in totals.values() for each in texts]),
            )
        )
    if not set(parsing.outcome) - {CUSTOMER_NAME} and not parsing.taken_off:
        if not totals:
            return Step(lines, tuple(notes))
        dropped = {
            RULE: f"case when {adds_up} then {text(NOT_A_SALE)} else {RULE} end",
            WENT_BACK: f"{WENT_BACK} and not {adds_up}",
            UNREADABLE: f"case when {adds_up} then null else {UNREADABLE} end",
        }
        _view(connection, "became", f"select * replace ({_as(dropped)}) from {lines}")  # noqa: S608 - our own names
        return Step("became", tuple(notes))
    fields = [field for field in (STATUS, LINE_TYPE) if field in parsing.cells]
    meanings = {
        field: meanings_of(
            connection, field, lines, sold=rules.sold, not_a_sale=rules.not_a_sale, returned=rules.returned_words
        )
        for field in fields
    }
    no_sale = f"({no_sale_sql(connection, parsing, meanings, lines)} or {adds_up})"
    refunded = texts_of(meanings.get(STATUS, {}), "returned")
    documents = {each for each in refunded if folded(each) in _REFUND_DOCUMENTS}
    if refunded and not documents and ORDER_ID in parsing.cells:
        documents = _beside_sales(connection, refunded, texts_of(meanings[STATUS], "sold"), lines)
    for field in fields:
        sent_back = texts_of(meanings[field], "returned") if field == LINE_TYPE else documents
        notes += _understood(parsing, field, meanings[field], sent_back)
    back = [is_one_of(LINE_TYPE, texts_of(meanings.get(LINE_TYPE, {}), "returned")), is_one_of(STATUS, documents)]
    is_return = " or ".join(back)
    counts = f"({RULE} is null or {RULE} in ({listed(RETURN_RULES)}))"
    changed = {
        RULE: f"case when {no_sale} then {text(NOT_A_SALE)} "
        f"when ({is_return}) and {counts} then {text(RETURN_LINE)} else {RULE} end",
        WENT_BACK: f"case when {no_sale} then false when ({is_return}) and {RULE} is null then {AMOUNT_UNITS} <> 0 "
        f"else {WENT_BACK} end",
        UNREADABLE: f"case when {no_sale} then null else {UNREADABLE} end",
    }
    _view(connection, "judged", f"select * replace ({_as(changed)}) from {lines}")  # noqa: S608
    notes += _add_lines(connection, parsing, [each for each in refunded if each not in documents], meanings)
    columns = [row[0] for row in connection.execute("describe judged").fetchall()]
    said = [name for name in columns if name in (*OUTCOME, *TAKEN_OFF) and name != CUSTOMER_NAME]
    kept = ", ".join(name for name in columns if name not in said)
    part = {name: f"case when added.whole then {name} end" for name in (QUANTITY, PRODUCT_ID, DESCRIPTION)}
    refund = f"added.what = {text(REFUNDED)}"
    other = {
        LINE_HASH: f"hash({LINE_HASH}, added.what)",
        AMOUNT_UNITS: "cast(-added.units as bigint)",
        COST_UNITS: "cast(0 as bigint)",  # of the goods, which the line has already
        RULE: f"case when {refund} then {text(REFUNDED)} end",
        WENT_BACK: refund,
        **part,
        **{name: "false" for name in columns if name.startswith(NOTE)},
    }
    own = ", ".join(f"{other[name]} as {name}" if name in other else name for name in columns if name not in said)
    _view(
        connection,
        "became",
        f"select {kept}, cast(null as varchar) as {ADDED} from judged union all "  # noqa: S608 - our own names
        f"select {own}, added.what as {ADDED} from judged join added using ({LINE})",
    )
    return Step("became", tuple(notes))


# --- what the texts mean ----------------------------------------------------------------------------------------------


def _understood(
    parsing: Parsing, field: str, meanings: Mapping[str, StatusKind], sent_back: Collection[str]
) -> tuple[Message, ...]:
    """What is said of how a field was understood; nothing where all is sold.

    ``sent_back``: texts of lines that are no sale by themselves, as what went back was sold by another line.
    """
    column = parsing.cells[field].column
    if not meanings:
        return (message("Column {column!r} ({field}) says nothing that was understood.", column=column, field=field),)
    if set(meanings.values()) == {"sold"}:
        return ()
    groups = [(texts_of(meanings, kind), words) for kind, words in _KINDS.items()]
    groups = [([each for each in texts if each not in sent_back], words) for texts, words in groups]
    groups.append((sorted(sent_back), message("sent back")))
    parts = [message("{texts}: {kind}", texts=_shown(texts), kind=words) for texts, words in groups if texts]
    said = message(
        "Column {column!r} ({field}) says what became of the lines: {meanings}.",
        column=column,
        field=field,
        meanings=joined(parts, "; "),
    )
    unknown = texts_of(meanings, "")
    if not unknown:
        return (said,)
    other = message(
        "Not known, and counted as sold: {texts}. If one of them is no sale, name it in not_a_sale in [cleaning].",
        texts=_shown(unknown),
    )
    return (joined((said, other)) if parts else message("Column {column!r}: {other}", column=column, other=other),)


def _beside_sales(
    connection: duckdb.DuckDBPyConnection, refunded: Collection[str], sold: Collection[str], lines: str
) -> set[str]:
    """The texts for what went back that stand on later lines for the same money as one that is sold, in its order.

    Lines of one moment are items of the order: one was sent back, and the other was not.
    """
    found = connection.execute(
        f"select distinct back.{STATUS} from {lines} as back join {lines} as sale using ({ORDER_ID}, {CUSTOMER_ID}) "  # noqa: S608
        f"where {is_one_of(f'back.{STATUS}', refunded)} and {is_one_of(f'sale.{STATUS}', sold)} "
        f"and abs(back.{AMOUNT_UNITS}) = abs(sale.{AMOUNT_UNITS}) and back.{ORDER_DATE} > sale.{ORDER_DATE}"
    ).fetchall()
    return {each for (each,) in found}


# --- lines that follow ------------------------------------------------------------------------------------------------


def _add_lines(
    connection: duckdb.DuckDBPyConnection,
    parsing: Parsing,
    refunded: Collection[str],
    meanings: Mapping[str, Mapping[str, StatusKind]],
) -> list[Message]:
    """Fill the table ``added`` from the view ``judged``: line, what, units (above 0), and whether the whole line."""
    partly = texts_of(meanings.get(STATUS, {}), "partly_returned")
    off, back = (
        f"abs(coalesce({field}, 0))" if field in parsing.cells else "0" for field in (DISCOUNT, REFUNDED_AMOUNT)
    )
    written = f"{CUSTOMER_ID} || '/' || coalesce({ORDER_ID}, 'line ' || {LINE})"
    order = f"{written} || '/' || cast({ORDER_DATE} as date)" if parsing.numbers_again else written
    touched = f"{off} > 0 or {back} > 0 or {is_one_of(STATUS, [*refunded, *partly])}"
    if STATUS not in parsing.cells:
        touched = f"{off} > 0 or {back} > 0"
    status = STATUS if STATUS in parsing.cells else "cast(null as varchar)"
    connection.execute(
        f"""create or replace temp table touched as
        with sales as (
            select {LINE}, {written} as written, {order} as number, {RULE} is null as sold, {WENT_BACK} as gone,
                {AMOUNT_UNITS} as units, {ORDER_DATE} as moment, {LINE_HASH} as same,
                {off} as off, {back} as back, {status} as {STATUS}, {RULE} is null and ({touched}) as touched
            from judged where not {BLANK} and ({RULE} is null or {WENT_BACK}))
        select *, bool_or(gone) over (partition by written) as gone_before from sales
        where written in (select written from sales where touched)"""  # noqa: S608 - our own names
    )
    values = {}
    for field, name in ((DISCOUNT, "off"), (REFUNDED_AMOUNT, "back")):
        values[name] = name
        if field in parsing.cells:
            once = _stands_for_orders(connection, name, parsing.cells[field].column)
            values[name] = f"case when place = 1 then {name} else 0 end" if once else name
    connection.execute(
        f"""create or replace temp table added as
        with placed as (  -- by what the lines say, so that their order in the source does not matter
            select *, row_number() over (partition by number order by moment, same, {LINE}) as place
            from touched where sold),
        sold as (select * replace ({_as(values)}) from placed),
        orders as (
            select number, sum(units) as units, least(sum(off), greatest(sum(units), 0)) as off, sum(back) as back,
                count(*) filter (back > 0) as backs, bool_or(gone_before) as gone_before
            from sold group by number),
        capped as (
            select sold.{LINE}, number, sold.units, sold.{STATUS}, sold.off, orders.off as order_off,
                orders.gone_before,
                orders.units - orders.off as worth, sold.place = 1 as first, orders.back > 0 as has_back,
                case when orders.backs = 1 then least(sold.back, orders.units - orders.off)
                    else least(sold.back, sold.units) end as back
            from sold join orders using (number))
        select {LINE}, {text(DISCOUNT)} as what, least(off, units_of_order) as units, false as whole
        from (select *, worth + order_off as units_of_order from capped) where least(off, units_of_order) > 0
        union all
        select {LINE}, {text(REFUNDED)}, back, false from capped where back > 0
        union all
        select {LINE}, {text(REFUNDED)}, case when order_off = 0 then units else worth end, order_off = 0 from capped
        where not has_back and not gone_before and {is_one_of(STATUS, refunded)}
            and case when order_off = 0 then units > 0 else first and worth > 0 end"""  # noqa: S608 - our own names
    )
    notes = [note for field in (DISCOUNT, REFUNDED_AMOUNT) for note in _taken(connection, parsing, field)]
    unsaid = connection.execute(
        f"select count(distinct number) from touched where sold and {is_one_of(STATUS, partly)} "  # noqa: S608
        "and number not in (select number from touched where gone_before or back > 0)"
    ).fetchall()[0][0]
    if unsaid:
        notes.append(
            message(
                "{orders:,} orders were partly refunded, and nothing says how much: they count in full. Name the "
                "column that says it with --map {field}=COLUMN.",
                orders=unsaid,
                field=REFUNDED_AMOUNT,
            )
        )
    return notes


def _taken(connection: duckdb.DuckDBPyConnection, parsing: Parsing, field: str) -> list[Message]:
    """What a column of money that comes off or went back comes to, so that one that means something else is seen."""
    what = text(DISCOUNT if field == DISCOUNT else REFUNDED)
    count, units = connection.execute(f"select count(*), sum(units) from added where what = {what}").fetchall()[0]  # noqa: S608
    if field not in parsing.cells or not count:
        return []
    parts = {"column": parsing.cells[field].column, "count": count, "money": _money(units)}
    if field == DISCOUNT:
        return [
            message(
                "{money} of column {column!r} come off what was sold, {count:,} times. If it is no money, or the "
                "prices are those after it, say --map discount= to leave it out.",
                **parts,
            )
        ]
    return [
        message(
            "{money} went back, {count:,} times, as column {column!r} or the status says; it counts as returns.",
            **parts,
        )
    ]


def _discounts_noted(connection: duckdb.DuckDBPyConnection, rules: CleaningRules, lines: str) -> list[Message]:
    """A note on lines below zero that stay, because they make their order cheaper."""
    if not rules.drop_non_positive_price:
        return []
    below = f"from {lines} where {RULE} is null and {AMOUNT_UNITS} < 0"
    count, units = connection.execute(f"select count(*), sum({AMOUNT_UNITS}) {below}").fetchall()[0]
    if not count:
        return []
    return [
        message(
            "{count:,} lines below zero are discounts, as their products say, and make their orders cheaper by "
            "{money}. discount_lines in [cleaning] has the words.",
            count=count,
            money=_money(-units),
        )
    ]


def _money(units: int) -> str:
    return f"{Decimal(units) / MONEY_SCALE:,.2f}"


def _stands_for_orders(connection: duckdb.DuckDBPyConnection, name: str, column: str) -> bool:
    """Whether a sum that stands on all lines of an order is that of the order, and not of each line."""
    several, same, over = connection.execute(
        f"select count(*), count(*) filter (with_it = n and least = most), count(*) filter (total > units) from ("  # noqa: S608
        f"select count(*) as n, count(*) filter ({name} > 0) as with_it, min({name}) as least, max({name}) as most, "
        f"sum({name}) as total, sum(units) as units from touched where sold group by number "
        f"having count(*) > 1 and max({name}) > 0)"
    ).fetchall()[0]
    named = {"order", "total", "bestellung", "gesamt"} & set(folded(column).split())
    return bool(several) and same == several and (several >= _ENOUGH or over > 0 or bool(named))


# --- SQL --------------------------------------------------------------------------------------------------------------


def _as(values: Mapping[str, str]) -> str:
    return ", ".join(f"{value} as {name}" for name, value in values.items())


def _view(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    connection.execute(f"create or replace view {name} as {query}")


def _shown(texts: Collection[str]) -> str:
    listed = [each if len(each) <= 40 else f"{each[:40]}…" for each in list(texts)[:_SHOWN]]
    more = f" (+{len(texts) - _SHOWN})" if len(texts) > _SHOWN else ""
    return ", ".join(repr(each) for each in listed) + more
