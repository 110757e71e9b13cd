"""Fitted models as files of plain data."""
