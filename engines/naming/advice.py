"""Why the playbook's advice for a name is given to a segment, or is not: one line with the figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from engines.contract import Facts, Play
from engines.messages import message, noted

#: What is so of a segment, by the fact: with its own figure and that of all customers.
_SO = {
    "repeat_share": noted("{mean:.0%} ordered more than once (all: {all:.0%})"),
    "recency": noted("last order {mean:,.0f} days ago on average (all: {all:,.0f})"),
    "tenure": noted("first order {mean:,.0f} days ago on average (all: {all:,.0f})"),
    "frequency": noted("{mean:,.1f} orders on average (all: {all:,.1f})"),
    "spend": noted("{mean} spent on average (all: {all})"),
}


def plain_number(amount: float) -> str:
    """An amount of money where its currency is not at hand: ``2,054``."""
    return f"{amount:,.0f}"


def why_advised(play: Play, facts: Facts, money: Callable[[float], str] = plain_number) -> str:
    """The facts by which a name of the playbook is true of a segment; empty where the playbook asks for nothing.

    Args:
        play: the name's entry, whose conditions are true.
        facts: of the segment.
        money: how an amount is written.
    """
    failed = play.when.failed(facts, ranked=True)  # the rank, where a rule has given the name
    reasons = _listed((ask[1] for ask in play.when.asked() if ask not in failed), facts, money)
    return message("Why this advice: {reasons}.", reasons=reasons) if reasons else ""


def why_not(play: Play, facts: Facts, money: Callable[[float], str] = plain_number) -> str:
    """The facts by which a name is not true of a segment: ``last order 53 days ago on average (all: 93)``."""
    return _listed((fact for _, fact, _ in play.when.failed(facts)), facts, money)


def name_not_true(play: Play, called: str, facts: Facts) -> str:
    """A note that a name that a rule gives would not be true of its customers, and what they are called instead."""
    return message(
        "{name} would not be true of the customers whom the rule calls so ({reasons}): they are called {called}.",
        name=play.name,
        reasons=why_not(play, facts),
        called=called,
    )


def _listed(facts_named: Iterable[str], facts: Facts, money: Callable[[float], str]) -> str:
    text = ""
    without_money = facts.spend_of_all == 0
    for fact in dict.fromkeys(facts_named):
        if without_money and fact in ("spend", "spend_rank"):
            continue
        words = _words(fact, facts, money)
        text = message("{first}; {second}", first=text, second=words) if text else words
    return text


def _words(fact: str, facts: Facts, money: Callable[[float], str]) -> str:
    if fact == "spend_rank":
        if facts.recency <= facts.recency_of_all:
            return message("number {n} by mean spend among the segments that came as recently", n=facts.spend_rank)
        return message("number {n} by mean spend among the segments that are away as long", n=facts.spend_rank)
    mean, everyone = getattr(facts, fact), getattr(facts, f"{fact}_of_all")
    if mean is None:
        return message("the day of the first order is not known")
    if fact == "spend":
        mean, everyone = money(mean), money(everyone)
    return message(_SO[fact], mean=mean, all=everyone)
