"""What the playbook says of a segment: its meaning, and why its advice is given or is not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from dashboard.i18n.numbers import round_money
from dashboard.i18n.texts import say, segment_name
from engines.contract import NamedSegment, Play
from engines.naming.advice import why_advised, why_not
from engines.naming.naming import play_of
from engines.naming.neutral import parts_of


class Advice(NamedTuple):
    """``description``: what the name means, where that is true of the customers; ``why``: one line, or nothing.

    ``why`` says by which facts the playbook's action is given, or why there is none for these customers.
    """

    description: str
    why: str


def advice_on(segment: NamedSegment, plays: Sequence[Play], currency: str) -> Advice:
    """The playbook's meaning of a segment's name and the reason of its advice, in the language of the request.

    Of segments of earlier versions no facts are known: they have their meaning and no reason.
    """
    play, facts = play_of(segment.name, plays), segment.facts
    if play is None:
        neutral = parts_of(segment.name) and not segment.action
        why = say("No advice: no name of the playbook is true of these customers.") if neutral else ""
        return Advice("", why)
    if not play.holds(facts) and facts is not None:
        why = say(
            "No advice: that for {name} is not meant for such customers ({reasons}).",
            name=segment_name(play.name),
            reasons=say(why_not(play, facts, partial(round_money, currency=currency))),
        )
        return Advice("", "" if segment.action else why)
    description = say(play.description) if play.description else ""
    if facts is None or segment.action != play.action:
        return Advice(description, "")
    return Advice(description, say(why_advised(play, facts, partial(round_money, currency=currency))))
