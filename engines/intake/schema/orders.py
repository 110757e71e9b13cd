"""Values that an export gives once for a whole order, such as shipping, told apart from those of its lines."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import duckdb

from engines.columns import AMOUNT, CUSTOMER_ID, ORDER_DATE, ORDER_ID, ORDER_TOTAL
from engines.messages import message

_ENOUGH = 5  # orders of several lines whose amounts do not differ: below that it may be chance
_DIFFERENT = 3  # and so many different amounts: a shop with a single price repeats it as well


@dataclass(frozen=True)
class OrderFacts:
    """What belongs to orders: ``filled`` stands on one line of each order of several lines; ``total``: money does.

    Where anything is filled, the table ``orders`` has order_id and these values for each order of several lines.
    ``numbers_again``: a number stands for several customers or days. ``certain``: more lines cannot change this,
    because for each column an order speaks against it.
    """

    filled: tuple[str, ...]
    total: bool
    numbers_again: bool
    notes: tuple[str, ...]
    certain: bool


def order_facts(
    connection: duckdb.DuckDBPyConnection,
    cells: str,
    names: Collection[str],
    money: str | None,
    columns: Mapping[str, str],
    rare: Collection[str] = (),
) -> OrderFacts:
    """Find what stands once per order in the relation ``cells``, by looking at all orders of several lines.

    A column that has a value on exactly one line of each of them (Shopify's exports leave the others blank) holds for
    all lines of the order. An amount that is the same on every line of each of them is the total of the order.

    Args:
        connection: to the database.
        cells: a relation with order_id, the columns named, and money where there is a field for it.
        names: columns of ``cells`` that may belong to orders, at least one.
        money: the field that money holds: amount, order_total or unit_price.
        columns: name in the source by field, for the notes.
        rare: columns that most orders leave blank: they belong to orders only where another one does.
    """
    again = _numbers_again(connection, cells)
    each = f"{ORDER_ID}, {CUSTOMER_ID}, {_DAY}" if again else ORDER_ID
    asked = [*names, *rare, *(["money"] if money in (AMOUNT, ORDER_TOTAL) else [])]
    least = ["min(money) as least", "max(money) as most"] if "money" in asked else ["0 as least", "1 as most"]
    found = ", ".join([*(f"count({name}) as k_{name}" for name in asked), *least])
    several_lines = f"from {cells} where {ORDER_ID} is not null group by {each} having count(*) > 1"
    counts = ", ".join(f"count(*) filter (where k_{name} = 1), max(k_{name})" for name in asked)
    several, same, different, *counted = connection.execute(
        f"select count(*), count(*) filter (where k_{asked[-1]} = n and least = most), count(distinct least), "  # noqa: S608
        f"{counts} from (select count(*) as n, {found} {several_lines})"
    ).fetchall()[0]
    filled = tuple(name for at, name in enumerate(asked) if counted[2 * at] and counted[2 * at + 1] == 1)
    if again or not set(filled) - {*rare, "money"}:
        filled = tuple(name for name in filled if name == "money")
    values = "".join(f", min({name}) as {name}" for name in filled)
    if filled and not again:
        connection.execute(f"create or replace table orders as select {ORDER_ID}{values} {several_lines}")
    notes = []
    if told := [columns.get(name, name) for name in filled if name != "money"]:
        notes.append(
            message(
                "Stands on one line of each order and was taken for all of its lines: {told}.", told=", ".join(told)
            )
        )
    total = money == ORDER_TOTAL
    if "money" in asked:
        once, repeats = "money" in filled, bool(several) and same == several
        total = total or once or (repeats and several >= _ENOUGH and different >= _DIFFERENT)
        where = message("one line") if once else message("every line") if repeats else ""
        column = columns[str(money)]
        if total and where:
            notes.append(
                message(
                    "{column!r} is the total of an order: it stands on {where} of each of the {several:,} "
                    "orders of several lines. It is counted once per order, in equal parts on its lines.",
                    column=column,
                    where=where,
                    several=several,
                )
            )
        elif repeats and several > 1:
            notes.append(
                message(
                    "{column!r} is the same on all lines of each of the {several} orders of several lines. "
                    "If it is the total of the order, say --map {order_total}={column}.",
                    column=column,
                    several=several,
                    order_total=ORDER_TOTAL,
                )
            )
    certain = not total and all(most is not None and most > 1 for most in counted[1::2])
    filled = () if again else filled
    return OrderFacts(filled, total, again, tuple(notes), certain and ("money" not in asked or same < several))


#: SQL: the day of a moment that is written out.
_DAY = f"regexp_replace(cast({ORDER_DATE} as varchar), '[T ]+[0-9]{{1,2}}:.*$', '')"


def _numbers_again(connection: duckdb.DuckDBPyConnection, cells: str) -> bool:
    """Whether an order number stands for several customers, or on several days."""
    several = " or ".join(f"min({name}) <> max({name})" for name in (CUSTOMER_ID, _DAY))
    found = f"select 1 from {cells} where {ORDER_ID} is not null group by {ORDER_ID} having {several} limit 1"  # noqa: S608
    return bool(connection.execute(found).fetchall())


def visits(lines: str, moment: str) -> str:
    """SQL: the lines with ``visit``, the number of the order within those of one order number and customer.

    Lines are of one order as long as the next comes on the same day, or less than six hours later: an order may go over
    midnight.

    Args:
        lines: a relation with order_id, customer_id, line and the moment.
        moment: the column that holds it.
    """
    each = f"partition by {ORDER_ID}, {CUSTOMER_ID} order by {moment}, line"
    before = f"lag({moment}) over ({each})"
    goes_on = f"cast({before} as date) = cast({moment} as date) or {moment} - {before} < interval 6 hours"
    begun = f"select *, case when {goes_on} then 0 else 1 end as begins from {lines}"  # noqa: S608
    return f"select * exclude (begins), sum(begins) over ({each}) as visit from ({begun})"  # noqa: S608


def shared(total: str, lines: str, each: str) -> str:
    """SQL: the total of an order in whole units, divided among lines so that the parts add up to it exactly.

    Args:
        total: SQL of the order's total in units.
        lines: a relation with line, line_hash, order_id, ``place`` (0 for lines that take part first, 1 for those that
            do where there is no other, 2 never) and everything that is to be kept.
        each: the window of an order's lines: ``partition by ...``.

    Returns:
        A query with the columns of ``lines`` and ``part``. Equal lines apart, the order of lines does not matter.
    """
    return f"""
        select *, case when place = first_place and place < 2
            then sign({total}) * (abs({total}) // many + case when rank <= abs({total}) % many then 1 else 0 end)
            else 0 end as part
        from (
            select *, min(place) over ({each}) as first_place, count(*) over ({each}, place) as many,
                row_number() over ({each}, place order by line_hash, line) as rank
            from {lines})"""  # noqa: S608 - our own SQL
