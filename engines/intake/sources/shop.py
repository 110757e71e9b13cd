"""Synthetic shop with three years of sales, seeded, so that it is the same everywhere."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
from numpy.random import Generator
from numpy.typing import NDArray

VERSION = 1  # raise when the same seed would make other lines
SEED = 20260101

_FIRST_DAY = np.datetime64("2023-01-01")
_DAYS = 1096  # to 2025-12-31
_CUSTOMERS = 5_000
_COUNTRIES = {
    "United Kingdom": 0.76,
    "Germany": 0.055,
    "France": 0.05,
    "Ireland": 0.03,
    "Netherlands": 0.025,
    "Spain": 0.02,
    "Belgium": 0.015,
    "Switzerland": 0.012,
    "Sweden": 0.01,
    "Portugal": 0.009,
    "Australia": 0.008,
    "Unspecified": 0.006,
}
_STYLES = (
    "RED",
    "BLUE",
    "IVORY",
    "VINTAGE",
    "RETRO",
    "FLORAL",
    "STRIPED",
    "SPOTTY",
    "WOODEN",
    "SILVER",
    "GARDEN",
    "WOODLAND",
)
_THINGS = (
    *("JUMBO BAG", "LUNCH BAG", "TOTE BAG", "SHOPPER BAG"),
    *("CHRISTMAS GARLAND", "CHRISTMAS STAR", "XMAS STOCKING"),
    *("MUG", "TEAPOT", "CAKE STAND", "DINNER PLATE", "PUDDING BOWL"),
    *("T-LIGHT HOLDER", "LANTERN", "PILLAR CANDLE", "DESK LAMP"),
    *("BIRTHDAY CARD", "GIFT WRAP", "PENCIL SET", "NOTEBOOK"),
    *("WALL CLOCK", "DOORMAT", "PICTURE FRAME", "CUSHION", "UMBRELLA"),
)
_SHELVES = np.repeat(np.arange(6), (4, 3, 5, 4, 4, 5))  # which of six tastes each thing belongs to
_CHRISTMAS = 1
_MONTHS = np.array([0.75, 0.75, 0.85, 0.85, 0.9, 0.85, 0.8, 0.8, 0.95, 1.05, 1.35, 1.3]) / 1.35

Integers = NDArray[np.int64]


def make_shop(seed: int, change: date | None = None) -> pa.Table:
    """About 90,000 invoice lines, in the columns of a common retail export, oldest first.

    Customers differ: how often they buy (gamma rates), how long they stay (exponential lifetimes), what they like and
    how much they put in the basket; a quarter buy once. With them come returns, orders without a customer id, gifts at
    no price, unknown countries and lines that are there twice.

    Args:
        seed: the same seed gives the same lines.
        change: a day on which the customers begin to behave differently, for trying out alarms: three quarters of those
        who
            are there take to ordering every ten days. Up to that day orders are those of the shop without a change,
            though not what is in them.
    """
    random = np.random.default_rng(seed)
    customer, day = _orders(random)
    if change is not None:
        customer, day = _changed(np.random.default_rng([seed, 1]), customer, day, change)
    products = len(_STYLES) * len(_THINGS)
    price = np.maximum(0.29, np.round(random.lognormal(1.0, 0.75, products), 1) - 0.05).round(2)
    fame = random.permutation(1 / np.arange(1, products + 1) ** 0.7)
    shelf = np.repeat(_SHELVES, len(_STYLES))

    # Lines: baskets differ in size between customers and a little between their orders.
    habit = random.lognormal(1.2, 0.45, _CUSTOMERS)
    size = 1 + random.poisson(habit[customer] * random.gamma(4, 1 / 4, customer.size))
    order = np.repeat(np.arange(customer.size), size)
    taste = random.integers(0, 6, _CUSTOMERS)
    wanted = np.where(random.random(order.size) < 0.5, taste[customer[order]], random.integers(0, 6, order.size))
    festive = (_month(day[order]) >= 9) & (random.random(order.size) < 0.2)
    product = _pick(random, np.where(festive, _CHRISTMAS, wanted), shelf, fame)
    bulk = np.where(random.random(_CUSTOMERS) < 0.03, random.lognormal(2.2, 0.5, _CUSTOMERS), 1.0)
    quantity = np.maximum(1, np.round(random.gamma(1.4, 1.6, order.size) * bulk[customer[order]])).astype(np.int64)

    minute = random.integers(8 * 60, 20 * 60, customer.size)
    guest = random.random(customer.size) < 0.08
    country = random.choice(len(_COUNTRIES), _CUSTOMERS, p=np.array(list(_COUNTRIES.values())))
    free = random.random(order.size) < 0.002
    lines = {
        "order": order,
        "prefix": np.zeros(order.size, dtype=np.int64),
        "minute": day[order] * 24 * 60 + minute[order],
        "product": product,
        "quantity": quantity,
        "pence": np.where(free, 0, np.round(price[product] * 100)).astype(np.int64),
        "customer": np.where(guest[order], -1, customer[order]),
        "country": country[customer[order]],
    }
    lines = _with_returns(random, lines)
    twice = np.sort(np.concatenate([np.arange(lines["order"].size), _some(random, lines["order"].size, 0.005)]))
    lines = {name: values[twice] for name, values in lines.items()}
    return _written(lines, random.permutation(_CUSTOMERS))


def _orders(random: Generator) -> tuple[Integers, Integers]:
    """Who orders on which day, oldest first: the first order, then more at the customer's own rate until they leave."""
    came = np.minimum(random.gamma(1.3, 380, _CUSTOMERS), random.uniform(0, _DAYS, _CUSTOMERS)).astype(np.int64)
    rate = np.where(random.random(_CUSTOMERS) < 0.25, 0.0, random.gamma(0.9, 1 / 55, _CUSTOMERS))  # orders per day
    stays = np.minimum(random.exponential(420, _CUSTOMERS), _DAYS - came)
    more = random.poisson(rate * stays)
    who = np.repeat(np.arange(_CUSTOMERS), more)
    when = came[who] + np.floor(random.random(who.size) * stays[who]).astype(np.int64)
    in_season = random.random(who.size) < _MONTHS[_month(when)]
    customer = np.concatenate([np.arange(_CUSTOMERS), who[in_season]])
    day = np.concatenate([came, when[in_season]])
    oldest_first = np.lexsort((customer, day))
    return customer[oldest_first], day[oldest_first]


def _changed(random: Generator, customer: Integers, day: Integers, change: date) -> tuple[Integers, Integers]:
    """The orders with those that a change of behaviour adds from a day on, oldest first."""
    start = int((np.datetime64(change) - _FIRST_DAY).astype(np.int64))
    known = np.unique(customer[day < start])
    keen = known[random.random(known.size) < 0.75]
    more = random.poisson((_DAYS - start) / 10, keen.size)
    who = np.concatenate([customer, np.repeat(keen, more)])
    when = np.concatenate([day, start + random.integers(0, _DAYS - start, int(more.sum()))])
    oldest_first = np.lexsort((who, when))
    return who[oldest_first], when[oldest_first]


def _pick(random: Generator, wanted: Integers, shelf: Integers, fame: NDArray[np.float64]) -> Integers:
    """A product from each wanted shelf, the well-known ones more often."""
    product = np.empty(wanted.size, dtype=np.int64)
    for number in range(6):
        here = np.flatnonzero(wanted == number)
        offered = np.flatnonzero(shelf == number)
        product[here] = random.choice(offered, here.size, p=fame[offered] / fame[offered].sum())
    return product


def _with_returns(random: Generator, lines: dict[str, Integers]) -> dict[str, Integers]:
    """Some lines come back days later, on an invoice that starts with C; a few customers return most things."""
    count = lines["order"].size
    returner = random.random(_CUSTOMERS) < 0.04
    often = np.where(returner[lines["customer"]] & (lines["customer"] >= 0), 0.4, 0.012)
    back = np.flatnonzero(random.random(count) < often)
    later = lines["minute"][back] + random.integers(1, 21, back.size) * 24 * 60
    back, later = back[later < _DAYS * 24 * 60], later[later < _DAYS * 24 * 60]
    returned = {name: values[back] for name, values in lines.items()}
    returned |= {"prefix": np.ones(back.size, dtype=np.int64), "minute": later, "quantity": -returned["quantity"]}
    joined = {name: np.concatenate([values, returned[name]]) for name, values in lines.items()}
    oldest_first = np.lexsort((joined["product"], joined["order"], joined["prefix"], joined["minute"]))
    return {name: values[oldest_first] for name, values in joined.items()}


def _written(lines: dict[str, Integers], number: Integers) -> pa.Table:
    """The lines as an export would have them: invoice numbers in the order of time, codes, names and dates."""
    key = lines["order"] * 2 + lines["prefix"]
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    rank = np.empty(first.size, dtype=np.int64)
    rank[np.argsort(first)] = np.arange(first.size)
    invoice = (400_001 + rank[place]).astype(str)
    names = np.array([f"{style} {thing}" for thing in _THINGS for style in _STYLES])
    codes = np.array([f"{20_000 + 7 * index}" for index in range(names.size)])
    known = lines["customer"] >= 0
    countries = np.array(list(_COUNTRIES))
    return pa.table(
        {
            "Invoice": np.where(lines["prefix"] == 1, np.char.add("C", invoice), invoice),
            "StockCode": codes[lines["product"]],
            "Description": names[lines["product"]],
            "Quantity": lines["quantity"],
            "InvoiceDate": _FIRST_DAY.astype("datetime64[s]") + lines["minute"].astype("timedelta64[m]"),
            "Price": lines["pence"] / 100,
            "Customer ID": pa.array(10_001 + number[lines["customer"]], mask=~known),
            "Country": countries[lines["country"]],
        }
    )


def _month(day: Integers) -> Integers:
    """Month from 0 of days since the first."""
    return (_FIRST_DAY + day).astype("datetime64[M]").astype(np.int64) % 12


def _some(random: Generator, count: int, share: float) -> Integers:
    return np.flatnonzero(random.random(count) < share)
