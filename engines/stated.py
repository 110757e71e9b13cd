"""Marker for sentences that engines write, so that pages find and translate them."""

from __future__ import annotations


def stated(sentence: str) -> str:
    """The sentence as it is. It may be an f-string: what is filled in are its places.

    Nothing is done here: engines speak English, and what they say is kept, sent and tested as plain text. The mark
    tells whoever translates which texts are said (see ``dashboard/i18n/sentences.py``); in an f-string
    ``{stated(part)}`` marks a place that holds such a text itself. Messages of errors need no mark.
    """
    return sentence
