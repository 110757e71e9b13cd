"""Cleaning of sales: every line gets at most one reason to be dropped, in a fixed order, and returns are set apart."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

import ibis

from engines.columns import (
    AMOUNT_UNITS,
    ATTRIBUTE,
    CANCELLED_AT,
    COST_UNITS,
    COUNTRY,
    CUSTOMER_ID,
    DESCRIPTION,
    DISCOUNT,
    HOLDS_FROM,
    HOLDS_UNTIL,
    IS_TEST,
    LINE_TYPE,
    OFFSET_UNITS,
    ORDER_DATE,
    ORDER_ID,
    PRODUCT_ID,
    QUANTITY,
    RETURN,
    SALE,
    STATUS,
    UNKNOWN_COUNTRY,
)
from engines.intake.cleaning.currency import LOST
from engines.intake.cleaning.ledger import Ledger, LedgerEntry
from engines.intake.cleaning.offsets import ROWS_PER_LINE, SETTLED, Offsets
from engines.intake.cleaning.outliers import usual_amounts
from engines.intake.cleaning.returns import BY_PRODUCT, RETURN_PRICE, ROW, STEPS, WENT_BACK, WITHOUT_PURCHASE
from engines.intake.cleaning.rules import (
    ADDED,
    AFTER_AS_OF,
    EXACT_DUPLICATE,
    NOT_A_SALE,
    NOTES,
    ONLY_RETURNS,
    REFUNDED,
    REPEATED,
    RETURN_LINE,
    RETURN_RULES,
    RETURN_SIGN,
    RETURNED,
    RETURNED_EVERYTHING,
    RULES,
    SOLD,
    Asked,
    conditions,
    note_conditions,
)
from engines.intake.schema.parsing import ABOUT_LINES, LINE, LINE_HASH, PRICE_UNITS, UNREADABLE
from engines.settings import CleaningRules

SALES_COLUMNS = (
    *(CUSTOMER_ID, ORDER_ID, ORDER_DATE, QUANTITY, AMOUNT_UNITS, PRODUCT_ID, DESCRIPTION, COUNTRY, LINE_TYPE),
)

#: What rules look at; which of them apply does not depend on any lines.
_LINES = ibis.table(
    {
        **dict.fromkeys((CUSTOMER_ID, ORDER_ID, PRODUCT_ID, DESCRIPTION, COUNTRY, UNREADABLE), "string"),
        **{
            ORDER_DATE: "timestamp",
            QUANTITY: "float64",
            PRICE_UNITS: "int64",
            AMOUNT_UNITS: "int64",
            REPEATED: "boolean",
        },
    },
    name="lines",
)


class Step(NamedTuple):
    """What a step of cleaning made: the name of the relation of lines, and notes for who reads them."""

    relation: str
    notes: tuple[str, ...] = ()


#: Columns of flagged lines, beside whether they are returns: why a line is dropped, and one for each note.
RULE, NOTE = "rule", "note_"


def flag_lines(lines: ibis.Table, rules: CleaningRules, fields: Collection[str], *, detail: bool = True) -> ibis.Table:
    """The lines with ``rule``, ``went_back`` and a flag for each note, as far as each line says it by itself.

    Args:
        lines: as they were parsed.
        rules: which lines are dropped.
        fields: those that the source has.
        detail: whether descriptions, countries and attributes are carried along, and products and quantities beyond
            what returns are settled by; the ledger needs none.
    """
    asked = Asked(lines, rules, fields)
    flagged = lines.mutate(
        **{
            RULE: _first_of(conditions(asked, compares=False)),
            **{name: flag.fill_null(False) for name, flag in _notes(asked, compares=False).items()},
        }
    )
    worth = (flagged[QUANTITY].fill_null(-1) != 0) & (flagged[AMOUNT_UNITS] != 0)
    flagged = flagged.mutate(**{WENT_BACK: (flagged[RULE].isin(RETURN_RULES) & worth).fill_null(False)})
    whose = (CUSTOMER_ID, ORDER_ID, ORDER_DATE, AMOUNT_UNITS, *((COST_UNITS,) if COST_UNITS in lines.columns else ()))
    goods = (QUANTITY, PRODUCT_ID) if detail or rules.net else ()
    told = (DESCRIPTION, COUNTRY, *(name for name in lines.columns if name.startswith(ATTRIBUTE)))
    flags = (name for name in flagged.columns if name in (RULE, WENT_BACK) or name.startswith(NOTE))
    about = (name for name in lines.columns if name in (*ABOUT_LINES, LOST))
    return flagged.select(*about, *flags, *whose, *goods, *(told if detail else ()))


def compare_lines(
    flagged: ibis.Table, rules: CleaningRules, fields: Collection[str], as_of: date | None = None
) -> ibis.Table:
    """Flagged lines with the rules and notes that compare lines with one another.

    ``after_as_of`` is not among the reasons yet: the default as-of date follows from the lines that stay. Where it is
    given, what is usual is learnt from the lines before it alone.
    """
    if rules.drop_exact_duplicates:
        flagged = with_repeated(flagged)
    asked = Asked(flagged, rules, fields)
    staying = flagged.filter(_with_rule(asked).isnull())
    if as_of is not None:
        staying = staying.filter(staying[ORDER_DATE] < ibis.timestamp(as_of.isoformat()))
    asked = replace(asked, bounds=usual_amounts(staying, rules.outlier_z))
    return flagged.mutate(
        **{
            RULE: _with_rule(asked),
            **{name: flag.fill_null(False) for name, flag in _notes(asked, compares=True).items()},
        }
    )


def _with_rule(asked: Asked) -> ibis.Value:
    compared = conditions(asked, compares=True)
    return ibis.coalesce(asked.lines[RULE], _first_of(compared)) if compared else asked.lines[RULE]


def _notes(asked: Asked, *, compares: bool) -> dict[str, ibis.Value]:
    return {f"{NOTE}{name}": flag for name, flag in note_conditions(asked, compares=compares).items()}


def with_repeated(lines: ibis.Table) -> ibis.Table:
    """The lines with ``repeated``: whether an earlier one is equal in all columns of the source.

    Equal lines have equal reasons, so that the first is the one that is kept.
    """
    if REPEATED in lines.columns:
        return lines
    joined = lines.left_join(_several(lines), LINE_HASH).drop(f"{LINE_HASH}_right")
    return joined.mutate(**{REPEATED: (joined.first_line < joined[LINE]).fill_null(False)}).drop("first_line")


def _several(lines: ibis.Table) -> ibis.Table:
    """The first of the lines that are equal in all columns of the source, where there are several."""
    counted = lines.group_by(LINE_HASH).aggregate(equal=lines.count(), first_line=lines[LINE].min())
    return counted.filter(counted.equal > 1).drop("equal")


def kept_lines(lines: ibis.Table) -> ibis.Table:
    """Of lines that say each by itself why it is dropped, those that stay or went back, as they are kept.

    They have ``line_hash``, of which they are to be ordered, and all that the clean sales of any date follow from.
    """
    staying = with_repeated(lines.filter(lines[RULE].isnull() | lines[WENT_BACK]))
    return staying.drop(*(name for name in (*ABOUT_LINES, LOST) if name in staying.columns and name != LINE_HASH))


def sale_days(flagged: ibis.Table) -> tuple[date, date] | None:
    """The days of the first and the last line that stays; None where none does."""
    days = flagged.filter(flagged[RULE].isnull())[ORDER_DATE]
    (row,) = days.as_table().aggregate(first=days.min(), last=days.max()).to_pyarrow().to_pylist()
    return None if row["first"] is None else (row["first"].date(), row["last"].date())


def reasons(flagged: ibis.Table) -> dict[str, int]:
    """How many lines each reason has dropped so far."""
    rows = flagged.group_by(RULE).aggregate(lines=flagged.count()).order_by(ibis.desc("lines")).to_pyarrow().to_pylist()
    return {row[RULE]: row["lines"] for row in rows if row[RULE] is not None}


def cut(flagged: ibis.Table, rules: CleaningRules, as_of: date) -> ibis.Table:
    """The flagged lines with ``after_as_of`` as the last reason, of sales and of netted returns alike."""
    late = flagged[ORDER_DATE] >= ibis.timestamp(as_of.isoformat())
    counts = flagged[RULE].isnull() | flagged[WENT_BACK] if rules.net else flagged[RULE].isnull()
    return flagged.mutate(
        **{
            RULE: (late & counts).ifelse(AFTER_AS_OF, flagged[RULE]),
            WENT_BACK: flagged[WENT_BACK] & ~late,
        }
    )


def with_rows(flagged: ibis.Table) -> ibis.Table:
    """Flagged lines with ``row``: a number that no other of them has."""
    row = flagged[LINE] * ROWS_PER_LINE
    if ADDED in flagged.columns:
        row += ibis.cases((flagged[ADDED] == DISCOUNT, 1), (flagged[ADDED] == REFUNDED, 2), else_=0)
    return flagged.mutate(**{ROW: row.cast("int64")})


def with_settled(flagged: ibis.Table, offsets: Offsets) -> ibis.Table:
    """Flagged lines with ``settled``, how a return was settled, and ``offset_units``, what it took off."""
    return flagged.left_join(offsets.settled, ROW).drop(f"{ROW}_right")


def clean_lines(
    flagged: ibis.Table, rules: CleaningRules, fields: Collection[str], versions: ibis.Table | None = None
) -> ibis.Table:
    """Sales and returns of flagged and cut lines, in the columns of clean sales.

    A return is a dropped line (cancelled, negative quantity or negative amount) of a known customer; its amount is
    negative whatever sign the source gave it. Where returns take off what they undo, ``versions`` says what is left of
    lines from which moment on (see :mod:`engines.intake.cleaning.returns`).
    """
    kept = flagged.filter(flagged[RULE].isnull() | flagged[WENT_BACK])
    sale = kept[RULE].isnull()
    day = kept[CUSTOMER_ID] + "/" + kept[ORDER_DATE].strftime("%Y-%m-%d")  # an order is a customer's day
    missing = {QUANTITY: "float64", **dict.fromkeys((PRODUCT_ID, DESCRIPTION, COUNTRY), "string")}
    missing = {name: kind for name, kind in missing.items() if name not in kept.columns}  # read for the ledger alone
    if missing:
        kept = kept.mutate(**{name: ibis.null(kind) for name, kind in missing.items()})
    held: tuple[str, ...] = ()
    if versions is not None:
        held = (HOLDS_FROM, HOLDS_UNTIL, OFFSET_UNITS)
        kept = kept.drop(*(name for name in held if name in kept.columns))
        kept = kept.left_join(versions.rename({"left_units": AMOUNT_UNITS, "left_quantity": QUANTITY}), ROW)
        kept = kept.mutate(
            **({COST_UNITS: _cost_left(kept)} if COST_UNITS in kept.columns else {}),
            **{
                AMOUNT_UNITS: ibis.coalesce(kept.left_units, kept[AMOUNT_UNITS]),
                QUANTITY: ibis.coalesce(kept.left_quantity, kept[QUANTITY]),
            },
        )
        sale, day = kept[RULE].isnull(), kept[CUSTOMER_ID] + "/" + kept[ORDER_DATE].strftime("%Y-%m-%d")
    country = kept[COUNTRY]
    if COUNTRY in fields:
        country = kept[f"{NOTE}unknown_country"].ifelse(UNKNOWN_COUNTRY, country)
    return kept.mutate(
        **{
            ORDER_ID: kept[ORDER_ID].fill_null(day),
            AMOUNT_UNITS: sale.ifelse(kept[AMOUNT_UNITS], -kept[AMOUNT_UNITS].abs()),
            COUNTRY: country,
            LINE_TYPE: sale.ifelse(SALE, RETURN),
        }
    ).select(
        *(*SALES_COLUMNS, *held),
        *(name for name in kept.columns if name == COST_UNITS or name.startswith(ATTRIBUTE)),
    )


def _cost_left(lines: ibis.Table) -> ibis.Value:
    """What the goods cost that are left of a line: the part of its cost that is left of its money, in whole units."""
    cost, left, sold = lines[COST_UNITS], lines.left_units, lines[AMOUNT_UNITS]
    part = (cost.cast("float64") * left.cast("float64") / sold.cast("float64")).round().cast("int64")
    return ibis.cases((left.isnull() | (sold <= 0) | cost.isnull(), cost), else_=part)


def dropped_lines(flagged: ibis.Table, rules: CleaningRules) -> ibis.Table:
    """The flagged and cut lines that count nowhere, neither as sales nor by what they undo."""
    dropped = flagged.filter(flagged[RULE].notnull())
    if ADDED in dropped.columns:  # no lines of the source
        dropped = dropped.filter(dropped[ADDED].isnull())
    if not rules.net:
        return dropped
    dropped = dropped.filter(~dropped[WENT_BACK] | (dropped[SETTLED] == WITHOUT_PURCHASE))
    return dropped.mutate(**{RULE: dropped[WENT_BACK].ifelse(WITHOUT_PURCHASE, dropped[RULE])})


# --- the ledger -------------------------------------------------------------------------------------------------------


def balance(
    flagged: ibis.Table,
    rules: CleaningRules,
    fields: Collection[str],
    before: Ledger | None = None,
    offsets: Offsets | None = None,
) -> Ledger:
    """The ledger of flagged, compared and cut lines; money is summed as integers.

    ``before``: the ledger of all lines of the source, as of whatever date, where these are those that stay or went
    back. ``offsets``: what returns took off, where they do.

    Raises:
        AssertionError: lines or money do not add up, which is a defect of ours.
    """
    flags = {name: f"{NOTE}{name}" for name in NOTES if f"{NOTE}{name}" in flagged.columns}
    with _together(flagged, rules, fields, flags.values()).cache() as lines:
        counted = rules.drop_exact_duplicates or EXACT_DUPLICATE in flags
        repeated = [] if counted else [_repeated(flagged, fields)]
        return _balanced(lines, flags, rules, fields, repeated, before, offsets)


def _repeated(flagged: ibis.Table, fields: Collection[str]) -> LedgerEntry:
    """The kept lines that an earlier line equals."""
    sold = flagged.filter(flagged[RULE].isnull())
    lines = sold.join(_several(flagged), LINE_HASH)
    lines = lines.filter(lines.first_line < lines[LINE])
    lines = lines.mutate(lines=ibis.literal(1), goes_out=lines[AMOUNT_UNITS])
    (row,) = lines.aggregate(**_measures(lines, fields)).to_pyarrow().to_pylist()
    return _entry(EXACT_DUPLICATE, row)


def _together(flagged: ibis.Table, rules: CleaningRules, fields: Collection[str], flags: Collection[str]) -> ibis.Table:
    """Lines that the ledger cannot tell apart as one: distinct orders and customers are counted among far fewer rows.

    Columns: heading, customer_id, order_id where orders are named, a flag for each note; how many lines, and their
    money as it came in (amount_units) and as it goes out; how many of them went back, and their money below zero.
    """
    netted, units = flagged[WENT_BACK] if rules.net else ibis.literal(False), flagged[AMOUNT_UNITS]
    lines = flagged.mutate(
        heading=netted.ifelse(RETURNED, flagged[RULE].fill_null(SOLD)), goes_out=netted.ifelse(-units.abs(), units)
    )
    orders, went = (ORDER_ID,) if ORDER_ID in fields else (), flagged[WENT_BACK]
    lines = lines.mutate(back_lines=went.cast("int64"), back_units=went.ifelse(-units.abs(), 0))
    if ADDED not in lines.columns:
        return lines.group_by("heading", CUSTOMER_ID, *orders, *flags).aggregate(
            lines=lines.count(),
            **{name: lines[name].sum() for name in (AMOUNT_UNITS, "goes_out", "back_lines", "back_units")},
        )
    # what was added to a line that is dropped drops with it, and never came in
    counts = lines[ADDED].isnull() | lines.heading.isin([SOLD, RETURNED, REFUNDED])
    lines = lines.mutate(goes_out=counts.ifelse(lines.goes_out, 0))
    came_in = lines[ADDED].isnull()
    return lines.group_by("heading", CUSTOMER_ID, *orders, *flags, ADDED).aggregate(
        lines=came_in.sum(),
        rows=lines.count(),
        back_lines=came_in.ifelse(lines.back_lines, 0).sum(),
        **{AMOUNT_UNITS: came_in.ifelse(lines[AMOUNT_UNITS], 0).sum(), "goes_out": lines.goes_out.sum()},
        back_units=lines.back_units.sum(),
    )


def _balanced(
    lines: ibis.Table,
    flags: Mapping[str, str],
    rules: CleaningRules,
    fields: Collection[str],
    repeated: Collection[LedgerEntry],
    before: Ledger | None,
    offsets: Offsets | None,
) -> Ledger:
    by_heading = lines.group_by("heading").aggregate(**_measures(lines, fields)).to_pyarrow().to_pylist()
    found = {row["heading"]: _entry(row["heading"], row) for row in by_heading}
    sold = lines.heading == SOLD
    totals = {
        **_measures(lines, fields, "in_", money=AMOUNT_UNITS),
        **_measures(lines, fields, "out_", where=sold),
        **_measures(lines, fields, "back_", money="back_units", where=lines.back_units < 0),
        "back_lines": lines.back_lines.sum(),
        **{
            name: measure
            for note, flag in flags.items()
            for name, measure in _measures(lines, fields, f"{note}_", where=sold & lines[flag]).items()
        },
    }
    (total,) = lines.aggregate(**totals).to_pyarrow().to_pylist()
    asked = Asked(_LINES, rules, fields)
    alone, compared = conditions(asked, compares=False), conditions(asked, compares=True)
    applied = {*alone, *compared, AFTER_AS_OF, *(["outlier"] if rules.drop_outliers else [])}
    if before is not None:  # what a line says by itself is the same as of any date
        found |= {entry.rule: entry for entry in before.rules if entry.rule in (*alone, NOT_A_SALE, RETURN_LINE)}
    # what becomes of orders is said where the source has a field for it, or where there is such a line
    said = {NOT_A_SALE} if {STATUS, CANCELLED_AT, IS_TEST, LINE_TYPE} & {*fields} else set()
    said |= {RETURN_LINE} if LINE_TYPE in fields else set()
    applied = (applied - {NOT_A_SALE}) | said | ({NOT_A_SALE, RETURN_LINE} & {*found})
    notes = [*repeated, *(_entry(name, total, f"{name}_") for name in flags)]
    if ADDED in lines.columns:
        found[DISCOUNT] = _taken_off(lines)
        applied |= {DISCOUNT} if DISCOUNT in fields else set()
        notes.append(_refunded(lines, fields))
    dropped = [_of(found, name, fields) for name in RULES if name in applied]
    left = sold_lines = _entry("out", total, "out_")
    parts: tuple[LedgerEntry, ...] = ()
    back = _entry("returned", total, "back_")
    net = LedgerEntry("net", left.lines, left.units + back.units, left.customers, left.orders)
    if offsets is not None:
        rest, price = offsets.steps[WITHOUT_PURCHASE], LedgerEntry(RETURN_PRICE, 0, offsets.price)
        dropped += [LedgerEntry(WITHOUT_PURCHASE, rest.lines, -rest.units, rest.customers), price, _turned(lines)]
        notes += [_only_returns(lines, fields), _emptied(offsets, fields)]
        parts = (replace(left, rule=SOLD), *_taken(offsets))
        left = _left(left, parts, offsets)
    return Ledger(
        came_in=_entry("in", total, "in_") if before is None else before.came_in,
        rules=tuple(dropped),
        notes=tuple(notes),
        left=left,
        parts=parts,
        totals=(replace(sold_lines, rule="gross"), back, net),
    )


def _taken(offsets: Offsets) -> list[LedgerEntry]:
    """What returns took off what was sold, by the step that said of what."""
    return [
        LedgerEntry(name, step.lines, -step.units - (offsets.price if name == BY_PRODUCT else 0), step.customers)
        for name, step in ((name, offsets.steps[name]) for name in STEPS)
    ]


def _left(sold: LedgerEntry, parts: Collection[LedgerEntry], offsets: Offsets) -> LedgerEntry:
    """What is left, of whom and of how many orders anything is."""
    return replace(
        sold,
        lines=sum(part.lines for part in parts),
        units=sum(part.units for part in parts),
        customers=(sold.customers or 0) - offsets.emptied["customers"],
        orders=None if sold.orders is None else sold.orders - offsets.orders,
    )


def _emptied(offsets: Offsets, fields: Collection[str]) -> LedgerEntry:
    """The customers who returned all that they bought, and what that was worth."""
    found = offsets.emptied
    orders = found["orders"] if ORDER_ID in fields else None
    return LedgerEntry(RETURNED_EVERYTHING, found["lines"], found[AMOUNT_UNITS], found["customers"], orders)


def _measures(
    lines: ibis.Table,
    fields: Collection[str],
    prefix: str = "",
    *,
    money: str = "goes_out",
    where: ibis.Value | None = None,
) -> dict[str, ibis.Value]:
    """What the ledger says of lines that stand together; orders only where the source names them."""
    orders = {f"{prefix}orders": lines[ORDER_ID].nunique(where=where)} if ORDER_ID in fields else {}
    return {
        f"{prefix}lines": lines["lines"].sum(where=where),
        f"{prefix}units": lines[money].sum(where=where),
        f"{prefix}customers": lines[CUSTOMER_ID].nunique(where=where),
        **orders,
    }


def _entry(name: str, row: Mapping[str, Any], prefix: str = "") -> LedgerEntry:
    units, orders = row[f"{prefix}units"] or 0, row.get(f"{prefix}orders")
    return LedgerEntry(name, row[f"{prefix}lines"] or 0, units, row[f"{prefix}customers"], orders)


def _of(found: Mapping[str, LedgerEntry], name: str, fields: Collection[str]) -> LedgerEntry:
    return found.get(name) or LedgerEntry(name, 0, 0, 0, 0 if ORDER_ID in fields else None)


def _turned(lines: ibis.Table) -> LedgerEntry:
    """The money between what netted returns came in as and what they go out as."""
    counts = lines.heading == RETURNED
    difference = (lines[AMOUNT_UNITS] - lines.goes_out).sum(where=counts).to_pyarrow().as_py()
    return LedgerEntry(RETURN_SIGN, 0, difference or 0)


def _taken_off(lines: ibis.Table) -> LedgerEntry:
    """The money that discounts of a column take off what was sold."""
    units = lines.goes_out.sum(where=(lines[ADDED] == DISCOUNT) & (lines.heading == SOLD)).to_pyarrow().as_py()
    return LedgerEntry(DISCOUNT, 0, -(units or 0))


def _refunded(lines: ibis.Table, fields: Collection[str]) -> LedgerEntry:
    """The refunds that follow from a status or a column: how many, and the money that went back."""
    back = lines.filter((lines[ADDED] == REFUNDED) & lines.heading.isin([RETURNED, REFUNDED]))
    back = back.mutate(lines=back["rows"], goes_out=back.goes_out.abs())
    (row,) = back.aggregate(**_measures(back, fields)).to_pyarrow().to_pylist()
    return _entry(REFUNDED, row)


def _only_returns(lines: ibis.Table, fields: Collection[str]) -> LedgerEntry:
    buyers = lines.filter(lines.heading == SOLD).select(CUSTOMER_ID).distinct()
    alone = lines.filter(lines.heading == RETURNED).anti_join(buyers, CUSTOMER_ID)
    (row,) = alone.aggregate(**_measures(alone, fields)).to_pyarrow().to_pylist()
    return _entry(ONLY_RETURNS, row)


def _first_of(asked: Mapping[str, ibis.Value]) -> ibis.Value:
    """The name of the first condition that a line meets, null for none."""
    return ibis.cases(*((condition, ibis.literal(name)) for name, condition in asked.items()))
