"""A feature of one's own: how much of the spend falls on weekends."""

from datetime import date

import ibis
from pandas import Series

from engines.columns import AMOUNT_UNITS, CUSTOMER_ID, ORDER_DATE, Column


class WeekendShare:
    column = Column(
        "weekend_share",
        "Weekend share",
        "share",
        "share of monetary",
        "spend on Saturdays and Sundays / monetary",
        "How much of the spend falls on weekends.",
    )

    def build(self, sales: ibis.Table, *, as_of: date) -> Series:
        weekend = sales[ORDER_DATE].day_of_week.index() >= 5
        sums = sales.group_by(CUSTOMER_ID).agg(
            total=sales[AMOUNT_UNITS].sum(), weekend=ibis.ifelse(weekend, sales[AMOUNT_UNITS], 0).sum()
        )
        frame = sums.to_pyarrow().to_pandas().set_index(CUSTOMER_ID)
        return frame["weekend"] / frame["total"].where(frame["total"] != 0)
