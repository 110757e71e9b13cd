"""A change of behaviour planted in the made-up shop is found when it comes, and none is found where there is none."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow.parquet as pq
import pytest

from engines import features
from engines.evaluation.calendar import plan
from engines.evaluation.stability_index import WATCHED
from engines.evaluation.timeline import timeline
from engines.intake import read_sales
from engines.intake.sources.shop import make_shop
from engines.kmeans import KMeans

PLANTED = date(2025, 7, 1)
FROZEN = date(2025, 4, 1)
END = date(2025, 10, 1)
#: The alarm is in time at the first date that knows of the change, or at one of the two after it.
IN_TIME = {"2025-08-01", "2025-09-01", "2025-10-01"}


def alarms(folder, seed, change, **more):
    path = folder / "shop.parquet"
    pq.write_table(make_shop(seed, change), path)
    with read_sales(str(path), as_of=END) as sales:
        planned = plan(sales.first_day, sales.as_of, freeze=FROZEN)
        tables, recent = (
            {
                window.as_of: customers
                for window, customers in features.customers_within(
                    sales.table,
                    [features.SalesWindow(day - timedelta(days=days), day) for day in planned.dates],
                    columns=WATCHED,
                )
            }
            for days in (planned.window_days, planned.recent_days)
        )
        found = timeline(
            KMeans(k=2),
            tables.items(),
            recent=recent,
            first_seen=features.first_days(sales.table),
            seed=seed,
            **more,
        )
    return {point.as_of for point in found.points if point.alert}


def test_orders_before_the_change_are_those_of_the_shop_without_it():
    def visits(change):
        lines = make_shop(3, change).select(["InvoiceDate", "Customer ID"]).to_pandas()
        return (
            lines[lines["InvoiceDate"].dt.date < PLANTED].groupby(lines["InvoiceDate"].dt.date)["Customer ID"].nunique()
        )

    # of some 14 a day: guests, who have no id, differ
    assert visits(PLANTED).sub(visits(None), fill_value=0).abs().mean() < 3
    assert len(make_shop(3, PLANTED)) > 1.5 * len(make_shop(3))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_the_alarm_rings_when_it_should(tmp_path, seed):
    # eight refits per date say how far chance goes; the long test has the twenty that users get
    found = alarms(tmp_path, seed, PLANTED, bootstraps=8)
    assert found & IN_TIME
    assert found <= IN_TIME
    assert alarms(tmp_path, seed, None, bootstraps=8) == set()


@pytest.mark.slow
def test_hits_and_false_alarms_over_twenty_seeds(tmp_path):
    hits = early = false = 0
    for seed in range(20):
        found = alarms(tmp_path, seed, PLANTED)
        hits += bool(found & IN_TIME)
        early += bool(found - IN_TIME)
        false += bool(alarms(tmp_path, seed, None))
    print(f"{hits} hits, {early} alarms before the change, {false} false alarms in the control, of 20 seeds each")
    assert (hits, early, false) == (20, 0, 0)
