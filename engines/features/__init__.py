"""Customers from clean sales: one row each, as of a date."""

from engines.features.build import build_customers, customers_at
from engines.features.cohorts import cohorts
from engines.features.orders import HISTORY, order_histories
from engines.features.plugins import Extended, Feature, RegisteredFeature, extended, registered_features

__all__ = [
    "HISTORY",
    "Extended",
    "Feature",
    "RegisteredFeature",
    "build_customers",
    "cohorts",
    "customers_at",
    "extended",
    "order_histories",
    "registered_features",
]
