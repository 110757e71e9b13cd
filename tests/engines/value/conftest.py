"""CDNOW's 1/10 sample up to the end of the calibration period."""

import pytest

from engines.columns import AGE, FIRST_TO_LAST, REPEAT_PURCHASES
from engines.value.lifetime.patterns import Histories
from tests.engines.value.cdnow import CALIBRATION_END, customer_table, purchase_days


@pytest.fixture(scope="session")
def days():
    """One row per customer and purchase day of the sample, zero-value lines kept."""
    return purchase_days()


@pytest.fixture(scope="session")
def customers(days):
    return customer_table(days, CALIBRATION_END)


@pytest.fixture(scope="session")
def histories(customers):
    return Histories.of(*(customers[name].to_numpy(float) for name in (REPEAT_PURCHASES, FIRST_TO_LAST, AGE)))
