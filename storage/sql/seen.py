"""The segments of a run as people see them: their names, actions and colours, and those they treat as one."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

from engines.contract import Facts, NamedSegment
from storage.sql.rows import value_from_rows
from storage.sql.tables import SegmentNameRow, SegmentRow

#: Figures of a segment that are kept as nothing where they are not known.
_MEANS = ("revenue_share", "recency", "frequency", "monetary")

Said = Mapping[str, SegmentNameRow]  # what people say of the segments of a data set and engine, by identity


def seen(rows: Sequence[SegmentRow], said: Said, *, merged: bool = True) -> list[NamedSegment]:
    """The segments of one run, in the run's order; ``merged``: those that are treated as one are one."""
    segments = _told_apart([_segment(row, said.get(row.identity)) for row in rows])
    return _as_one(segments, said) if merged and any(item.merged_into for item in said.values()) else segments


def _segment(row: SegmentRow, names: SegmentNameRow | None) -> NamedSegment:
    known = {name: math.nan for name in _MEANS if getattr(row, name) is None}
    by_hand = {name: getattr(names, name, None) for name in ("name", "action", "colour")}
    given = {name: text for name, text in by_hand.items() if text is not None}
    return value_from_rows(
        NamedSegment,
        row,
        pinned=names is not None and names.pinned,
        revision=0 if names is None else names.revision,
        facts=None if row.facts is None else Facts(**row.facts),
        own_name=row.name if given.get("name", row.name) != row.name else "",
        former=() if names is None else tuple(names.former),
        merged=(),
        merged_names=(),
        **known,
        **given,
    )


def _told_apart(segments: list[NamedSegment]) -> list[NamedSegment]:
    """A name that people gave one segment and the run another is the first one's; the other gets a number."""
    taken = {item.name.casefold() for item in segments if item.own_name}
    result = []
    for item in segments:
        name, number = item.name, 2
        while not item.own_name and name.casefold() in taken:
            name, number = f"{item.name} {number}", number + 1
        taken.add(name.casefold())
        result.append(item if name == item.name else dataclasses.replace(item, name=name, own_name=item.name))
    return result


def _as_one(segments: list[NamedSegment], said: Said) -> list[NamedSegment]:
    """With those that are treated as one put together, in the place of the first of them."""
    groups: dict[str, list[NamedSegment]] = {}
    for item in segments:
        names = said.get(item.identity)
        one = (names.merged_into if names is not None else None) or item.identity
        groups.setdefault(one, []).append(item)
    return [_one_of(identity, parts, said) for identity, parts in groups.items()]


def _one_of(identity: str, parts: list[NamedSegment], said: Said) -> NamedSegment:
    own = next((item for item in parts if item.identity == identity), None)
    others = [item for item in parts if item is not own]
    if not others:
        return parts[0]
    head = own
    if head is None:  # the run has none of its own: the first of the others stands for it
        names, first = said.get(identity), parts[0]
        name, colour = (names.name or identity, names.colour or first.colour) if names else (identity, first.colour)
        head = dataclasses.replace(first, name=name, colour=colour, own_name=first.name, identity=identity)
    return dataclasses.replace(
        head,
        customers=sum(item.customers for item in parts),
        revenue_share=sum(item.revenue_share for item in parts),
        recency=_mean(parts, [item.recency for item in parts]),
        frequency=_mean(parts, [item.frequency for item in parts]),
        monetary=_mean(parts, [item.monetary for item in parts]),
        clv=None if any(item.clv is None for item in parts) else _mean(parts, [item.clv or 0.0 for item in parts]),
        revision=sum(item.revision for item in parts),
        former=(*head.former, *(text for item in others for text in (item.identity, item.name, *item.former))),
        merged=tuple(item.key for item in parts if item.key != head.key),
        merged_names=tuple(item.name for item in others),
    )


def _mean(parts: Sequence[NamedSegment], means: Sequence[float]) -> float:
    """The mean over all customers of the parts."""
    weights = [item.customers for item in parts]
    return sum(w * mean for w, mean in zip(weights, means, strict=True)) / sum(weights) if sum(weights) else math.nan
