"""What is known of one customer: orders, where they stand among everyone, and their segments from date to date."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
from pandas import DataFrame

from dashboard.frames.run import RunFrame
from dashboard.i18n.numbers import count, day, decimal, money, percent
from dashboard.i18n.texts import column_title, noted, say
from dashboard.queries.explain import position_of
from dashboard.queries.recent import recent_run_per_date
from dashboard.services import Services
from engines.columns import (
    AMOUNT_UNITS,
    CHURN_RISK,
    CLV,
    CLV_HIGH,
    CLV_LOW,
    COUNTRY,
    FREQUENCY,
    FUTURE_SPEND,
    ITEMS,
    LAST_PURCHASE,
    LINES,
    MONETARY,
    MONEY_SCALE,
    ORDER_DATE,
    P_PURCHASE,
    RECENCY,
)
from engines.contract import NamedSegment
from storage.contract import NotFoundError, Run

_EPOCH = date(1970, 1, 1)


class Standing(NamedTuple):
    """One figure of a customer, as text, and where it stands among everyone in the run, in words."""

    column: str
    title: str
    value: str
    words: str


class DatedSegment(NamedTuple):
    """The segment a customer was in as of a date; None where they were no customer yet."""

    run: Run
    segment: NamedSegment | None


class CustomerProfile(NamedTuple):
    """One customer of a run. ``attributes``: pairs of title and text, of what the sales say beside the orders."""

    customer_id: str
    segment: NamedSegment
    attributes: tuple[tuple[str, str], ...]
    standings: tuple[Standing, ...]


#: What is said of a figure: (worse than it are many; worse than it is nobody). Of recency the less the better.
_OF_ANY = (noted("Higher than that of {share} of customers."), noted("That of {share} of customers is higher."))
_WORDS = {
    RECENCY: (noted("More recent than {share} of customers."), noted("{share} of customers were here more recently.")),
    FREQUENCY: (noted("More orders than {share} of customers."), noted("{share} of customers have more orders.")),
    MONETARY: (noted("Spent more than {share} of customers."), noted("{share} of customers have spent more.")),
    CLV: (noted("Worth more than {share} of customers."), noted("{share} of customers are worth more.")),
    CHURN_RISK: (noted("A higher risk than {share} of customers."), noted("{share} of customers have a higher risk.")),
    P_PURCHASE: (noted("More likely than {share} of customers."), noted("{share} of customers are more likely to.")),
    FUTURE_SPEND: (noted("More than {share} of customers."), noted("{share} of customers will spend more.")),
}


def profile_of(frame: RunFrame, customer_id: str) -> CustomerProfile:
    """What a run knows of a customer.

    Raises:
        NotFoundError: the run has no such customer.
    """
    position = position_of(frame, customer_id)
    attributes = []
    if frame.has_country and frame.country_codes[position] >= 0:
        attributes.append((column_title(frame.describe(COUNTRY)), frame.countries[frame.country_codes[position]]))
    if frame.has(LAST_PURCHASE) and not np.isnan(frame.values(LAST_PURCHASE)[position]):
        last = _EPOCH + timedelta(days=int(frame.values(LAST_PURCHASE)[position]))
        attributes.append((column_title(frame.describe(LAST_PURCHASE)), day(last)))
    for name, values in frame.texts.items():
        if (text := values[position].as_py()) is not None:
            attributes.append((column_title(frame.describe(name)), text))
    standings = tuple(
        _standing(frame, name, position)
        for name in frame.customers.columns
        if (column := frame.describe(name)).shown and column.kind not in ("date", "flag")
    )
    return CustomerProfile(customer_id, frame.segments[frame.segment_codes[position]], tuple(attributes), standings)


def _standing(frame: RunFrame, column: str, position: int) -> Standing:
    title, values = column_title(frame.describe(column)), frame.values(column)
    value = float(values[position])
    if np.isnan(value):
        return Standing(column, title, "–", say("{title} is not known of this customer.", title=title))
    text = _written(frame.describe(column).kind, value, frame.currency)
    if column == CLV and frame.has(CLV_LOW) and frame.has(CLV_HIGH):
        low, high = (float(frame.values(name)[position]) for name in (CLV_LOW, CLV_HIGH))
        if low == low and high == high:
            text = say(
                "{value} ({low} to {high})",
                value=text,
                low=money(low, frame.currency),
                high=money(high, frame.currency),
            )
    less, more = int(np.count_nonzero(values < value)), int(np.count_nonzero(values > value))
    if column == RECENCY:
        less, more = more, less
    everyone = less + more + int(np.count_nonzero(values == value))
    beats, beaten = _WORDS.get(column, _OF_ANY)
    if not less and not more:
        return Standing(column, title, text, say("The same as everyone."))
    words = say(beats, share=_at_least(less / everyone)) if less else say(beaten, share=_at_least(more / everyone))
    return Standing(column, title, text, words)


def _at_least(share: float) -> str:
    """A share rounded down: whoever beats all but one of a million beats 99.9 %, not everyone."""
    return percent(max(math.floor(1000 * share) / 1000, min(share, 0.0004)))


def _written(kind: str, value: float, currency: str) -> str:
    if kind == "money":
        return money(value, currency)
    if kind == "share":
        return percent(value)
    if kind == "days":
        return say("{number} days", number=count(value))
    return count(value) if value == int(value) else decimal(value, 2)


# --- orders -----------------------------------------------------------------------------------------------------------


def orders_of(services: Services, run: Run, customer_id: str) -> DataFrame | None:
    """A customer's orders up to the date of a run, the oldest first: order_date, amount, lines, items.

    ``amount`` is in the currency; what came back is below zero. None where the snapshot was made without orders.

    Raises:
        NotFoundError: no such customer.
    """
    orders = services.store.orders(run.snapshot_id, customer_id)
    if orders is None:
        return None
    amount = orders[AMOUNT_UNITS] / MONEY_SCALE
    return DataFrame(
        {ORDER_DATE: orders[ORDER_DATE], "amount": amount, LINES: orders[LINES], ITEMS: orders[ITEMS]},
    )


def orders_dict(services: Services, run_id: int, customer_id: str) -> dict[str, Any]:
    """A customer's orders as the API gives them.

    Raises:
        NotFoundError: no such run or customer, or a snapshot without orders.
    """
    run = services.store.run(run_id)
    orders = orders_of(services, run, customer_id)
    if orders is None:
        raise NotFoundError(
            "Snapshot {snapshot_id} was made without orders; read its sales again under another name to see them.",
            snapshot_id=run.snapshot_id,
        )
    currency = services.store.snapshot(run.snapshot_id).info.get("currency")
    rows = [
        {ORDER_DATE: moment.isoformat(), "amount": amount, LINES: lines, ITEMS: None if items != items else items}
        for moment, amount, lines, items in orders.itertuples(index=False)
    ]
    return {"run": run_id, "customer_id": customer_id, "currency": currency, "orders": rows}


# --- segments from date to date ---------------------------------------------------------------------------------------


def segments_over_time(services: Services, run: Run, customer_id: str) -> list[DatedSegment]:
    """The customer's segment in a run of the same data set and engine per date, the oldest first.

    Raises:
        NotFoundError: the customer is in none of them.
    """
    history = []
    for each in recent_run_per_date(services, run):
        try:
            key = services.store.segment_of(each.id, customer_id)
        except NotFoundError:  # deleted meanwhile
            continue
        history.append(DatedSegment(each, next((item for item in each.segments if item.key == key), None)))
    if not any(then.segment for then in history):
        raise NotFoundError("Run {id} has no customer {customer_id!r}.", id=run.id, customer_id=customer_id)
    return history


def segments_dict(services: Services, run_id: int, customer_id: str) -> dict[str, Any]:
    """The customer's segments as the API gives them.

    Raises:
        NotFoundError: no such run or customer.
    """
    run = services.store.run(run_id)
    history = segments_over_time(services, run, customer_id)
    rows = [
        {
            "as_of": then.run.as_of.isoformat(),
            "run": then.run.id,
            "segment": then.segment.name if then.segment else None,
            "segment_key": then.segment.key if then.segment else None,
        }
        for then in history
    ]
    return {"run": run_id, "customer_id": customer_id, "segments": rows}
