"""Customers of kinds that anyone would name alike, and the shipped playbook's names for them."""

import numpy as np
import pandas as pd

from dashboard.config import load_config
from engines.columns import FREQUENCY, MONETARY, RECENCY, TENURE
from engines.contract import Segment
from engines.naming.naming import name_segments

PLAYS = load_config().plays
BY_NAME = {play.name: play for play in PLAYS}


def made(*kinds):
    """50 customers of each kind (recency, frequency, monetary), a little different from one another.

    Orders are whole, and 20 days lie between two of them.
    """
    generator = np.random.default_rng(0)
    rows = np.repeat(np.array(kinds, dtype=float), 50, axis=0) * generator.uniform(0.9, 1.1, (50 * len(kinds), 3))
    customers = pd.DataFrame(
        rows, columns=[RECENCY, FREQUENCY, MONETARY], index=[f"c{n:05d}" for n in range(len(rows))]
    )
    customers[FREQUENCY] = customers[FREQUENCY].round().clip(lower=1)
    customers[TENURE] = customers[RECENCY] + 20 * (customers[FREQUENCY] - 1)
    return customers, pd.Series(np.repeat(np.arange(len(kinds)), 50), index=customers.index)


def named(customers, labels, plays=PLAYS, previous=None, segments=None):
    segments = segments or [Segment(int(key)) for key in sorted(set(labels))]
    return {item.key: item for item in name_segments(customers, labels, segments, plays, previous)}


BEST, LOYAL, NEW, GONE_BEST, GONE = (5, 20, 2000), (40, 9, 700), (4, 1, 30), (300, 18, 1800), (330, 1, 20)
