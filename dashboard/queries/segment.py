"""Profile of one segment: who is in it, by which rule, what they buy and where, and who came and who left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from dashboard.frames.aggregates import SegmentTotals, Totals, everyone, filled_values, segment_totals, totals_of
from dashboard.frames.run import RunFrame, per_run
from dashboard.i18n.numbers import count, days, decimal, percent, round_money, short_money, written
from dashboard.i18n.texts import column_title, say
from dashboard.pipeline.label import stored_engine, used_columns
from dashboard.pipeline.series import earlier_runs
from dashboard.queries.advice import Advice, advice_on
from dashboard.services import Services
from engines import registry
from engines.columns import CATEGORY_SHARE, MONETARY, RECENCY, Column
from engines.contract import NamedSegment
from engines.errors import InputError
from engines.naming.rules import Wording, rules_of
from storage.contract import NotFoundError

NEW, GONE = "New", "Gone"
_TOP = 5
_APART = 3


class ShareOfSegment(NamedTuple):
    """A country or category: its share in the segment, and among all customers."""

    name: str
    share: float
    of_all: float


class Movement(NamedTuple):
    """Who came into a segment and who left it since an earlier run; pairs of the other segment and customers.

    ``New`` came as new customers, ``Gone`` are customers no more.
    """

    earlier_run: int
    since: date
    before: int
    stayed: int
    came: tuple[tuple[str, int], ...]
    left: tuple[tuple[str, int], ...]


class SegmentProfile(NamedTuple):
    """One segment of a run. ``figures`` is None where it has no customers; shares of countries are of customers.

    ``why`` is why the playbook's advice is given, or is not; ``rule`` is in words: of the engine's own where it goes by
    rules, else what sets the customers apart.
    """

    segment: NamedSegment
    figures: SegmentTotals | None
    all_of_them: Totals
    sentences: tuple[str, ...]
    why: str
    rule: str
    countries: tuple[ShareOfSegment, ...]
    categories: tuple[ShareOfSegment, ...]
    movement: Movement | None

    def to_dict(self) -> dict[str, Any]:
        """The profile as the API gives it."""
        movement = None if self.movement is None else self.movement._asdict()
        if movement is not None:
            movement |= {
                way: [{"segment": name, "customers": n} for name, n in movement[way]] for way in ("came", "left")
            }
        figures = None if self.figures is None else self.figures._asdict()
        if figures is not None:
            del figures["segment"]
        return {
            **asdict(self.segment),
            "about": " ".join(self.sentences),
            "why": self.why,
            "rule": self.rule,
            "figures": figures,
            "countries": [part._asdict() for part in self.countries],
            "categories": [part._asdict() for part in self.categories],
            "movement": movement,
        }


def segment_profile(services: Services, run_id: int, key: int) -> SegmentProfile:
    """The profile of a segment of a finished run.

    Raises:
        NotFoundError: no such run or segment, or the run is not finished.
    """
    frame = services.frames.get(run_id)
    place = next((place for place, item in enumerate(frame.segments) if item.key == key), None)
    if place is None:
        raise NotFoundError("Run {run_id} has no segment {key}.", run_id=run_id, key=key)
    segment, whole = frame.segments[place], everyone(frame)
    figures = next((row for row in segment_totals(frame, whole) if row.segment.key == key), None)
    all_of_them = totals_of(frame, whole)
    rules = rules_in_words(frame.run.info.get("artifacts", {}), frame.currency)
    advice = advice_on(segment, services.config.plays, frame.currency)
    return SegmentProfile(
        segment,
        figures,
        all_of_them,
        _who(frame, advice, figures, all_of_them),
        advice.why,
        rules.get(key) or _what_sets_apart(frame, place),
        _countries(frame, place),
        _categories(frame, place),
        _movement(services, frame, place),
    )


def rules_in_words(artifacts: Mapping[str, Any], currency: str) -> dict[int, str]:
    """The rule of each segment by key, where the engine goes by rules that can be said."""
    how = Wording(partial(short_money, currency=currency), partial(written, form=",g"), say)
    return rules_of(artifacts, how)


def _who(frame: RunFrame, advice: Advice, figures: SegmentTotals | None, whole: Totals) -> tuple[str, ...]:
    meant = [advice.description] if advice.description else []
    if figures is None or not whole.customers:
        return (*meant, say("Nobody is in this segment in this run."))
    mean = float(frame.values(RECENCY).mean())
    return (
        *meant,
        say(
            "On average they ordered last {recency} ago, have placed {frequency} orders and spent {monetary}; over all "
            "customers it is {all_recency}, {all_frequency} orders and {all_monetary}.",
            recency=days(figures.recency),
            frequency=decimal(figures.frequency),
            monetary=round_money(figures.monetary, frame.currency),
            all_recency=days(mean),
            all_frequency=decimal(whole.orders / whole.customers),
            all_monetary=round_money(whole.revenue / whole.customers, frame.currency),
        ),
    )


# --- what sets it apart, where the engine goes by no rule that could be said ------------------------------------------


def _what_sets_apart(frame: RunFrame, place: int) -> str:
    try:
        used = used_columns(stored_engine(frame.run))
    except InputError:  # an engine that is installed no more
        return ""
    titles = {item.name: item.title for item in registry.registered()}
    engine = titles.get(frame.run.engine, frame.run.engine)
    alike = say("{engine} puts customers together who are alike.", engine=engine)
    mine = frame.segment_codes == place
    if not mine.any():
        return alike
    sentences = []
    for name in used:
        if not frame.has(name):
            continue
        values = frame.values(name).astype(np.float64)
        scaled = np.sign(values) * np.log1p(np.abs(values))
        spread = float(np.nanstd(scaled))
        if spread > 0:
            away = float(np.nanmean(scaled[mine]) - np.nanmean(scaled)) / spread
            sentences.append((abs(away), name, float(np.nanmean(values[mine])), float(np.nanmean(values))))
    sentences.sort(key=lambda item: -item[0])
    parts = [
        say(
            "{title} {mean} (all: {all})",
            title=column_title(frame.describe(name)),
            mean=_written(frame.describe(name), one, frame.currency),
            all=_written(frame.describe(name), every, frame.currency),
        )
        for _, name, one, every in sentences[:_APART]
    ]
    if not parts:
        return alike
    return f"{alike} " + say("What sets these apart most, by their means: {measures}.", measures="; ".join(parts))


def _written(column: Column, value: float, currency: str) -> str:
    if column.kind == "money":
        return round_money(value, currency)
    return percent(value) if column.kind == "share" else days(value) if column.kind == "days" else decimal(value)


# --- where and what they buy ------------------------------------------------------------------------------------------


def _countries(frame: RunFrame, place: int) -> tuple[ShareOfSegment, ...]:
    if not frame.has_country:
        return ()
    whole, n = everyone(frame), len(frame.countries)
    mine = whole.of(whole.blocks.segments == place)
    here, every = (sums.sizes_by_country(n)[:-1] for sums in (mine, whole))
    return _parts(dict(enumerate(frame.countries)), here / max(mine.customers, 1), every / max(whole.customers, 1))


def _categories(frame: RunFrame, place: int) -> tuple[ShareOfSegment, ...]:
    """What is spent on each category, of all that is spent."""
    names = frame.customers.categories
    spent, mine = filled_values(frame, MONETARY), frame.segment_codes == place
    columns = [filled_values(frame, f"{CATEGORY_SHARE}{name}") for name in names]
    if not columns or not mine.any():
        return ()
    totals = spent[mine].sum(), spent.sum()
    here = np.array([float(spent[mine] @ values[mine]) for values in columns]) / (totals[0] or 1.0)
    every = np.array([float(spent @ values) for values in columns]) / (totals[1] or 1.0)
    titles = {
        i: frame.describe(f"{CATEGORY_SHARE}{name}").title.removeprefix("Share of ") for i, name in enumerate(names)
    }
    return _parts(titles, here, every)


def _parts(
    names: Mapping[int, str], here: NDArray[np.float64], every: NDArray[np.float64]
) -> tuple[ShareOfSegment, ...]:
    top = [int(place) for place in np.argsort(-here, kind="stable")[:_TOP] if here[place] > 0]
    return tuple(ShareOfSegment(names[place], float(here[place]), float(every[place])) for place in top)


# --- who came and who left --------------------------------------------------------------------------------------------


def _movement(services: Services, frame: RunFrame, place: int) -> Movement | None:
    """Against the latest earlier date; a segment is the same where what it is known by is, and is called as today."""
    runs = earlier_runs(services.store, frame.run)
    if not runs:
        return None
    try:
        before = services.frames.of(runs[-1])
    except NotFoundError:  # deleted meanwhile
        return None
    moves = moves_between(before, frame)
    known = {item.known_by: item.name for item in frame.segments}
    then = [*(known.get(item.known_by, item.name) for item in before.segments), NEW]
    now = [*(item.name for item in frame.segments), GONE]
    identities = [item.known_by for item in before.segments]
    identity = frame.segments[place].known_by
    row = identities.index(identity) if identity in identities else None
    came = {then[i]: int(moves[i, place]) for i in range(len(then)) if i != row}
    left = {now[i]: int(moves[row, i]) for i in range(len(now)) if i != place} if row is not None else {}
    return Movement(
        earlier_run=before.run.id,
        since=before.run.as_of,
        before=int(moves[row].sum()) if row is not None else 0,
        stayed=int(moves[row, place]) if row is not None else 0,
        came=_most_first(came),
        left=_most_first(left),
    )


@per_run
def moves_between(before: RunFrame, after: RunFrame) -> NDArray[np.int64]:
    """Customers by their segment of then (rows, the last for those who were none) and of now (columns, likewise)."""
    rows, columns = len(before.segments) + 1, len(after.segments) + 1
    places = pc.index_in(after.customers.ids, before.customers.ids)
    at = places.fill_null(-1).to_numpy().astype(np.intp)
    then = np.where(at >= 0, before.segment_codes[at] if len(before) else 0, rows - 1)
    moves = np.bincount(then * columns + after.segment_codes, minlength=rows * columns)
    stays = np.zeros(len(before), dtype=bool)
    stays[at[at >= 0]] = True
    gone = np.bincount(before.segment_codes[~stays], minlength=rows - 1)
    table = moves.reshape(rows, columns).astype(np.int64)
    table[:-1, -1] += gone
    return table


def _most_first(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(((name, n) for name, n in counts.items() if n), key=lambda pair: (-pair[1], pair[0])))


def movement_words(movement: Movement, now: int) -> str:
    """What became of the segment since then, in a sentence."""
    came, left = (sum(n for _, n in pairs) for pairs in (movement.came, movement.left))
    return say(
        "{before} customers then, {now} now: {stayed} stayed, {came} came and {left} left.",
        before=count(movement.before),
        now=count(now),
        stayed=count(movement.stayed),
        came=count(came),
        left=count(left),
    )
