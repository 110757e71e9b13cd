"""Customers valued by models fitted earlier: the same ones get the same values, and one alone gets its own."""

import json

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from engines import features, intake, value


@pytest.fixture(scope="module")
def customers():
    with intake.read_sales("cdnow-sample") as sales:
        return features.build_customers(sales.table, as_of=sales.as_of)


def test_the_customers_of_the_fit_get_what_they_had(customers):
    found = value.estimate(customers, horizon_weeks=39, discount_rate=0.2)
    model = json.loads(json.dumps(found.model))
    assert_frame_equal(value.revalue(customers, model), found.columns, check_exact=True)


def test_a_customer_alone_gets_what_it_has_in_the_crowd(customers):
    found = value.estimate(customers)
    for place in (0, 5, 1_234):
        alone = value.revalue(customers.iloc[[place]], found.model)
        assert_frame_equal(alone, found.columns.iloc[[place]], rtol=1e-12)
    twice = value.revalue(pd.concat([customers.iloc[:3], customers.iloc[:3]]), found.model)
    assert_frame_equal(twice.iloc[:3], twice.iloc[3:])
