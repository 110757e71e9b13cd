"""Made-up shops for the drift alarm: nothing changes in them, or one change that is known; customers as of any day.

Customers come at a constant rate, buy at constant rates of their own, spend amounts around a mean of their own, and
leave after a time of their own. What a shop is like (how often its customers come, how different they are, how long
they stay) is drawn with its seed. It either opens on the first day of its file, or has been running for three years.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd

from engines.columns import AVERAGE_ORDER_VALUE, CUSTOMER_ID, FREQUENCY, MONETARY, RECENCY

FIRST_DAY = date(2022, 1, 1)
DAYS = 730
#: From this day on half of the customers buy a quarter as often, at three times the value.
CHANGE = date(2023, 7, 1)
CUSTOMERS = 3_000

_RUNNING_DAYS = 3 * 365


class Shop(NamedTuple):
    """Orders by customer number, day of the file (0 is its first) and cents, in the order of days."""

    who: np.ndarray
    day: np.ndarray
    cents: np.ndarray

    def first_seen(self) -> pd.Series:
        """The day of each customer's first order in the file, by customer id."""
        who, at = np.unique(self.who, return_index=True)
        first = np.datetime64(FIRST_DAY, "D") + self.day[at].astype("m8[D]")
        return pd.Series(first.astype("datetime64[us]"), index=_ids(who))

    def customers(self, as_of: date, window_days: int) -> pd.DataFrame:
        """Who ordered in the days before a date, as the product has them: recency, orders, spend and their ratio."""
        end = (as_of - FIRST_DAY).days
        within = slice(*np.searchsorted(self.day, (end - window_days, end)))
        day, cents = self.day[within], self.cents[within]
        who, place = np.unique(self.who[within], return_inverse=True)
        last = np.zeros(len(who), dtype=np.int64)
        np.maximum.at(last, place, day)
        orders = np.bincount(place, minlength=len(who))
        spent = np.zeros(len(who), dtype=np.int64)
        np.add.at(spent, place, cents)
        columns = {
            RECENCY: end - last,
            FREQUENCY: orders,
            MONETARY: spent / 100,
            AVERAGE_ORDER_VALUE: spent / 100 / orders,
        }
        return pd.DataFrame(columns, index=_ids(who))


def make(seed: int, *, running: bool, changes: bool) -> Shop:
    """A shop of about 3,000 customers over 24 months; the same seed is the same shop.

    Args:
        seed: of everything.
        running: it has been running for three years when its file begins; else it opens then.
        changes: whether customers change on :data:`CHANGE`.
    """
    random = np.random.default_rng([seed, running, changes])
    gap, shape, stay = random.uniform(25, 90), random.uniform(0.8, 2.5), random.uniform(200, 700)
    if random.random() < 0.2:
        stay = 1e6  # nobody ever leaves
    begin, change = (-_RUNNING_DAYS if running else 0), (CHANGE - FIRST_DAY).days if changes else DAYS
    number = int(CUSTOMERS * (DAYS - begin) / (DAYS + min(stay, 700))) if running else CUSTOMERS
    came = random.uniform(begin, DAYS, number)
    left = np.minimum(came + random.exponential(stay, number), DAYS)
    rate, mean = random.gamma(shape, 1 / shape, number) / gap, np.exp(random.normal(3.0, 0.6, number))
    changed = random.random(number) < 0.5
    who, day = [np.arange(number)], [came]
    for start, end, factor in (
        (came, np.clip(change, came, left), np.ones(number)),
        (np.maximum(came, change), left, np.where(changed, 0.25, 1.0)),
    ):
        length = np.maximum(end - start, 0.0)
        orders = np.repeat(np.arange(number), random.poisson(rate * factor * length))
        who.append(orders)
        day.append(start[orders] + random.random(len(orders)) * length[orders])
    customer, when = np.concatenate(who), np.floor(np.concatenate(day)).astype(np.int64)
    dearer = np.where(changed[customer] & (when >= change), 3.0, 1.0)
    cents = np.round(100 * mean[customer] * np.exp(random.normal(0.0, 0.5, len(customer))) * dearer).astype(np.int64)
    order = np.lexsort((customer, when))
    order = order[when[order] >= 0]
    return Shop(customer[order], when[order], cents[order])


def sales(shop: Shop) -> str:
    """The orders as a file that the product reads."""
    lines = ["order_id,order_date,customer_id,amount"]
    for number, (who, day, cents) in enumerate(zip(*shop, strict=True)):
        lines.append(f"{number},{FIRST_DAY + timedelta(days=int(day))},{_id(who)},{cents / 100:.2f}")
    return "\n".join(lines)


def _id(number: int) -> str:
    return f"c{number:06d}"


def _ids(numbers: np.ndarray) -> pd.Index:
    return pd.Index([_id(number) for number in numbers.tolist()], name=CUSTOMER_ID, dtype="str")
