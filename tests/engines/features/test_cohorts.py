"""Retention by month, against a count by hand and against pandas on real sales."""

from datetime import date

import ibis
import pandas as pd
import pyarrow as pa

from engines import intake
from engines.features import cohorts


def _sales(rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "order_date", "line_type"])
    frame["order_date"] = pd.to_datetime(frame["order_date"], format="ISO8601")
    return ibis.duckdb.connect().create_table("sales", pa.Table.from_pandas(frame, preserve_index=False))


def test_cohorts_by_hand():
    sales = _sales(
        [
            ("a", "2010-12-05", "sale"),
            ("a", "2010-12-25", "sale"),
            ("a", "2011-02-01", "sale"),
            ("b", "2010-12-31 23:59", "sale"),
            ("b", "2011-01-01", "sale"),
            ("b", "2011-02-03", "return"),
            ("c", "2011-02-10", "sale"),
            ("c", "2011-03-01", "sale"),  # on the day of as_of: not known yet
            ("d", "2011-01-01", "return"),
        ]
    )
    found = cohorts(sales, as_of=date(2011, 3, 1))
    assert found == {"months": ["2010-12", "2011-02"], "active": [[2, 1, 1], [1]]}


def test_without_sales_there_are_none():
    assert cohorts(_sales([("a", "2011-01-01", "return")]), as_of=date(2012, 1, 1)) == {"months": [], "active": []}


def test_cohorts_of_cdnow_are_those_of_pandas():
    with intake.read_sales("cdnow-sample") as sales:
        found = cohorts(sales.table, as_of=sales.as_of)
        lines = sales.table.to_pyarrow().to_pandas()
    lines = lines[lines["line_type"] == "sale"]
    month = lines["order_date"].dt.to_period("M")
    first = month.groupby(lines["customer_id"]).transform("min")
    each = pd.DataFrame({"customer": lines["customer_id"], "first": first, "after": (month - first).map(lambda n: n.n)})
    expected = each.drop_duplicates().groupby(["first", "after"]).size().unstack(fill_value=0)
    assert found["months"] == [str(period) for period in expected.index]
    last = month.max()
    for period, line in zip(expected.index, found["active"], strict=True):
        assert len(line) == (last - period).n + 1
        assert line == [int(expected.loc[period].get(after, 0)) for after in range(len(line))]
    assert sum(line[0] for line in found["active"]) == lines["customer_id"].nunique()
