"""Recency, frequency, monetary value and the other columns of how a customer buys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import ibis
import numpy as np
import pandas as pd

from engines.columns import (
    AVERAGE_ORDER_VALUE,
    COST,
    COST_UNITS,
    FIRST_PURCHASE,
    FREQUENCY,
    GROSS_MONETARY,
    LAST_PURCHASE,
    MEAN_DAYS_BETWEEN_ORDERS,
    MONETARY,
    MONEY_SCALE,
    NET_MONETARY,
    PURCHASE_SPAN,
    RECENCY,
    RETURN_RATE,
    TENURE,
)
from engines.features.aggregates import COSTED, DAY, RETURNED, SALE_LINES, TAKEN_OFF, UNDONE, UNITS

FIRST_DAY, LAST_DAY, PURCHASE_DAYS, ORDERS, SPENT = (
    *("first_day", "last_day", "purchase_days", "orders", "spent_units"),
)

#: What is made here.
COLUMNS = (
    *(
        RECENCY,
        FREQUENCY,
        MONETARY,
        GROSS_MONETARY,
        NET_MONETARY,
        AVERAGE_ORDER_VALUE,
        MEAN_DAYS_BETWEEN_ORDERS,
        PURCHASE_SPAN,
    ),
    *(TENURE, FIRST_PURCHASE, LAST_PURCHASE, RETURN_RATE, COST),
)


def aggregates(days: ibis.Table) -> Mapping[str, ibis.Value]:
    """What the database computes for each customer from the aggregates of days."""
    bought = days[SALE_LINES] > 0
    return {
        FIRST_DAY: days[DAY].min(where=bought),
        LAST_DAY: days[DAY].max(where=bought),
        PURCHASE_DAYS: bought.ifelse(1, 0).sum(),
        SPENT: days[UNITS].sum(),
        **{
            name: days[name].sum() for name in (RETURNED, TAKEN_OFF, UNDONE, COST_UNITS, COSTED) if name in days.columns
        },
    }


def columns(raw: pd.DataFrame, as_of: date) -> dict[str, pd.Series]:
    """Days, orders and money of each customer. An average over nothing and a share of nothing are missing."""
    first, last, midnight = raw[FIRST_DAY], raw[LAST_DAY], pd.Timestamp(as_of)
    span = whole_days(first, last)
    monetary, gross, undone = raw[SPENT] / MONEY_SCALE, raw[SPENT] + raw[TAKEN_OFF], raw[UNDONE]
    share_back = (undone / gross.where(gross > 0)).clip(upper=1.0)
    return _costs(raw) | {
        RECENCY: whole_days(last, midnight),
        FREQUENCY: raw[ORDERS],
        MONETARY: monetary,
        GROSS_MONETARY: gross / MONEY_SCALE,
        NET_MONETARY: (gross - raw[RETURNED]) / MONEY_SCALE,
        AVERAGE_ORDER_VALUE: monetary / raw[ORDERS],
        MEAN_DAYS_BETWEEN_ORDERS: span / (raw[PURCHASE_DAYS] - 1).where(raw[PURCHASE_DAYS] > 1),
        PURCHASE_SPAN: span,
        TENURE: whole_days(first, midnight),
        FIRST_PURCHASE: first,
        LAST_PURCHASE: last,
        # Nothing returned is a rate of zero even where nothing was paid; something returned for nothing paid is all.
        RETURN_RATE: share_back.where(share_back.notna(), (undone > 0).astype("float64")),
    }


def _costs(raw: pd.DataFrame) -> dict[str, pd.Series]:
    """What the goods cost that customers have, where any line says it; the others at the share of those that do."""
    if COST_UNITS not in raw:
        return {}
    known, costed = raw[COST_UNITS], raw[COSTED]
    of, all_known = int(costed.sum()), int(known.sum())
    if of <= 0:
        return {}
    unsaid = ((raw[SPENT] - costed) * (all_known / of)).round().astype("int64")
    return {COST: (known + unsaid) / MONEY_SCALE}


def whole_days(start: pd.Series, end: pd.Series | pd.Timestamp) -> pd.Series:
    """Days from each start, a known midnight, to the end, another: as ``.dt.days``, at a fraction of its cost."""
    passed = np.asarray((end - start).to_numpy())
    return pd.Series(passed.astype("timedelta64[D]").astype(np.int64), index=start.index)
