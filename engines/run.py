"""Runs one engine on one customer table: check, fit, label everyone, name the segments, compute the metrics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pandas import DataFrame, Index, Series, StringDtype

from engines.checks import check_fitted, check_membership, labels_of, space_of
from engines.clustering.clusterers import NOISE
from engines.clustering.sampling import encode_keys, sample_rows
from engines.clustering.scaling import numbers
from engines.columns import FREQUENCY, MONETARY, RECENCY
from engines.contract import Engine, Fitted, NamedSegment, Play, Predecessor, Segment, Segmentation
from engines.errors import InputError
from engines.messages import message
from engines.metrics import MetricInput, measure
from engines.naming.advice import name_not_true
from engines.naming.naming import OUTLIERS, name_segments, play_of
from engines.naming.rules import names_of_nobody
from engines.naming.vocabulary import playbook_name

#: What every segment is described by, whatever its engine looks at.
_DESCRIBED = (RECENCY, FREQUENCY, MONETARY)


def segment(
    name: str,
    engine: Engine,
    customers: DataFrame,
    *,
    plays: Sequence[Play],
    previous: Predecessor | None = None,
) -> Segmentation:
    """Segment customers with an engine.

    Args:
        name: the engine's registered name.
        engine: with its settings.
        customers: one row each, indexed by customer id; with recency, frequency and monetary, and CLV where there is
            one. The order of rows does not matter.
        plays: the playbook.
        previous: an earlier run whose names and colours are kept where the customers are the same.

    Returns:
        Labels for everyone, in the order of ``customers``; named segments that have customers; metrics; notes.

    Raises:
        InputError: no customers, a customer twice, a missing column, an empty or infinite value, more segments than
            customers, settings that do not fit the table, or an engine that does not return what the contract asks
            for (see :mod:`engines.checks`); the message names the remedy.
    """
    check(engine, customers)
    ordered = in_order(customers)
    fitted, fitted_on = fit(engine, ordered)
    labels = labels_of(engine.title, fitted, ordered)
    check_membership(engine.title, fitted, ordered, labels)
    segments = _with_outliers(fitted.segments, labels)
    named = name_segments(ordered, labels, segments, plays, previous)
    seed = int(getattr(engine, "seed", 0))
    codes = encode_keys(labels.to_numpy(dtype=np.int64))[1]
    outcome = MetricInput(
        ordered, codes, labels.to_numpy() != NOISE, space_of(engine.title, fitted, ordered), fitted.diagnostics, seed
    )
    metrics = measure(outcome)
    notes = list(getattr(fitted, "notes", ()))
    notes += [*_names_of_nobody(fitted, labels, plays), *_untrue_names(segments, named, plays)]
    if fitted_on < len(customers):
        notes.append(
            message(
                "Fitted on a sample of {fitted_on:,} of {customers:,} customers; everyone is labelled.",
                fitted_on=fitted_on,
                customers=len(customers),
            )
        )
    if ordered is not customers:
        labels = labels.reindex(customers.index)
    notes += _lost_pins(previous, named)
    return Segmentation(name, engine.settings(), labels, named, metrics, fitted, fitted_on, tuple(notes))


def check(engine: Engine, customers: DataFrame) -> None:
    """Refuse a table that cannot be segmented.

    Raises:
        InputError: as :func:`segment` says.
    """
    if len(customers) == 0:
        raise InputError(
            "{title} has nothing to segment: there are no customers. Check the sales and the dates.", title=engine.title
        )
    if not _ascends(customers.index) and not customers.index.is_unique:
        twice = customers.index[customers.index.duplicated()][0]
        raise InputError(
            "Customer {twice} stands in the table more than once; give one row for each customer.", twice=twice
        )
    engine.require(customers, tuple(dict.fromkeys((*_DESCRIBED, *engine.needs))))
    numbers(customers, tuple(dict.fromkeys((*_DESCRIBED, *engine.needs))), engine.title)
    k = getattr(engine, "k", None)
    if isinstance(k, int) and k > len(customers):
        raise InputError(
            "{title}: k = {k} segments cannot be made of {customers} customers; choose k at most {customers}.",
            title=engine.title,
            k=k,
            customers=len(customers),
        )


def in_order(customers: DataFrame) -> DataFrame:
    """The customers sorted by id as text; the same table when they already are."""
    if _ascends(customers.index):
        return customers
    ids = customers.index if customers.index.dtype != object else Index(customers.index.map(str))
    if ids.is_monotonic_increasing:
        return customers
    return customers.iloc[ids.argsort()]


def _ascends(ids: Index) -> bool:
    """Whether text ids ascend strictly, as a snapshot's do: told without the hash table that pandas would keep."""
    if not isinstance(ids.dtype, StringDtype):
        return False
    texts = pa.array(ids)
    return pc.all(pc.less(texts[:-1], texts[1:]), skip_nulls=False).as_py() is True


def fit(engine: Engine, ordered: DataFrame, start: Fitted | None = None) -> tuple[Fitted, int]:
    """The engine fitted on customers sorted by id, and on how many: above its limit on a seeded sample.

    With ``start``, an earlier fit of the same engine, it begins there (see :meth:`Engine.refit`).

    Raises:
        InputError: as the engine's ``fit`` says, or what it returns is not whole.
    """
    rows = sample_rows(len(ordered), engine.fit_limit, int(getattr(engine, "seed", 0)))
    sample = ordered if len(rows) == len(ordered) else ordered.iloc[rows]
    fitted = engine.fit(sample) if start is None else engine.refit(sample, start)
    check_fitted(engine.title, fitted)
    return fitted, len(rows)


def _names_of_nobody(fitted: Fitted, labels: Series, plays: Sequence[Play]) -> list[str]:
    """Notes on the names of a grid that nobody has, in the playbook's words."""
    artifacts = fitted.artifacts() if hasattr(fitted, "artifacts") else {}
    return names_of_nobody(artifacts, set(labels.unique().tolist()), lambda name: playbook_name(name, plays))


def _untrue_names(segments: Sequence[Segment], named: Sequence[NamedSegment], plays: Sequence[Play]) -> list[str]:
    """Notes on the names that a rule gives and that are not true of its customers."""
    rules = {item.key: playbook_name(item.name, plays) for item in segments if item.checked}
    notes = []
    for item in named:
        play = play_of(rules.get(item.key, ""), plays)
        if play is not None and item.facts is not None and not item.pinned and not play.holds(item.facts):
            notes.append(name_not_true(play, item.name, item.facts))
    return notes


def _lost_pins(previous: Predecessor | None, named: Sequence[NamedSegment]) -> list[str]:
    """A note on each pinned name whose customers are no longer together."""
    pinned = [segment for segment in previous.segments if segment.pinned] if previous is not None else []
    carried_on = {segment.known_by for segment in named if segment.pinned}
    return [
        message(
            "The pinned name {name} was not carried on: its customers are spread over several segments now.",
            name=segment.name,
        )
        for segment in pinned
        if segment.known_by not in carried_on
    ]


def _with_outliers(segments: tuple[Segment, ...], labels: Series) -> tuple[Segment, ...]:
    """The engine's segments, with one called Outliers for noise (-1)."""
    regular = tuple(item for item in segments if item.key != NOISE)
    return (*regular, Segment(NOISE, OUTLIERS)) if bool((labels == NOISE).any()) else regular
