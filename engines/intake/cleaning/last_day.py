"""What the as-of date rests on: a last sale far from all others, and returns that came after it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import ibis

from engines.columns import AMOUNT_UNITS, MONEY_SCALE, ORDER_DATE
from engines.errors import InputError
from engines.intake.cleaning.cleaning import RULE
from engines.intake.cleaning.rules import AFTER_AS_OF, RETURN_RULES
from engines.intake.schema.parsing import LINE
from engines.intake.schema.possible_days import far_after, far_before
from engines.messages import Message, message, message_number

_CITED = 3


def check_last_day(
    flagged: ibis.Table, as_of: date, name: str, locate: Callable[[int], str], *, trusted: bool
) -> tuple[Message, ...]:
    """What to say of the sales that the default as-of date rests on, and of the returns that came after it.

    Args:
        flagged: flagged and cut lines with ``line``.
        as_of: the day after the last sale.
        name: of the source.
        locate: says where a line stands.
        trusted: whether a last sale far from all others is believed.

    Raises:
        InputError: the last sale is far from all others, and not trusted.
    """
    sold = flagged.filter(flagged[RULE].isnull())
    daily = sold.group_by(day=sold[ORDER_DATE].date()).aggregate(lines=sold.count()).order_by("day")
    days = [(row["day"], row["lines"]) for row in daily.to_pyarrow().to_pylist()]
    notes = []
    if after := far_after(days):
        last, where = days[-1][0], _where(sold, sold[ORDER_DATE] >= ibis.timestamp(after.day.isoformat()), locate)
        if not trusted:
            raise InputError(
                "{name}: the last sale is on {last} ({where}), {away:,} days after all but {lines:,} of the lines, "
                "which end on {edge}. How long customers have been silent is counted from there. Say --as-of "
                "{as_of_edge} to leave it out, or --as-of {as_of} if it is right.",
                name=name,
                last=last,
                where=where,
                away=(after.day - after.edge).days,
                lines=after.lines,
                edge=after.edge,
                as_of_edge=str(after.edge + timedelta(days=1)),
                as_of=str(as_of),
            )
        notes.append(
            message(
                "The last sale is on {last} ({where}), {away:,} days after all but {lines:,} of the lines; it was "
                "believed. Say --as-of {as_of_edge} to leave it out.",
                last=last,
                where=where,
                away=(after.day - after.edge).days,
                lines=after.lines,
                as_of_edge=str(after.edge + timedelta(days=1)),
            )
        )
    elif after := far_after(days, several=True):
        notes.append(
            message(
                "The last {lines:,} lines are from {day} on, {away:,} days after all others, which end on {edge}. How "
                "long customers have been silent is counted from there. Say --as-of {as_of_edge} to leave them out.",
                lines=after.lines,
                day=after.day,
                away=(after.day - after.edge).days,
                edge=after.edge,
                as_of_edge=str(after.edge + timedelta(days=1)),
            )
        )
    if before := far_before(days):
        first, begin = days[0][0], before.edge
        where = _where(sold, sold[ORDER_DATE] < ibis.timestamp(begin.isoformat()), locate)
        notes.append(
            message(
                "The first sale is on {first} ({where}), years before all but {lines:,} of the lines, which begin on "
                "{begin}. If it is a slip, leave it out with --from {from_day}.",
                first=first,
                where=where,
                lines=before.lines,
                begin=begin,
                from_day=str(begin),
            )
        )
    return (*notes, *_late_returns(flagged, as_of))


def _where(lines: ibis.Table, condition: ibis.Value, locate: Callable[[int], str]) -> str:
    found = lines.filter(condition).order_by(LINE).limit(_CITED)[LINE].to_pyarrow().to_pylist()
    return ", ".join(map(locate, found))


def _late_returns(flagged: ibis.Table, as_of: date) -> tuple[Message, ...]:
    late = flagged.filter(
        (flagged[ORDER_DATE] >= ibis.timestamp(as_of.isoformat()))
        & flagged[RULE].isin([*RETURN_RULES, AFTER_AS_OF])
        & (flagged[AMOUNT_UNITS] != 0)
    )
    (row,) = (
        late.aggregate(lines=late.count(), units=late[AMOUNT_UNITS].abs().sum(), last=late[ORDER_DATE].max())
        .to_pyarrow()
        .to_pylist()
    )
    if not row["lines"]:
        return ()
    return (
        message_number(
            "{count:,} return, worth {worth:,.2f}, came after the last sale and does not count, as the as-of date is "
            "{as_of}. Say --as-of {later} to count it.",
            "{count:,} returns, worth {worth:,.2f}, came after the last sale and do not count, as the as-of date is "
            "{as_of}. Say --as-of {later} to count them.",
            row["lines"],
            count=row["lines"],
            worth=row["units"] / MONEY_SCALE,
            as_of=as_of,
            later=str(row["last"].date() + timedelta(days=1)),
        ),
    )
