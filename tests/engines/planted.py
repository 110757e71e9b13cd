"""Customers in groups that are there for certain."""

import numpy as np
import pandas as pd

from engines.columns import FREQUENCY, MONETARY, RECENCY

FEATURES = (RECENCY, FREQUENCY, MONETARY)


def planted(groups=4, each=150, seed=3):
    """Customers around so many places, far apart against their spread (already on one scale, so nothing is logged)."""
    generator = np.random.default_rng(seed)
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1], [3, 3, -3], [-3, 3, 3]])[:groups] * 10.0
    places = np.repeat(corners, each, axis=0) + generator.normal(size=(groups * each, 3))
    index = pd.Index([f"c{number:05d}" for number in generator.permutation(len(places))], name="customer_id")
    return pd.DataFrame(places + 100, index=index, columns=list(FEATURES))
