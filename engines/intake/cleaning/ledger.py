"""Ledger of cleaning: lines and money that came in, what each rule dropped and why, and what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from engines.columns import MONEY_SCALE


@dataclass(frozen=True)
class Reason:
    """Why a line is dropped (a rule) or only pointed out (a note), in words for people."""

    name: str
    catches: str
    because: str


@dataclass(frozen=True)
class LedgerEntry:
    """Lines and money under one heading; money in 1/10,000 of the currency unit.

    ``customers`` and ``orders`` are distinct ones, None where they cannot be counted: an order may have lines under
    several headings, so that these do not add up as lines and money do.
    """

    rule: str
    lines: int
    units: int
    customers: int | None = None
    orders: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, money in currency units."""
        heading = {} if self.rule in ("in", "out") else {"rule": self.rule}
        counted = {"orders": self.orders, "customers": self.customers}
        return {
            **heading,
            "lines": self.lines,
            **{name: number for name, number in counted.items() if number is not None},
            "revenue": self.units / MONEY_SCALE,  # one correctly rounded division of integers
        }

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any], rule: str = "") -> Self:
        """From what :meth:`to_dict` made; ``rule`` where that says none."""
        units = round(entry["revenue"] * MONEY_SCALE)  # as exact as the division was
        return cls(entry.get("rule", rule), entry["lines"], units, entry.get("customers"), entry.get("orders"))


@dataclass(frozen=True)
class Ledger:
    """What came in, what each rule dropped, what was noticed, what is left; refuses to exist unless it adds up.

    ``parts``: where returns take off what they undo, what is left as the lines sold and what returns took off them, by
    how they were settled; otherwise empty. ``totals``: gross (what was sold), returned and net, whether returns take
    off or not; empty in ledgers that were kept before there were any.
    """

    came_in: LedgerEntry
    rules: tuple[LedgerEntry, ...]
    notes: tuple[LedgerEntry, ...]
    left: LedgerEntry
    parts: tuple[LedgerEntry, ...] = ()
    totals: tuple[LedgerEntry, ...] = ()

    def __post_init__(self) -> None:
        self._check(self.came_in, (*self.rules, self.left), "came in, but rules and clean lines hold")
        if self.parts:
            self._check(self.left, self.parts, "are left, but lines sold and returned hold")

    @staticmethod
    def _check(whole: LedgerEntry, parts: Sequence[LedgerEntry], words: str) -> None:
        lines, units = sum(part.lines for part in parts), sum(part.units for part in parts)
        if (lines, units) != (whole.lines, whole.units):
            raise AssertionError(
                f"The ledger does not add up: {whole.lines} lines and {whole.units} units of money {words} {lines} "
                f"and {units}."
            )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, in currency units: in, rules, notes, out, totals and, where returns take off, parts."""
        lists = {"parts": self.parts, "totals": self.totals}
        more = {name: [entry.to_dict() for entry in entries] for name, entries in lists.items() if entries}
        return {
            "in": self.came_in.to_dict(),
            "rules": [rule.to_dict() for rule in self.rules],
            "notes": [note.to_dict() for note in self.notes],
            "out": self.left.to_dict(),
            **more,
        }

    @classmethod
    def from_dict(cls, ledger: Mapping[str, Any]) -> Self:
        """From what :meth:`to_dict` made."""
        rules, notes, parts, totals = (
            tuple(map(LedgerEntry.from_dict, ledger.get(name, ()))) for name in ("rules", "notes", "parts", "totals")
        )
        came_in, left = (LedgerEntry.from_dict(ledger[name], name) for name in ("in", "out"))
        return cls(came_in, rules, notes, left, parts, totals)
