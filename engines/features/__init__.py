"""From clean sales lines to customers: one row each, described as they stood before a date."""

from engines.features.build import build_customers, customers_at

__all__ = ["build_customers", "customers_at"]
