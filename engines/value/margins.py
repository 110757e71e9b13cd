"""What of their spend customers leave: one share for all, or each customer's own after what the goods cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from engines.columns import COST, FREQUENCY, MONETARY, MONEY_SCALE

#: For how many usual orders of the shop its own share counts in that of each customer.
SHOP_ORDERS = 5
#: What is read of customers.
MARGIN_COLUMNS = (COST, FREQUENCY, MONETARY)

Source = Literal["", "setting", "cost", "loss"]


@dataclass(frozen=True)
class Margin:
    """The shares of spend that are left.

    ``of_shop``: of all customers together. ``source``: empty where CLV is the whole spend, ``setting`` for one share
    that was configured, ``cost`` where the sales say what goods cost, ``loss`` where they do and the goods cost as much
    as was paid for them or more, so that it is not believed. ``shares``: by customer, between 0 and 1.
    """

    of_shop: float
    source: Source
    shares: pd.Series


def margin_of(customers: pd.DataFrame, setting: float = 1.0) -> Margin:
    """What of the spend of customers is left.

    A customer's share is what is left of the own spend and of five usual orders of the shop at the share of the shop,
    together: ``(monetary - cost + 5 a M) / (monetary + 5 a)``, where ``M`` is the share of all customers together and
    ``a`` their average order. Who bought little has the shop's share, and who bought much the own one.

    Args:
        customers: with ``monetary``; ``frequency`` and ``cost`` where the sales say what goods cost.
        setting: one share for everyone, in place of all that costs say; 1 for none.
    """
    everyone = pd.Series(setting, index=customers.index, dtype="float64")
    if setting != 1.0 or COST not in customers or not len(customers):
        return Margin(setting, "" if setting == 1.0 else "setting", everyone)
    spent, cost, orders = _units(customers[MONETARY]), _units(customers[COST]), int(customers[FREQUENCY].sum())
    if spent <= cost or not orders:
        return Margin(1.0, "loss", everyone)
    of_shop = (spent - cost) / spent
    weight = SHOP_ORDERS * spent / orders / MONEY_SCALE
    left = customers[MONETARY] - customers[COST] + weight * of_shop
    return Margin(of_shop, "cost", (left / (customers[MONETARY] + weight)).clip(0.0, 1.0))


def _units(money: pd.Series) -> int:
    """The sum of money in whole units."""
    return int(np.rint(money.to_numpy(np.float64) * MONEY_SCALE).astype(np.int64).sum())
