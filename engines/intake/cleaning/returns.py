"""What each return takes off: which of the customer's earlier lines it undoes, and what is left of them from then on.

A return takes off, in this order:

1. **the product**: earlier lines of the same customer and product, those of its own order first, then those of the same
   unit price, then the latest, up to the quantity left. The goods leave at the price that was paid for them; what an
   earlier return had taken of that as mere money comes off other money then. Where a quantity is not known, goods leave
   up to the money that came back.
2. **the amount**: what is still to be taken off, from the order of the same number; else from the latest earlier line
   or whole order that comes to exactly that.
3. **the money**: what is left of it, from the customer's latest earlier lines back, never below zero.

What finds no earlier purchase changes nothing. Earlier is what was sold at the moment of the return or before it. Lines
of one moment stand in the order of higher price, order number, product and what else they say, never of their position.

Returns are settled in the order of time (those of one moment together, step by step), so that what a return takes off
depends on nothing that comes after it. What was left as of any date follows by leaving out what changed later.

Plain tables in and out: whoever holds the lines gives all that some customers bought and returned, and gets back what
changed. No database is known here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from engines.columns import (
    AMOUNT_UNITS,
    CUSTOMER_ID,
    HOLDS_FROM,
    HOLDS_UNTIL,
    OFFSET_UNITS,
    ORDER_DATE,
    ORDER_ID,
    PRODUCT_ID,
    QUANTITY,
)

#: Columns of lines: which line it is, a number that no other line has; whether it went back.
ROW, WENT_BACK = "row", "went_back"
#: How a return was settled, in the order in which it is tried.
BY_PRODUCT, BY_AMOUNT, BY_MONEY = STEPS = ("returned_product", "returned_amount", "returned_money")
#: What found nothing to take off; and by how much goods were paid for more than was given back for them.
WITHOUT_PURCHASE, RETURN_PRICE = "without_purchase", "return_price"

#: Columns of a settlement's tables.
VERSIONS = pa.schema(
    [
        *((ROW, pa.int64()), (HOLDS_FROM, pa.timestamp("us")), (HOLDS_UNTIL, pa.timestamp("us"))),
        *((AMOUNT_UNITS, pa.int64()), (QUANTITY, pa.float64()), (OFFSET_UNITS, pa.int64())),
    ]
)
RETURNS = pa.schema(
    [
        *((ROW, pa.int64()), (CUSTOMER_ID, pa.string())),
        *((name, pa.int64()) for name in (*STEPS, WITHOUT_PURCHASE, RETURN_PRICE, OFFSET_UNITS)),
    ]
)
EMPTIED = pa.schema([(CUSTOMER_ID, pa.string()), *((name, pa.int64()) for name in ("lines", "orders", AMOUNT_UNITS))])

_SCALE = 1_000_000  # quantities are whole millionths, as where they are summed
_UNKNOWN = -1  # a quantity that is not known
_KEYS = (ROW, CUSTOMER_ID, ORDER_ID, ORDER_DATE, PRODUCT_ID, QUANTITY, AMOUNT_UNITS, WENT_BACK)

Integers = NDArray[np.int64]


class Settlement(NamedTuple):
    """What came of the returns of some customers.

    ``versions``, of lines that changed and of returns: row; holds_from and holds_until, the moments between which the
    line was as the version says (null: since it was sold, and to this day); amount_units and quantity (null: as they
    were sold); offset_units, of returns alone: what they took off. Of a line there is no version from the moment on at
    which nothing is left of it.

    ``returns``: row, customer_id, the money of the return by how it was settled (``STEPS`` and ``without_purchase``,
    which add up to it), ``return_price``, by how much more was paid for the goods than was given back for them, and
    offset_units, what was taken off: the steps and ``return_price`` together.

    ``emptied``: for each customer of whom nothing is left, how many lines and orders there were, and their money.
    ``orders``: of how many orders of all customers nothing is left.
    """

    versions: pa.Table
    returns: pa.Table
    emptied: pa.Table
    orders: int


def settle_returns(lines: pa.Table) -> Settlement:
    """Settle the returns of customers against what the same customers had bought.

    Args:
        lines: all that was sold to these customers and all that they returned, in any order: row, customer_id,
            order_id, order_date, product_id and quantity (null where they are not known), amount_units (whole units of
            1/10,000 of the currency; of returns with either sign) and went_back. Further columns are only looked at
            where lines are otherwise alike.
    """
    table = lines.combine_chunks()
    back = np.asarray(table[WENT_BACK].to_numpy(), dtype=np.bool_)
    order, columns, names = _in_order(table, back)
    sold, returned = (_Lines.of(order[which], columns) for which in (~back[order], back[order]))
    books = _Books(sold, returned, len(names))
    for several in _of_one_moment(returned):
        books.settle(several)
    return books.settlement(table, names)


# --- lines in order ---------------------------------------------------------------------------------------------------


class _Lines(NamedTuple):
    """What was sold, or what was returned, by customer and moment; of one moment, what comes first stands last.

    Customer, order and product are numbers, money and price whole units, quantities whole millionths. ``at``: where the
    line is in the table.
    """

    at: Integers
    customer: Integers
    order: Integers
    product: Integers
    moment: Integers
    quantity: Integers
    units: Integers
    price: Integers

    @classmethod
    def of(cls, at: Integers, columns: dict[str, Integers]) -> _Lines:
        """The lines at these places of the table."""
        return cls(at, **{name: values[at] for name, values in columns.items()})


def _in_order(table: pa.Table, back: NDArray[np.bool_]) -> tuple[Integers, dict[str, Integers], pa.Array]:
    """The places of the lines in order, the columns by which they are, and the ids of the customers by their number."""
    names, customer = _numbered(table[CUSTOMER_ID])
    order, product = _numbered(table[ORDER_ID])[1], _numbered(table[PRODUCT_ID])[1]
    moment = np.asarray(table[ORDER_DATE].cast(pa.timestamp("us")).cast(pa.int64()).to_numpy(), dtype=np.int64)
    units = np.asarray(table[AMOUNT_UNITS].cast(pa.int64()).to_numpy(), dtype=np.int64)
    units = np.where(back, np.abs(units), units)
    said = np.asarray(table[QUANTITY].cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    millionths = np.rint(np.nan_to_num(np.abs(said) * _SCALE, nan=0.0)).astype(np.int64)
    quantity = np.where(millionths > 0, millionths, _UNKNOWN)
    # where nobody knows how many, the whole is compared
    price = np.where(quantity > 0, np.rint(units / (np.maximum(quantity, 1) / _SCALE)), units).astype(np.int64)
    columns = {
        **{"customer": customer, "order": order, "product": product, "moment": moment, "quantity": quantity},
        **{"units": units, "price": price},
    }
    keys = [-quantity, -units, -product, -order, price, moment, customer]
    places = np.lexsort(keys)
    alike = np.ones(max(len(places) - 1, 0), dtype=np.bool_)
    for key in keys:
        alike &= np.diff(key[places]) == 0
    others = sorted({*table.column_names} - {*_KEYS})
    if alike.any() and others:  # what else they say is looked at where it is needed alone
        tied = np.flatnonzero(np.append(alike, False) | np.insert(alike, 0, False))
        some = table.take(pa.array(places[tied]))
        rest = [-_numbered(some[name].cast(pa.string()))[1] for name in reversed(others)]
        places[tied] = places[tied][np.lexsort([*rest, *(key[places[tied]] for key in keys)])]
    return places, columns, names


def _numbered(column: pa.ChunkedArray) -> tuple[pa.Array, Integers]:
    """The different texts in the order of their bytes, and for each line the place of its own; -1 for none."""
    encoded = column.combine_chunks().cast(pa.string()).dictionary_encode()
    order = np.asarray(pc.sort_indices(encoded.dictionary))
    place = np.full(len(order) + 1, -1, dtype=np.int64)
    place[order] = np.arange(len(order))
    return encoded.dictionary.take(pa.array(order)), place[np.asarray(pc.fill_null(encoded.indices, -1))]


def _of_one_moment(returned: _Lines) -> Iterator[range]:
    """The returns of each customer, moment by moment, what comes first first."""
    changes = (np.diff(returned.customer) != 0) | (np.diff(returned.moment) != 0)
    starts = [0, *(np.flatnonzero(changes) + 1).tolist()] if len(returned.at) else []
    for start, stop in zip(starts, [*starts[1:], len(returned.at)], strict=False):
        yield range(stop - 1, start - 1, -1)


# --- what was bought, and what is left of it --------------------------------------------------------------------------


class _Return:
    """A return on its way.

    ``goods``: money of the goods that are still to be taken off, of which there are ``quantity``; ``beyond``: money
    that was given back beyond what was paid for goods. ``settled``: of the return's own money, by step. ``lost``: what
    was paid for goods beyond what was given back.
    """

    __slots__ = ("beyond", "goods", "line", "lost", "moment", "quantity", "settled")

    def __init__(self, returned: _Lines, line: int) -> None:
        self.line, self.moment = line, int(returned.moment[line])
        self.goods, self.quantity = int(returned.units[line]), int(returned.quantity[line])
        self.beyond, self.lost = 0, 0
        self.settled = [0, 0, 0]

    @property
    def units(self) -> int:
        """The money that is still to be taken off."""
        return self.goods + self.beyond

    @property
    def has_goods(self) -> bool:
        """Whether goods are still to be taken off."""
        return self.goods > 0 and self.quantity != 0


class _Groups:
    """Which lines have a key, in their order; by search, as few keys are ever asked for."""

    def __init__(self, keys: Integers, lines: Integers) -> None:
        sort = np.argsort(keys, kind="stable")
        self._keys, self._lines = keys[sort], lines[sort]

    def of(self, key: int) -> list[int]:
        """The lines with this key."""
        begin, end = np.searchsorted(self._keys, [key, key + 1])
        lines: list[int] = self._lines[begin:end].tolist()
        return lines


class _Product:
    """A customer's lines of one product of which goods may be left, by price and together; the first of them last."""

    def __init__(self, lines: list[int]) -> None:
        self.coming = lines[::-1]
        self.by_price: dict[int, list[int]] = defaultdict(list)
        self.all: list[int] = []


class _Books:
    """What customers bought, and what is left of it while one return after the other is taken off.

    What few lines change is in dictionaries by line; all else is looked up in what was sold.
    """

    def __init__(self, sold: _Lines, returned: _Lines, customers: int) -> None:
        self._sold, self._returned = sold, returned
        self._begins: list[int] = np.searchsorted(sold.customer, np.arange(customers + 1)).tolist()
        self._orders = int(max(sold.order.max(initial=0), returned.order.max(initial=0))) + 2
        self._products = int(max(sold.product.max(initial=0), returned.product.max(initial=0))) + 1
        self._order = sold.customer * self._orders + sold.order + 1
        own = returned.customer * self._orders + returned.order + 1
        self._own = np.where(np.isin(own, self._order), own, -1)
        self._by_order = _Groups(self._order, np.arange(len(self._order)))
        bought = sold.customer * self._products + sold.product
        wanted = returned.customer * self._products + returned.product
        goods = np.flatnonzero((sold.product >= 0) & (sold.units > 0) & np.isin(bought, wanted))
        self._by_product = _Groups(bought[goods], goods)
        # orders with lines worth nothing or less: their lines alone do not tell what is left of them
        self._mixed = {*self._order[sold.units <= 0].tolist()}
        self._opened: dict[int, _Product] = {}
        self._left: dict[int, int] = {}
        self._goods: dict[int, int] = {}  # what the goods of a line that did not go back were bought for
        self._quantity: dict[int, int] = {}
        self._gone: set[int] = set()
        self._changed: set[int] = set()
        self._spent: dict[int, tuple[int, int]] = {}  # by customer: lines from and to which nothing is left
        self._changes: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        self._settled: list[_Return] = []
        self._amounts: _Amounts | None = None
        self._now = 0

    def settle(self, several: Collection[int]) -> None:
        """Take off what one customer returned at one moment."""
        back = [_Return(self._returned, line) for line in several]
        self._now = back[0].moment
        for each in back:
            self._take_product(each)
        for step in (self._take_amount, self._take_money):
            for each in back:
                if each.units:
                    step(each)
        self._settled += back
        for line in self._changed:
            self._changes[line].append((self._now, self._left[line], self._quantity_of(line)))
        self._changed.clear()

    # --- the product ---

    def _take_product(self, back: _Return) -> None:
        product, price = int(self._returned.product[back.line]), int(self._returned.price[back.line])
        if product < 0:
            return
        own = [line for line in self._own_order(back) if self._sold.product[line] == product]
        for line in sorted(own, key=lambda line: (self._sold.price[line] == price, line), reverse=True):
            if back.has_goods:
                self._take_goods(back, line)
        bought = self._bought(int(self._returned.customer[back.line]) * self._products + product)
        for lines in (bought.by_price[price], bought.all):
            while lines and back.has_goods:
                if not self._take_goods(back, lines[-1]):
                    lines.pop()

    def _bought(self, key: int) -> _Product:
        """What a customer has bought of a product by now."""
        bought = self._opened.get(key)
        if bought is None:
            bought = self._opened[key] = _Product(self._by_product.of(key))
        while bought.coming and self._sold.moment[bought.coming[-1]] <= self._now:
            line = bought.coming.pop()
            bought.by_price[int(self._sold.price[line])].append(line)
            bought.all.append(line)
        return bought

    def _take_goods(self, back: _Return, line: int) -> bool:
        """Take off what there is of the goods; whether there was any."""
        most, quantity = max(self._most(line), 0), self._quantity_of(line)
        goods = self._goods.get(line, int(self._sold.units[line]))
        if _UNKNOWN in (quantity, back.quantity):
            money = worth = min(back.goods, most)
            some = 0
            if not worth:
                return False
        else:
            some = min(back.quantity, quantity)
            if goods <= 0 or not some:
                return False
            worth = _part(goods, some, quantity)
            money = _part(back.goods, some, back.quantity)
            back.quantity -= some
        self._goods[line] = goods - worth
        taken = min(worth, most)
        self._take(line, taken, some)
        if worth > taken:  # an earlier return without a product has taken it: that comes off other money now
            taken += self._take_latest(int(self._returned.customer[back.line]), worth - taken)
        back.goods -= money
        back.settled[0] += min(money, worth)
        back.settled[2] -= worth - taken  # or has found no purchase after all
        back.beyond += max(money - worth, 0) + worth - taken
        back.lost += max(worth - money, 0)
        return True

    # --- the amount ---

    def _take_amount(self, back: _Return) -> None:
        own = sorted(self._own_order(back), key=lambda line: (self._left_of(line) == back.units, line), reverse=True)
        self._take_from(back, own, 1)
        if back.units:
            if self._amounts is None:
                self._amounts = _Amounts(self._sold, self._order, self._begins)
                for line in self._left:
                    self._note(line)
            exactly = self._exactly(back)
            self._take_from(back, exactly if exactly != [-1] else (), 1)

    def _own_order(self, back: _Return) -> list[int]:
        """The lines by now of the order that has the number of the return."""
        key = int(self._own[back.line])
        return [] if key < 0 else self._known_of(key)

    def _known_of(self, order: int) -> list[int]:
        return [line for line in self._by_order.of(order) if self._sold.moment[line] <= self._now]

    def _exactly(self, back: _Return) -> list[int]:
        """The latest line, or the lines of the latest order, of which exactly the money of the return is left."""
        assert self._amounts is not None
        customer, units = int(self._returned.customer[back.line]), back.units
        line = next(
            (
                line
                for line in self._amounts.lines(customer, units)
                if self._sold.moment[line] <= self._now and self._most(line) == units
            ),
            -1,
        )
        known = map(self._known_of, {*self._amounts.orders(customer, units)})
        whole = [lines for lines in known if lines and self._left_of_order(lines) == units]
        latest = max(whole, key=max, default=[-1])
        return [line] if line >= max(latest) else latest[::-1]

    # --- the money ---

    def _take_money(self, back: _Return) -> None:
        money = self._take_latest(int(self._returned.customer[back.line]), back.units)
        self._count(back, money, 2)

    def _take_latest(self, customer: int, units: int) -> int:
        """Take money off a customer's latest lines; how much there was."""
        begin, end = self._begins[customer], self._begins[customer + 1]
        last = line = begin + int(np.searchsorted(self._sold.moment[begin:end], self._now, side="right")) - 1
        spent_from, spent_to = self._spent.get(customer, (end, end))
        wanted, passed = units, True  # so far nothing is left of all that was passed
        while wanted and line >= begin:
            if spent_from <= line < spent_to:
                line = spent_from - 1
                continue
            money = max(min(wanted, self._most(line)), 0)
            if money:
                self._take(line, money, 0)
                wanted -= money
            passed = passed and (self._sold.units[line] <= 0 or self._left_of(line) == 0)
            if passed:
                self._spent[customer] = (line, last + 1)
            line -= 1
        return units - wanted

    # --- what is left ---

    def _take_from(self, back: _Return, lines: Collection[int], step: int) -> None:
        """Take money off these lines, one after the other."""
        for line in lines:
            if money := max(min(back.units, self._most(line)), 0):
                self._take(line, money, 0)
                self._count(back, money, step)

    @staticmethod
    def _count(back: _Return, money: int, step: int) -> None:
        """Count money of a return as settled."""
        beyond = min(back.beyond, money)
        back.beyond -= beyond
        back.goods -= money - beyond
        back.settled[step] += money

    def _take(self, line: int, units: int, quantity: int) -> None:
        """Take money off a line, and goods."""
        self._left[line] = self._left_of(line) - units
        if quantity:
            self._quantity[line] = self._quantity_of(line) - quantity
        self._changed.add(line)
        if self._left[line] == 0:
            self._gone.add(line)
        order = int(self._order[line])
        if order in self._mixed:
            lines = self._known_of(order)
            if self._left_of_order(lines) == 0:  # gifts and discounts go with what they came with
                self._left.update(dict.fromkeys(lines, 0))
                self._changed.update(lines)
                self._gone.update(lines)
        if self._amounts is not None:
            for each in lines if order in self._mixed else [line]:
                self._note(each)

    def _note(self, line: int) -> None:
        """Let what is left of a line and of its order be found."""
        assert self._amounts is not None
        customer, order = int(self._sold.customer[line]), int(self._order[line])
        self._amounts.note("line", customer, line, self._left_of(line))
        self._amounts.note("order", customer, order, self._left_of_order(self._known_of(order)))

    def _left_of(self, line: int) -> int:
        left = self._left.get(line)
        return int(self._sold.units[line]) if left is None else left

    def _quantity_of(self, line: int) -> int:
        quantity = self._quantity.get(line)
        return int(self._sold.quantity[line]) if quantity is None else quantity

    def _left_of_order(self, lines: Collection[int]) -> int:
        return sum(map(self._left_of, lines))

    def _most(self, line: int) -> int:
        """What can be taken off a line: no more than is left of its order, where that has discounts."""
        left, order = self._left_of(line), int(self._order[line])
        return left if order not in self._mixed else min(left, self._left_of_order(self._known_of(order)))

    # --- what came of it ---

    def settlement(self, table: pa.Table, names: pa.Array) -> Settlement:
        """The tables for the caller."""
        rows = np.asarray(table[ROW].to_numpy(), dtype=np.int64)
        sold, returned = rows[self._sold.at], rows[self._returned.at]
        versions = list(self._versions(sold, table[QUANTITY]))
        back = [
            (int(returned[each.line]), None, None, None, None, sum(each.settled) + each.lost) for each in self._settled
        ]
        who = pa.array([int(self._returned.customer[each.line]) for each in self._settled], pa.int64())
        settled = {
            **{ROW: [int(returned[each.line]) for each in self._settled], CUSTOMER_ID: names.take(who)},
            **{name: [each.settled[step] for each in self._settled] for step, name in enumerate(STEPS)},
            WITHOUT_PURCHASE: [each.units for each in self._settled],
            RETURN_PRICE: [each.lost for each in self._settled],
            OFFSET_UNITS: [sum(each.settled) + each.lost for each in self._settled],
        }
        columns = list(zip(*versions, *back, strict=True)) if versions or back else [()] * len(VERSIONS)
        emptied, orders = self._emptied(names)
        return Settlement(
            pa.table([pa.array(values, kind.type) for values, kind in zip(columns, VERSIONS, strict=True)], VERSIONS),
            pa.table([pa.array(settled[kind.name], kind.type) for kind in RETURNS], RETURNS),
            emptied,
            orders,
        )

    def _versions(self, rows: Integers, quantities: pa.ChunkedArray) -> Iterator[tuple[int | float | None, ...]]:
        for line, changes in self._changes.items():
            row, starts = int(rows[line]), [moment for moment, _, _ in changes]
            yield row, None, starts[0], None, None, None
            for (start, left, quantity), end in zip(changes, [*starts[1:], None], strict=True):
                if left == 0 and line in self._gone:
                    continue
                same = quantity == int(self._sold.quantity[line])
                yield row, start, end, left, None if same else quantity / _SCALE, None

    def _emptied(self, names: pa.Array) -> tuple[pa.Table, int]:
        """Of whom nothing is left, and of how many orders."""
        gone = np.zeros(len(self._order), dtype=np.bool_)
        gone[sorted(self._gone)] = True
        orders, of_order, size = np.unique(self._order, return_inverse=True, return_counts=True)
        ended = np.bincount(of_order, gone, minlength=len(orders)).astype(np.int64) == size
        owner = orders // self._orders
        several = np.bincount(owner, minlength=len(names)) if len(orders) else np.zeros(len(names), dtype=np.int64)
        over = np.bincount(owner, ended, minlength=len(names)).astype(np.int64) if len(orders) else several
        who = np.flatnonzero((several > 0) & (several == over))
        begins = np.asarray(self._begins)
        worth = np.append(0, np.cumsum(self._sold.units))
        columns = [
            *(names.take(pa.array(who)), pa.array(begins[who + 1] - begins[who]), pa.array(several[who])),
            pa.array(worth[begins[who + 1]] - worth[begins[who]]),
        ]
        return pa.table([values.cast(kind.type) for values, kind in zip(columns, EMPTIED, strict=True)], EMPTIED), int(
            ended.sum()
        )


class _Amounts:
    """Which lines and orders of a customer come to an amount: made for the first return that undoes no product.

    Lines are the latest first. Of what changed since, what is left is noted; the others are found by search.
    ``spread``: by customer, orders whose lines are of several moments: what they come to depends on when it is asked.
    """

    def __init__(self, sold: _Lines, order: Integers, begins: list[int]) -> None:
        self._begins = begins
        self._lines = np.lexsort([np.arange(len(order)), sold.units, sold.customer])
        self._units = sold.units[self._lines]
        keys, at, of_order = np.unique(order, return_index=True, return_inverse=True)
        totals = np.zeros(len(keys), dtype=np.int64)
        np.add.at(totals, of_order, sold.units)
        spread = np.zeros(len(keys), dtype=np.bool_)
        np.logical_or.at(spread, of_order, sold.moment != sold.moment[at][of_order])
        self.spread: dict[int, list[int]] = defaultdict(list)
        for key, customer in zip(keys[spread].tolist(), sold.customer[at][spread].tolist(), strict=True):
            self.spread[customer].append(key)
        customers = sold.customer[at]
        sort = np.lexsort([totals, customers])
        sort = sort[~spread[sort]]
        self._keys, self._totals = keys[sort], totals[sort]
        self._order_begins: list[int] = np.searchsorted(customers[sort], np.arange(len(begins))).tolist()
        self._noted: dict[tuple[str, int], int] = {}
        self._by_left: dict[tuple[str, int, int], set[int]] = defaultdict(set)

    def note(self, kind: str, customer: int, which: int, left: int) -> None:
        """Note what is left of a line or an order."""
        before = self._noted.get((kind, which))
        if before is not None:
            self._by_left[kind, customer, before].discard(which)
        self._noted[kind, which] = left
        self._by_left[kind, customer, left].add(which)

    def lines(self, customer: int, units: int) -> Iterator[int]:
        """Lines with that much left, the latest first, whether they are sold by now or not."""
        changed = sorted(self._by_left.get(("line", customer, units), ()))
        begin, end = self._begins[customer], self._begins[customer + 1]
        low, high = (begin + np.searchsorted(self._units[begin:end], [units, units + 1])).tolist()
        for at in range(high - 1, low - 1, -1):
            line = int(self._lines[at])
            while changed and changed[-1] > line:
                yield changed.pop()
            if ("line", line) not in self._noted:
                yield line
        yield from reversed(changed)

    def orders(self, customer: int, units: int) -> list[int]:
        """Orders that may have that much left."""
        begin, end = self._order_begins[customer], self._order_begins[customer + 1]
        low, high = (begin + np.searchsorted(self._totals[begin:end], [units, units + 1])).tolist()
        same = [key for key in self._keys[low:high].tolist() if ("order", key) not in self._noted]
        return [*same, *self._by_left.get(("order", customer, units), ()), *self.spread.get(customer, ())]


def _part(units: int, some: int, whole: int) -> int:
    """The part of the units that some of the whole are, rounded."""
    return units if some == whole else (2 * units * some + whole) // (2 * whole)
