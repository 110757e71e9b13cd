"""CDNOW's 1/10 sample as the literature on customer value has it, made here and not by our own reading."""

import importlib.util
from pathlib import Path

import pandas as pd

from engines.columns import AGE, FIRST_TO_LAST, MEAN_REPEAT_VALUE, MONETARY, REPEAT_PURCHASES

CALIBRATION_END = pd.Timestamp("1997-09-30")


def load(name):
    from lifetimes import datasets

    return Path(importlib.util.find_spec(datasets.__name__).origin).parent / name


def purchase_days():
    """One row per customer and purchase day of the sample, zero-value lines kept."""
    lines = pd.read_csv(
        load("CDNOW_sample.txt"),
        sep=r"\s+",
        names=["master", "customer", "day", "cds", "dollars"],
        dtype={"master": str, "customer": str},
    )
    lines["day"] = pd.to_datetime(lines["day"].astype(str), format="%Y%m%d")
    return lines.groupby(["customer", "day"], as_index=False)["dollars"].sum()


def customer_table(days, last_day):
    seen = days[days["day"] <= last_day].copy()
    first = seen.groupby("customer")["day"].transform("min")
    seen["repeat"] = seen["day"] > first
    grouped = seen.groupby("customer")
    repeats = seen[seen["repeat"]].groupby("customer")["dollars"]
    table = pd.DataFrame(
        {
            REPEAT_PURCHASES: grouped["repeat"].sum(),
            FIRST_TO_LAST: (grouped["day"].max() - grouped["day"].min()).dt.days / 7,
            AGE: (last_day - grouped["day"].min()).dt.days / 7,
            MEAN_REPEAT_VALUE: repeats.mean(),
            MONETARY: grouped["dollars"].sum(),
        }
    )
    return table.fillna({MEAN_REPEAT_VALUE: 0.0})
