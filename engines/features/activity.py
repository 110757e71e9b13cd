"""Who came for the first time and who came again, day by day: what a season shows itself in."""

from __future__ import annotations

import ibis
import pandas as pd
from pandas import DataFrame

from engines.columns import CUSTOMER_ID, HOLDS_FROM, LINE_TYPE, NEWCOMERS, ORDER_DATE, REPEATS, SALE


def purchase_days(sales: ibis.Table) -> DataFrame:
    """How many customers bought on each day, as sold: what went back later was bought all the same.

    Args:
        sales: clean lines, as for ``build_customers``; on any backend of Ibis.

    Returns:
        ``newcomers`` and ``repeats`` (int64), indexed by day (datetime64), the earliest first; days without a purchase
        are left out. A day's figures do not depend on what came after it.
    """
    sold = sales.filter(sales[LINE_TYPE] == SALE)
    if HOLDS_FROM in sales.columns:
        sold = sold.filter(sold[HOLDS_FROM].isnull())
    days = sold.select(CUSTOMER_ID, day=sold[ORDER_DATE].date()).distinct()
    first = days.group_by(CUSTOMER_ID).aggregate(first=days.day.min())
    joined = days.inner_join(first, CUSTOMER_ID)
    is_first = joined["first"] == joined["day"]
    counted = joined.group_by("day").aggregate(
        **{NEWCOMERS: is_first.sum().cast("int64"), REPEATS: (~is_first).sum().cast("int64")}
    )
    table = counted.order_by("day").to_pyarrow()
    index = pd.DatetimeIndex(pd.to_datetime(table["day"].to_pandas()), name="day")
    return DataFrame({name: table[name].to_numpy() for name in (NEWCOMERS, REPEATS)}, index=index)
