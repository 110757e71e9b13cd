"""Fitted models as files of names and numbers alone."""
