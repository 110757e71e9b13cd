"""A value model of one's own: what customers did in the last period they will do again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pandas import DataFrame

from engines.columns import AGE, MONETARY, REPEAT_PURCHASES
from engines.contract import knob
from engines.errors import InputError
from engines.value.contract import ValueModel, Window


@dataclass(frozen=True)
class Pace:
    """Each customer's purchases and spend per week so far, over no fewer weeks than ``least``."""

    least: float
    parameters: dict[str, float]

    def predict(self, customers: DataFrame, weeks: float) -> DataFrame:
        share = weeks / np.maximum(customers[AGE], self.least)
        purchases = customers[REPEAT_PURCHASES] * share
        return DataFrame(
            {"expected_purchases": purchases, "future_spend": customers[MONETARY] * share}, dtype="float64"
        )


@dataclass(frozen=True)
class LastPeriodAgain(ValueModel):
    title = "Last period again"
    summary = "Takes customers to go on as they have so far."
    answers = ("expected_purchases", "future_spend")
    learns = False

    least_weeks: float = knob(13.0, low=1.0, high=104.0, help="Who came later than this counts as having come then.")

    def fit(self, customers: DataFrame, past: Sequence[Window]) -> Pace:
        if not len(customers):
            raise InputError("There are no customers to go on from; check what cleaning dropped.")
        return Pace(self.least_weeks, {"least_weeks": self.least_weeks})
