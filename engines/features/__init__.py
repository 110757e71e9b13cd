"""Customers from clean sales: one row each, as of a date."""

from engines.features.activity import purchase_days
from engines.features.build import build_customers, customers_at
from engines.features.cohorts import cohorts
from engines.features.holding import holding, takes_off
from engines.features.orders import customer_orders, oldest_first
from engines.features.plugins import Extended, Feature, RegisteredFeature, extended, registered_features
from engines.features.within import SalesWindow, customers_within, first_days, lines_within

__all__ = [
    "Extended",
    "Feature",
    "RegisteredFeature",
    "SalesWindow",
    "build_customers",
    "cohorts",
    "customer_orders",
    "customers_at",
    "customers_within",
    "extended",
    "first_days",
    "holding",
    "lines_within",
    "oldest_first",
    "purchase_days",
    "registered_features",
    "takes_off",
]
