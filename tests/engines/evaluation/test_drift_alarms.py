"""The drift alarm is quiet where nothing changes, whatever the history of a shop, and rings soon where customers do."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from engines import features
from engines.columns import AVERAGE_ORDER_VALUE, FREQUENCY, MONETARY, RECENCY
from engines.intake import read_sales
from tests.engines.evaluation import drift_alarms
from tests.engines.evaluation import made_up_shops as shops

FEW = 6  # bootstrap refits; the long test has the twenty that users get


@pytest.mark.parametrize("running", [False, True])
def test_where_nothing_changes_there_is_no_alert(running):
    found = drift_alarms.points(1, running=running, changes=False, bootstraps=FEW)
    assert len(found) == 12
    assert [point.as_of for point in found if point.alert] == []
    sizes = [shift.size for point in found for shift in point.shifts]
    assert len(sizes) == 48
    assert max(sizes) < 0.05


@pytest.mark.parametrize("running", [False, True])
def test_a_change_of_half_the_customers_is_found_within_three_months(running):
    found = drift_alarms.points(1, running=running, changes=True, bootstraps=FEW)
    causes = {point.as_of: point.cause for point in found}
    assert not any(cause for day, cause in causes.items() if day <= shops.CHANGE.isoformat())
    assert any(causes[day] for day in ("2023-08-01", "2023-09-01", "2023-10-01"))
    moved = max(found[-1].shifts, key=lambda shift: shift.size)
    assert moved.column == AVERAGE_ORDER_VALUE
    assert moved.now > moved.before


def test_customers_of_a_made_up_shop_are_those_that_the_product_makes_of_its_sales(tmp_path):
    shop = shops.make(4, running=True, changes=True)
    path, day = tmp_path / "shop.csv", date(2023, 9, 1)
    path.write_text(shops.sales(shop), encoding="utf-8")
    columns = [RECENCY, FREQUENCY, MONETARY, AVERAGE_ORDER_VALUE]
    with read_sales(str(path)) as sales:
        window = features.SalesWindow(date(2023, 6, 2), day)
        ((_, made),) = features.customers_within(sales.table, [window], columns=columns)
        first = features.first_days(sales.table)
    mine = shop.customers(day, 91)
    assert mine.index.tolist() == made.index.tolist()
    np.testing.assert_allclose(mine[columns].to_numpy(), made[columns].to_numpy(), rtol=1e-12)
    assert first.equals(shop.first_seen().rename(first.name))


@pytest.mark.slow
def test_false_alarms_and_detections_are_what_the_docs_say():
    calm, changed = drift_alarms.all_alarms()
    print(drift_alarms.tables(calm, changed))
    assert all(alarms.share <= 0.05 for alarms in calm)
    assert sum(alarms.found[-1] for alarms in changed) >= 36
    assert drift_alarms.tables(calm, changed) == drift_alarms.in_docs()
