"""Order numbers that stand for several orders: used again on another day, or by several customers."""

from __future__ import annotations

import duckdb

from engines.columns import CUSTOMER_ID, ORDER_DATE, ORDER_ID
from engines.intake.cleaning.cleaning import RULE, Step
from engines.intake.cleaning.returns import WENT_BACK
from engines.intake.schema.orders import visits
from engines.intake.schema.parsing import LINE, Parsing
from engines.messages import message


def see_orders(connection: duckdb.DuckDBPyConnection, parsing: Parsing, lines: str) -> None:
    """Make the table ``orders_seen`` of what is sold: an order number, its customers and days; else a customer.

    Columns: order_id, customer_id and other_id (the first and the last in the order of the alphabet), first and last
    day, and how many orders.
    """
    named = ORDER_ID in parsing.cells
    each, days = f"coalesce({ORDER_ID}, {CUSTOMER_ID})", f"count(distinct cast({ORDER_DATE} as date))"
    orders = f"case when min({ORDER_ID}) is null then {days} else 1 end" if named else days
    connection.execute(
        f"create or replace temp table orders_seen as select min({ORDER_ID}) as {ORDER_ID}, "  # noqa: S608
        f"min({CUSTOMER_ID}) as {CUSTOMER_ID}, max({CUSTOMER_ID}) as other_id, {orders} as orders, "
        f"cast(min({ORDER_DATE}) as date) as first, cast(max({ORDER_DATE}) as date) as last "
        f"from {lines} where {RULE} is null group by {each}"
    )


def own_numbers(connection: duckdb.DuckDBPyConnection, parsing: Parsing, lines: str) -> Step:
    """Make the view ``numbered``, where an order number stands for several orders; else nothing changes.

    Lines with one number are of one order while they are of one customer and each comes on the same day as the one
    before, or less than six hours later. Such a number becomes ``number/customer/day``. Lines of an order that goes
    over midnight have the moment at which it began.

    Args:
        connection: that knows the lines and ``orders_seen``.
        parsing: how the source is read.
        lines: the relation, where it is known what became of the orders.
    """
    if ORDER_ID not in parsing.cells:
        return Step(lines)
    sold = f"{RULE} is null and {ORDER_ID} is not null"
    day = f"cast({ORDER_DATE} as date)"
    connection.execute(
        f"create or replace temp table several as select {ORDER_ID} from orders_seen "  # noqa: S608 - our own names
        f"where {ORDER_ID} is not null and ({CUSTOMER_ID} <> other_id or first <> last)"
    )
    if not connection.execute("select count(*) from several").fetchall()[0][0]:
        return Step(lines)
    of_several = f"from {lines} where {ORDER_ID} in (select {ORDER_ID} from several)"  # noqa: S608 - our own names
    sales = f"(select distinct {LINE}, {ORDER_ID}, {CUSTOMER_ID}, {ORDER_DATE} {of_several} and {sold})"
    connection.execute(
        f"""create or replace temp table numbers as
        with visited as ({visits(sales, ORDER_DATE)}),
        orders as (
            select {ORDER_ID}, {CUSTOMER_ID}, visit, min({ORDER_DATE}) as begun,
                max({day}) > min({day}) as over_midnight
            from visited group by all),
        parted as (select {ORDER_ID} from orders group by 1 having count(*) > 1)
        select {LINE}, {ORDER_ID} as written, {ORDER_ID} in (select {ORDER_ID} from parted) as parted,
            {ORDER_ID} || '/' || {CUSTOMER_ID} || '/' || cast(begun as date) as number,
            case when over_midnight then begun end as begun
        from visited join orders using ({ORDER_ID}, {CUSTOMER_ID}, visit)"""  # noqa: S608 - our own names
    )
    parted, orders = connection.execute(
        "select count(distinct written), count(distinct number) from numbers where parted"
    ).fetchall()[0]
    connection.execute(
        f"""insert into numbers
        select distinct {LINE}, {ORDER_ID}, true, {ORDER_ID} || '/' || {CUSTOMER_ID} || '/' || {day}, null from {lines}
        where {WENT_BACK} and {ORDER_ID} in (select written from numbers where parted)
            and {LINE} not in (select {LINE} from numbers)"""  # noqa: S608 - our own names
    )
    number = f"case when numbers.parted then numbers.number else lines.{ORDER_ID} end as {ORDER_ID}"
    begun = f"coalesce(numbers.begun, lines.{ORDER_DATE}) as {ORDER_DATE}"
    connection.execute(
        f"create or replace view numbered as select lines.* replace ({number}, {begun}) from {lines} as lines "  # noqa: S608
        f"left join numbers using ({LINE})"
    )
    if not parted:
        return Step("numbered")
    note = message(
        "Column {column!r} (order_id) does not number single orders: {parted:,} of its numbers stand for several "
        "customers, or for days that are apart. They were counted as {orders:,} orders.",
        column=parsing.cells[ORDER_ID].column,
        parted=parted,
        orders=orders,
    )
    return Step("numbered", (note,))
