"""Cleaning sales: every line gets at most one reason to be dropped, in a fixed order, and returns are set apart."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import ibis

from engines.columns import (
    AMOUNT,
    AMOUNT_UNITS,
    ATTRIBUTE,
    COUNTRY,
    CUSTOMER_ID,
    DESCRIPTION,
    LINE_TYPE,
    ORDER_DATE,
    ORDER_ID,
    PRODUCT_ID,
    QUANTITY,
    RETURN,
    SALE,
    UNKNOWN_COUNTRY,
)
from engines.intake.ledger import Ledger, LedgerEntry
from engines.intake.parsing import LINE, LINE_HASH, PRICE_UNITS, UNREADABLE

SALES_COLUMNS = (
    *(CUSTOMER_ID, ORDER_ID, ORDER_DATE, QUANTITY, AMOUNT_UNITS, PRODUCT_ID, DESCRIPTION, COUNTRY, LINE_TYPE),
)

_RULE, _REPEATED, _UNKNOWN, _ZERO = "rule", "repeated", "unknown", "zero"
_NOTE_FLAGS = {"exact_duplicate": _REPEATED, "unknown_country": _UNKNOWN, "zero_amount": _ZERO}
_CANCELLED = "^[CA][0-9]+$"  # not every id that starts so: CA-2016-152156 is an order like any other


@dataclass(frozen=True)
class CleaningRules:
    """Which lines are dropped; the same names and defaults as [cleaning] in config.toml."""

    drop_cancellations: bool = True
    drop_non_positive_quantity: bool = True
    drop_non_positive_price: bool = True
    zero_amount: str = "keep"
    drop_exact_duplicates: bool = False
    unknown_countries: tuple[str, ...] = ("Unspecified", "Unknown", "N/A")


def flag_lines(lines: ibis.Table, rules: CleaningRules, fields: Collection[str]) -> ibis.Table:
    """The lines with ``rule`` (why a line is dropped, null for those that stay) and a flag for each note.

    ``after_as_of`` is not among the reasons yet: the default as-of date follows from the lines that stay.
    """
    conditions = _conditions(lines, rules, fields)
    unknown = tuple({name.strip().lower() for name in rules.unknown_countries} | {""})
    no_country = lines[COUNTRY].isnull() | lines[COUNTRY].lower().isin(sorted(unknown))
    return lines.mutate(
        **{
            _RULE: ibis.cases(*((condition, ibis.literal(name)) for name, condition in conditions.items())),
            _REPEATED: _repeated(lines),
            _UNKNOWN: no_country if COUNTRY in fields else ibis.literal(False),
            _ZERO: (lines[AMOUNT_UNITS] == 0) if AMOUNT in fields else ibis.literal(False),
        }
    )


def sale_days(flagged: ibis.Table) -> tuple[date, date] | None:
    """The days of the first and the last line that stays; None where none does."""
    days = flagged.filter(flagged[_RULE].isnull())[ORDER_DATE]
    (row,) = days.as_table().aggregate(first=days.min(), last=days.max()).to_pyarrow().to_pylist()
    return None if row["first"] is None else (row["first"].date(), row["last"].date())


def reasons(flagged: ibis.Table) -> dict[str, int]:
    """How many lines each reason has dropped so far."""
    rows = (
        flagged.group_by(_RULE).aggregate(lines=flagged.count()).order_by(ibis.desc("lines")).to_pyarrow().to_pylist()
    )
    return {row[_RULE]: row["lines"] for row in rows if row[_RULE] is not None}


def cut(flagged: ibis.Table, as_of: date) -> ibis.Table:
    """The flagged lines with ``after_as_of`` as the last reason."""
    late = flagged[_RULE].isnull() & (flagged[ORDER_DATE] >= ibis.timestamp(as_of.isoformat()))
    return flagged.mutate(**{_RULE: late.ifelse("after_as_of", flagged[_RULE])})


def clean_lines(flagged: ibis.Table, fields: Collection[str], as_of: date) -> ibis.Table:
    """Sales and returns before the as-of date, in the columns of clean sales.

    A return is a dropped line (cancelled, negative quantity or negative amount) of a known customer; its amount is
    negative whatever sign the source gave it.
    """
    sale = flagged[_RULE].isnull()
    went_back = flagged[_RULE].isin(["cancellation", "non_positive_quantity", "negative_amount"]) & (
        (flagged[QUANTITY].fill_null(-1) != 0) & (flagged[AMOUNT_UNITS] != 0)
    )
    kept = flagged.filter((sale | went_back) & (flagged[ORDER_DATE] < ibis.timestamp(as_of.isoformat())))
    sale = kept[_RULE].isnull()
    day = kept[CUSTOMER_ID] + "/" + kept[ORDER_DATE].strftime("%Y-%m-%d")  # an order is a customer's day
    country = kept[_UNKNOWN].ifelse(UNKNOWN_COUNTRY, kept[COUNTRY])
    return kept.mutate(
        **{
            ORDER_ID: kept[ORDER_ID].fill_null(day),
            AMOUNT_UNITS: sale.ifelse(kept[AMOUNT_UNITS], -kept[AMOUNT_UNITS].abs()),
            COUNTRY: country if COUNTRY in fields else kept[COUNTRY],
            LINE_TYPE: sale.ifelse(SALE, RETURN),
        }
    ).select(*SALES_COLUMNS, *(name for name in kept.columns if name.startswith(ATTRIBUTE)))


def balance(flagged: ibis.Table, rules: CleaningRules, fields: Collection[str]) -> Ledger:
    """The ledger of flagged and cut lines; money is summed as integers.

    Raises:
        AssertionError: lines or money do not add up, which is a defect of ours.
    """
    asked = (*_conditions(flagged, rules, fields), "after_as_of")
    stays = flagged[_RULE].isnull()
    units = flagged[AMOUNT_UNITS]
    by_rule = flagged.group_by(_RULE).aggregate(lines=flagged.count(), units=units.sum()).to_pyarrow().to_pylist()
    dropped = {row[_RULE]: (row["lines"], row["units"]) for row in by_rule}
    left = dropped.pop(None, (0, 0))
    flags = {name: flagged[flag] & stays for name, flag in _NOTE_FLAGS.items() if _applies(name, rules, fields)}
    totals = flagged.aggregate(
        lines=flagged.count(),
        units=units.sum(),
        customers=flagged[CUSTOMER_ID].nunique(),
        customers_left=flagged[CUSTOMER_ID].nunique(where=stays),
        **{f"lines_{name}": flag.sum() for name, flag in flags.items()},
        **{f"units_{name}": units.sum(where=flag) for name, flag in flags.items()},
    )
    (total,) = totals.to_pyarrow().to_pylist()
    return Ledger(
        came_in=LedgerEntry("in", total["lines"], total["units"], total["customers"]),
        rules=tuple(LedgerEntry(name, *dropped.get(name, (0, 0))) for name in asked),
        notes=tuple(LedgerEntry(name, total[f"lines_{name}"] or 0, total[f"units_{name}"] or 0) for name in flags),
        left=LedgerEntry("out", *left, total["customers_left"]),
    )


def _conditions(lines: ibis.Table, rules: CleaningRules, fields: Collection[str]) -> dict[str, ibis.Value]:
    """What each rule that applies asks of a line, in the order of the ledger."""
    conditions: dict[str, ibis.Value] = {
        "unreadable": lines[UNREADABLE].notnull(),
        "missing_customer_id": lines[CUSTOMER_ID].isnull(),
    }
    if ORDER_ID in fields and rules.drop_cancellations:
        conditions["cancellation"] = lines[ORDER_ID].re_search(_CANCELLED)
    if QUANTITY in fields and rules.drop_non_positive_quantity:
        conditions["non_positive_quantity"] = lines[QUANTITY] <= 0
    if AMOUNT in fields:
        conditions["negative_amount"] = lines[AMOUNT_UNITS] < 0
        if rules.zero_amount == "drop":
            conditions["zero_amount"] = lines[AMOUNT_UNITS] == 0
    elif rules.drop_non_positive_price:
        conditions["non_positive_price"] = lines[PRICE_UNITS] <= 0
    if rules.drop_exact_duplicates:
        conditions["exact_duplicate"] = _repeated(lines)
    return conditions


def _repeated(lines: ibis.Table) -> ibis.Value:
    """Whether an earlier line is equal in all columns; equal lines have equal reasons, so the first is the one kept."""
    return ibis.row_number().over(group_by=LINE_HASH, order_by=LINE) > 0


def _applies(note: str, rules: CleaningRules, fields: Collection[str]) -> bool:
    return {
        "exact_duplicate": not rules.drop_exact_duplicates,
        "unknown_country": COUNTRY in fields,
        "zero_amount": AMOUNT in fields and rules.zero_amount == "keep",
    }[note]
