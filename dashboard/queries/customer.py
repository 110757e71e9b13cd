"""What is known of one customer: orders and what was in them, where they stand among everyone, and their segments."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
from pandas import DataFrame

from dashboard.frames.run import RunFrame
from dashboard.i18n.numbers import count, day, decimal, money, percent
from dashboard.i18n.texts import column_title, noted, say
from dashboard.pipeline.purchases import lines_of_customer, mapped_fields
from dashboard.queries.explain import position_of
from dashboard.queries.recent import recent_run_per_date
from dashboard.services import Services
from engines import features
from engines.columns import (
    AMOUNT_UNITS,
    ATTRIBUTE,
    CHURN_RISK,
    CLV,
    CLV_HIGH,
    CLV_LOW,
    COUNTRY,
    DESCRIPTION,
    FREQUENCY,
    ITEMS,
    LAST_PURCHASE,
    LEFT,
    LINE_TYPE,
    LINES,
    MONETARY,
    MONEY_SCALE,
    ORDER_DATE,
    ORDER_ID,
    P_PURCHASE,
    PRODUCT_ID,
    QUANTITY,
    RECENCY,
    RETURN_RATE,
    SALE,
)
from engines.contract import NamedSegment
from storage.contract import NotFoundError, Run, StoreError

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


#: Who returned at least this share of what they bought is marked.
MUCH_RETURNED = 0.5


class CustomerProfile(NamedTuple):
    """One customer of a run.

    ``attributes``: pairs of title and text, of what the sales say beside the orders. ``returned``: the share of what
    was bought that came back, where it is much.
    """

    customer_id: str
    segment: NamedSegment
    attributes: tuple[tuple[str, str], ...]
    standings: tuple[Standing, ...]
    returned: float | None = None


#: What is said of a figure: (worse than it are many; worse than it is nobody). Of recency the less the better.
_OF_ANY = (noted("Higher than that of {share} of customers."), noted("That of {share} of customers is higher."))
_WORDS = {
    RECENCY: (noted("More recent than {share} of customers."), noted("{share} of customers were here more recently.")),
    FREQUENCY: (noted("More orders than {share} of customers."), noted("{share} of customers have more orders.")),
    MONETARY: (noted("Spent more than {share} of customers."), noted("{share} of customers have spent more.")),
    CLV: (noted("Worth more than {share} of customers."), noted("{share} of customers are worth more.")),
    CHURN_RISK: (noted("A higher risk than {share} of customers."), noted("{share} of customers have a higher risk.")),
    P_PURCHASE: (noted("More likely than {share} of customers."), noted("{share} of customers are more likely to.")),
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
    rate = float(frame.values(RETURN_RATE)[position]) if frame.has(RETURN_RATE) else 0.0
    segment = frame.segments[frame.segment_codes[position]]
    return CustomerProfile(customer_id, segment, tuple(attributes), standings, rate if rate >= MUCH_RETURNED else None)


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


# --- orders and what was in them --------------------------------------------------------------------------------------


class Purchases(NamedTuple):
    """What a customer bought up to the date of a run.

    ``orders``, the oldest first: order_id, sold, order_date, lines, items, amount, left. ``amount`` is in the currency,
    as it was sold; what came back is below zero, and a row of its own beside what was sold. ``left`` is what returns
    have not taken off, missing for what came back. ``lines``: those of the latest orders, the oldest first: order_id,
    sold, product, quantity, amount; None where the sales name no products. ``takes_off``: whether returns take off what
    they undo.
    """

    orders: DataFrame
    lines: DataFrame | None
    takes_off: bool


def purchases_of(services: Services, run: Run, customer_id: str, *, most_orders: int, most_lines: int) -> Purchases:
    """A customer's orders, and the lines of the latest: of so many orders and lines at most, of one order at least.

    Raises:
        NotFoundError: no such customer, or no sales are kept with the run's snapshot.
        StoreError: the kept sales are missing or altered, or the object store cannot be used.
    """
    snapshot = services.store.snapshot(run.snapshot_id)
    with lines_of_customer(snapshot, customer_id, services.config, services.store) as lines:
        orders, takes_off = features.customer_orders(lines), features.takes_off(lines)
        amounts = {"amount": orders[AMOUNT_UNITS] / MONEY_SCALE, LEFT: orders[LEFT] / MONEY_SCALE}
        orders = orders.assign(**amounts).drop(columns=AMOUNT_UNITS)
        if not {PRODUCT_ID, DESCRIPTION} & {*mapped_fields(snapshot)}:
            return Purchases(orders, None, takes_off)
        latest = orders.iloc[::-1].iloc[:most_orders]
        count_of = max(1, int((latest[LINES].cumsum() <= most_lines).sum()))
        listed = lines.filter(lines[ORDER_ID].isin(latest[ORDER_ID].iloc[:count_of].unique().tolist()))
        rows = _with_figures(features.oldest_first(listed).limit(most_lines).to_pyarrow().to_pandas())
    rows["product"] = rows[DESCRIPTION].fillna(rows[PRODUCT_ID])
    return Purchases(orders, rows[[ORDER_ID, "sold", "product", QUANTITY, "amount"]], takes_off)


class ReturnedEverything(NamedTuple):
    """Who returned all that they bought, and so is no customer of a run: the money of it, and how many orders."""

    customer_id: str
    gross: float
    returned: float
    orders: int


def returned_everything(services: Services, run: Run, customer_id: str) -> ReturnedEverything | None:
    """What is known of somebody who returned everything up to the date of a run; None of anybody else.

    Nobody is known where no sales are kept with the run's snapshot, or where returns do not take off.
    """
    snapshot = services.store.snapshot(run.snapshot_id)
    try:
        with lines_of_customer(snapshot, customer_id, services.config, services.store) as lines:
            if not features.takes_off(lines):
                return None
            orders = features.customer_orders(lines)
    except (NotFoundError, StoreError):
        return None
    sold = orders[orders["sold"]]
    if not ((sold[LEFT] == 0) & (sold[AMOUNT_UNITS] != 0)).all():
        return None
    gross = int(sold[AMOUNT_UNITS].sum()) / MONEY_SCALE
    return ReturnedEverything(customer_id, gross, gross - int(sold[LEFT].sum()) / MONEY_SCALE, len(sold))


def _with_figures(lines: DataFrame) -> DataFrame:
    """Lines with ``sold``, ``amount`` and ``price`` in the currency; the quantity of what came back is below zero."""
    sold, quantity = lines[LINE_TYPE] == SALE, lines[QUANTITY].astype("float64")
    units = lines[AMOUNT_UNITS]
    price = (units.abs() / quantity.abs().where(quantity != 0)).round() / MONEY_SCALE
    return lines.assign(
        sold=sold, quantity=quantity.where(sold, -quantity.abs()), amount=units / MONEY_SCALE, price=price
    )


def orders_dict(services: Services, run_id: int, customer_id: str) -> dict[str, Any]:
    """A customer's orders as the API gives them.

    Raises:
        NotFoundError: no such run or customer, or no sales are kept with its snapshot.
        StoreError: as :func:`purchases_of`.
    """
    run = services.store.run(run_id)
    snapshot = services.store.snapshot(run.snapshot_id)
    with lines_of_customer(snapshot, customer_id, services.config, services.store) as lines:
        orders = features.customer_orders(lines)
    rows = [
        {
            ORDER_DATE: moment.isoformat(),
            "amount": units / MONEY_SCALE,
            LINES: count_of,
            ITEMS: None if items != items else items,
            LEFT: None if left != left else left / MONEY_SCALE,
        }
        for moment, units, count_of, items, left in orders[[ORDER_DATE, AMOUNT_UNITS, LINES, ITEMS, LEFT]].itertuples(
            index=False
        )
    ]
    return {"run": run_id, "customer_id": customer_id, "currency": snapshot.info.get("currency"), "orders": rows}


def purchases_dict(services: Services, run_id: int, customer_id: str, offset: int, limit: int) -> dict[str, Any]:
    """The lines of a customer's orders as the API gives them.

    Raises:
        NotFoundError: no such run or customer, or no sales are kept with its snapshot.
        StoreError: as :func:`purchases_of`.
    """
    run = services.store.run(run_id)
    snapshot = services.store.snapshot(run.snapshot_id)
    mapped = mapped_fields(snapshot)
    with lines_of_customer(snapshot, customer_id, services.config, services.store) as lines:
        ordered = features.oldest_first(lines)
        total = ordered.count().to_pyarrow().as_py()
        page = ordered.limit(limit, offset=offset).to_pyarrow()
    figures = _with_figures(page.to_pandas())
    columns = {name: page[name].to_pylist() for name in (ORDER_ID, ORDER_DATE, PRODUCT_ID, DESCRIPTION)}
    columns |= {name: figures[name].tolist() for name in (QUANTITY, "price", "amount")}
    columns["returned"] = (~figures["sold"]).tolist()
    more = [name for name in page.column_names if name.startswith(ATTRIBUTE) or (name == COUNTRY and COUNTRY in mapped)]
    columns |= {name: page[name].to_pylist() for name in more}
    return {
        **{"run": run_id, "customer_id": customer_id, "currency": snapshot.info.get("currency")},
        **{"total": total, "offset": offset, "next_offset": offset + limit if offset + limit < total else None},
        "purchases": [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)],
    }


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
