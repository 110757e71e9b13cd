"""Columns that lifetime models read: repeat purchases, their timing in weeks and their value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import ibis
import pandas as pd

from engines.columns import AGE, FIRST_TO_LAST, MEAN_REPEAT_VALUE, MONEY_SCALE, REPEAT_PURCHASES
from engines.features.aggregates import DAY, SALE_LINES, UNITS
from engines.features.rfm import FIRST_DAY, LAST_DAY, PURCHASE_DAYS, SPENT, whole_days

FIRST_DAY_UNITS = "first_day_units"

#: What is made here.
COLUMNS = (REPEAT_PURCHASES, FIRST_TO_LAST, AGE, MEAN_REPEAT_VALUE)


def aggregates(days: ibis.Table) -> Mapping[str, ibis.Value]:
    """What the database computes for each customer from the aggregates of days."""
    return {FIRST_DAY_UNITS: days[UNITS].argmin(days[DAY], where=days[SALE_LINES] > 0)}


def columns(raw: pd.DataFrame, as_of: date) -> dict[str, pd.Series]:
    """x, t_x and T of Fader, Hardie and Lee (2005) with distinct days as purchases, and the mean repeat value.

    Time is in weeks. The last day that counts is the one before ``as_of``, so that T ends there.
    """
    repeats = raw[PURCHASE_DAYS] - 1
    later = (raw[SPENT] - raw[FIRST_DAY_UNITS]) / MONEY_SCALE
    return {
        REPEAT_PURCHASES: repeats,
        FIRST_TO_LAST: whole_days(raw[FIRST_DAY], raw[LAST_DAY]) / 7,
        AGE: (whole_days(raw[FIRST_DAY], pd.Timestamp(as_of)) - 1) / 7,
        MEAN_REPEAT_VALUE: (later / repeats.where(repeats > 0)).fillna(0.0),
    }
