"""The ledger: how many lines and how much money came in, what was dropped by which rule and why, and what is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engines.columns import MONEY_SCALE


@dataclass(frozen=True)
class Reason:
    """Why a line is dropped (a rule) or only pointed out (a note), in words for people."""

    name: str
    catches: str
    because: str


_RULES = (
    Reason(
        "unreadable",
        "lines with a date, quantity, price or amount that cannot be read, up to unreadable_share of all lines",
        "Nobody knows what they were worth: their money counts as 0. Above that share the source is refused.",
    ),
    Reason(
        "missing_customer_id",
        "lines without a customer id",
        "A line that belongs to no one tells nothing about any customer; always dropped.",
    ),
    Reason(
        "cancellation",
        "lines whose order id is C or A followed by digits (C536379, A563185)",
        "A cancelled invoice or written-off debt is no sale; with a customer id it counts as a return.",
    ),
    Reason(
        "non_positive_quantity",
        "lines with a quantity of zero or less",
        "Goods that came back or a stock correction; below zero and with a customer id it counts as a return.",
    ),
    Reason(
        "non_positive_price",
        "lines with a unit price of zero or less (where quantity and unit_price are mapped)",
        "Gifts, samples and book-keeping corrections are not what a customer chose to pay for.",
    ),
    Reason(
        "negative_amount",
        "lines with an amount below zero (where amount is mapped)",
        "Money that went back to the customer; with a customer id it counts as a return.",
    ),
    Reason(
        "zero_amount",
        "lines with an amount of exactly zero (where amount is mapped), if zero_amount is drop",
        "A line worth nothing may be a gift; kept by default, because a purchase happened.",
    ),
    Reason(
        "exact_duplicate",
        "every further line that equals an earlier one in all columns of the source, if drop_exact_duplicates is on",
        "Only for sources known to repeat lines: two equal lines are usually two units of one thing.",
    ),
    Reason(
        "after_as_of",
        "lines at or after midnight of the as-of date",
        "Customers are described as they stood before that midnight; what came later must not leak in.",
    ),
)

_NOTES = (
    Reason(
        "exact_duplicate",
        "kept lines that equal an earlier kept line in all columns of the source",
        "Shown so that a source which repeats lines by mistake is noticed before its revenue is believed.",
    ),
    Reason(
        "unknown_country",
        "kept lines whose country is blank or listed in unknown_countries",
        "They count as country Unknown; a large share makes figures by country untrustworthy.",
    ),
    Reason(
        "zero_amount",
        "kept lines with an amount of exactly zero (where amount is mapped)",
        "They count as purchases worth nothing.",
    ),
)

#: Rules that drop lines, in the order in which they are asked: a line counts under the first that catches it.
RULES: Mapping[str, Reason] = {rule.name: rule for rule in _RULES}

#: What is noticed but kept.
NOTES: Mapping[str, Reason] = {note.name: note for note in _NOTES}


@dataclass(frozen=True)
class LedgerEntry:
    """Lines and money under one heading; money in 1/10,000 of the currency unit; customers where they are counted."""

    rule: str
    lines: int
    units: int
    customers: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, money in currency units."""
        revenue = self.units / MONEY_SCALE  # one correctly rounded division of integers
        if self.customers is None:
            return {"rule": self.rule, "lines": self.lines, "revenue": revenue}
        return {"lines": self.lines, "customers": self.customers, "revenue": revenue}


@dataclass(frozen=True)
class Ledger:
    """What came in, what each rule dropped, what was noticed, what is left; refuses to exist unless it adds up."""

    came_in: LedgerEntry
    rules: tuple[LedgerEntry, ...]
    notes: tuple[LedgerEntry, ...]
    left: LedgerEntry

    def __post_init__(self) -> None:
        lines = self.left.lines + sum(rule.lines for rule in self.rules)
        units = self.left.units + sum(rule.units for rule in self.rules)
        if (lines, units) != (self.came_in.lines, self.came_in.units):
            raise AssertionError(
                f"The ledger does not add up: {self.came_in.lines} lines and {self.came_in.units} units of money came "
                f"in, but rules and clean lines hold {lines} and {units}."
            )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: ``in``, ``rules``, ``notes`` and ``out``; revenue in currency units."""
        return {
            "in": self.came_in.to_dict(),
            "rules": [rule.to_dict() for rule in self.rules],
            "notes": [note.to_dict() for note in self.notes],
            "out": self.left.to_dict(),
        }
