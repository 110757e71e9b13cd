"""Ids that are no one person: an id for all guests, ids that a spreadsheet has rounded, one id with many names."""

from __future__ import annotations

import duckdb

from engines.columns import CUSTOMER_ID, CUSTOMER_NAME, ORDER_ID
from engines.errors import InputError
from engines.intake.cleaning.cleaning import RULE, Step
from engines.intake.cleaning.returns import WENT_BACK
from engines.intake.cleaning.rules import MISSING_CUSTOMER_ID, NOT_A_SALE
from engines.intake.schema.meanings import is_one_of, listed, texts_among
from engines.intake.schema.parsing import LINE, Parsing
from engines.intake.sources.source import Source, text
from engines.messages import message
from engines.settings import CleaningRules

#: Ids that shop systems give to everyone who has no account.
_EVERYONE = "^(0+|-1|9{4,})$"
_MAY_BE_SOMEONE, _MANY = "9", 3  # ids of nines are someone's as well: of guests only with so many names
_SHOWN = 8
_MUCH = 0.05  # of all orders
_SEVERAL = 2  # names or e-mail addresses
_FAR_MORE = 3  # times the orders of anyone else, where there are no names


def refuse_rounded(connection: duckdb.DuckDBPyConnection, source: Source, parsing: Parsing, lines: str) -> None:
    """Check that the ids in the table ``orders_seen`` have all their digits.

    Raises:
        InputError: a spreadsheet has written them as 1.23457E+12, by which customers are merged.
    """
    for field in (CUSTOMER_ID, ORDER_ID):
        if field not in parsing.cells:
            continue
        rounded = f"regexp_full_match(upper({field}), '[0-9]([.,][0-9]+)?E[+][0-9]+')"
        found = connection.execute(f"select min({field}) from orders_seen where {rounded}").fetchall()[0][0]  # noqa: S608
        if found is not None:
            line = connection.execute(f"select min({LINE}) from {lines} where {field} = ?", [found]).fetchall()[0][0]  # noqa: S608
            raise InputError(
                "{name}: column {column!r} ({field}) has ids whose digits a spreadsheet has rounded, as {id!r} on "
                "{line}: different ones have become the same. Export the column once more as text, or map another "
                "one with --map {field}=COLUMN.",
                name=source.name,
                column=parsing.cells[field].column,
                field=field,
                id=found,
                line=source.locate(line),
            )


def without_nobody(connection: duckdb.DuckDBPyConnection, parsing: Parsing, rules: CleaningRules, lines: str) -> Step:
    """Make the view ``of_someone``: texts for nobody are no customers, and behind an id such as 0 are guests.

    Guests have their e-mail address for an id where there is one, and are nobody else. A customer with much of all
    orders and several names is noted.
    """
    words = texts_among(connection, CUSTOMER_ID, rules.nobody, lines)
    name = CUSTOMER_NAME if CUSTOMER_NAME in parsing.cells else None
    order = f"coalesce({ORDER_ID}, cast({LINE} as varchar))"
    column = parsing.cells[CUSTOMER_ID].column
    counted = (
        f"select {CUSTOMER_ID}, count(distinct {order}) as orders, count(distinct lower({name})) as names "  # noqa: S608
        f"from {lines} where {RULE} is null group by 1"
        if name
        else f"select {CUSTOMER_ID}, sum(orders) as orders, null as names from orders_seen group by 1"  # noqa: S608
    )
    found = connection.execute(
        f"select *, regexp_full_match({CUSTOMER_ID}, '{_EVERYONE}') as is_everyone from ({counted}) "  # noqa: S608
        f"where names >= {_SEVERAL} or is_everyone order by orders desc, 1 limit 1000"
    ).fetchall()
    suspects = [row for row in found if row[2] is None or row[2] >= _SEVERAL]
    if not suspects and not words:
        return Step(lines)
    every, most = connection.execute(
        f"select sum(orders), max(orders) filter (not regexp_full_match({CUSTOMER_ID}, '{_EVERYONE}')) "  # noqa: S608
        f"from (select {CUSTOMER_ID}, sum(orders) as orders from orders_seen group by 1)"
    ).fetchall()[0]
    suspects.sort(key=lambda row: not row[3])  # no guests are passed over for customers who are only noted
    guests, notes = [], []
    mail = f"case when contains({name}, '@') then lower({name}) end" if name else "cast(null as varchar)"
    for who, orders, names, is_everyone in suspects[:_SHOWN]:
        if is_everyone and names is not None and (names >= _MANY or not who.startswith(_MAY_BE_SOMEONE)):
            guests.append(who)
            addresses = connection.execute(
                f"select count(distinct {mail}) from {lines} where {RULE} is null and {CUSTOMER_ID} = {text(who)}"  # noqa: S608
            ).fetchall()[0][0]
            facts = {
                **{"who": who, "column": column, "other": parsing.cells[CUSTOMER_NAME].column, "orders": orders},
                **{"names": names, "addresses": addresses},
            }
            notes.append(
                message(
                    "Customer {who!r} (column {column!r}) stands for guests: its {orders:,} orders were counted for "
                    "{addresses:,} e-mail addresses in column {other!r}, and without one for nobody.",
                    **facts,
                )
                if addresses
                else message(
                    "Customer {who!r} (column {column!r}) has {names:,} names in column {other!r}, and was taken for "
                    "nobody: {orders:,} orders of guests.",
                    **facts,
                )
            )
        elif orders > _MUCH * every and (names is not None or orders > _FAR_MORE * (most or 0)):
            several = message(" under {names:,} names", names=names) if names else ""
            notes.append(
                message(
                    "Customer {who!r} (column {column!r}) has {share:.0%} of all orders{several}. If this is no one "
                    "person, add it to without_customers in [cleaning].",
                    who=who,
                    column=column,
                    share=orders / every,
                    several=several,
                )
            )
    words = [word for word in words if word not in guests]
    if words:
        shown = ", ".join(repr(word) for word in words[:_SHOWN]) + (" ..." if len(words) > _SHOWN else "")
        notes.append(
            message("In column {column!r} (customer_id) these are no customer: {words}.", column=column, words=shown)
        )
    if not guests and not words:
        return Step(lines, tuple(notes))
    is_guest = is_one_of(CUSTOMER_ID, guests)
    is_nobody = f"({is_one_of(CUSTOMER_ID, words)} or {is_guest} and {mail} is null)"
    first = f"coalesce({RULE} in ({listed([NOT_A_SALE, 'unreadable'])}), false)"
    rule = f"case when {is_nobody} and not {first} then {text(MISSING_CUSTOMER_ID)} else {RULE} end"
    connection.execute(
        f"create or replace view of_someone as select * replace ({rule} as {RULE}, "  # noqa: S608 - our own names
        f"{WENT_BACK} and not {is_nobody} as {WENT_BACK}, "
        f"case when {is_nobody} then null when {is_guest} then {mail} else {CUSTOMER_ID} end as {CUSTOMER_ID}) "
        f"from {lines}"
    )
    return Step("of_someone", tuple(notes))
