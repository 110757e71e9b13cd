"""Texts, numbers and dates in the language of the request."""
