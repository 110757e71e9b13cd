"""Backtests of the value models."""
