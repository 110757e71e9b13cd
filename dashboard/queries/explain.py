"""Why a customer is in a segment: scores and the nearest way out, or how near the segments are and what stands out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pandas import DataFrame

from dashboard.frames.cache import FrameCache
from dashboard.frames.run import RunFrame, per_run
from dashboard.pipeline.label import model_of, stored_engine, used_columns
from engines.checks import explanation_of
from engines.clustering.scaling import LOG, STANDARD, Space, fit_space
from engines.columns import columns_of, describe
from engines.contract import Engine, Fitted, segment_by_key
from storage import Store
from storage.contract import NotFoundError
from storage.sql.layout import is_storable


@dataclass(frozen=True)
class _Background:
    """What every customer of a run is seen against; worked out once per run.

    ``everyone``: the columns that the engine looks at. ``space``: their scale over everyone. ``segment_z``: mean place
    of each segment's customers in it, by segment key. ``means``: of the columns.
    """

    engine: Engine
    fitted: Fitted
    everyone: DataFrame
    space: Space
    segment_z: Mapping[int, NDArray[np.float64]]
    means: Mapping[str, float]


def position_of(frame: RunFrame, customer_id: str) -> int:
    """Where a customer stands in a run.

    Raises:
        NotFoundError: the run has no such customer.
    """
    ids = frame.customers.ids
    position = pc.index(ids, pa.scalar(customer_id, ids.type)).as_py() if is_storable(customer_id) else -1
    if position < 0:
        raise NotFoundError("Run {id} has no customer {customer_id!r}.", id=frame.run.id, customer_id=customer_id)
    return int(position)


def explain(run_id: int, customer_id: str, frames: FrameCache, store: Store) -> dict[str, Any]:
    """Why a customer is where it is, as JSON-ready values.

    ``run``, ``engine``, ``customer_id``, ``segment``, ``segment_key``; then

    ``features``: what the engine looks at, what sets the customer apart most first: ``column``, ``title``, ``unit``,
    ``value``, ``mean`` of everyone, ``z`` (how many standard deviations from everyone, of the logarithm where
    ``logged``) and ``segment_z`` (the mean of that in the customer's segment). A column that is the same for everyone
    is left out.

    ``segments``: every segment with the customer's ``distance`` to it in the engine's own space, or ``probability``,
    the nearest first; None where the engine knows neither.

    ``rfm``: of RFM, and of every engine that scores columns: ``scores`` by column, ``score`` (their weighted mean),
    ``cut_points`` (of each column the values of each score) and ``exit``: the smallest change of one score that leads
    to another segment (``column``, ``value``, ``segment``), None where there is none. Else None.

    ``explanation``: of an engine that explains in its own words alone: what it says of the customer, by name.

    Raises:
        NotFoundError: no such run or customer, or the run is not finished.
        InputError: the run has no model, or its engine cannot explain.
    """
    frame = frames.get(run_id)
    position = position_of(frame, customer_id)
    seen = _background(frame, store)
    customer = seen.everyone.iloc[[position]].set_axis([customer_id])
    segment = frame.segments[frame.segment_codes[position]]
    explanation = explanation_of(seen.engine.title, seen.fitted, customer)
    scores = None if explanation is None else _scores(frame, seen.fitted, explanation)
    words = None if explanation is None or scores is not None else _in_words(explanation)
    return {
        "run": run_id,
        "engine": frame.run.engine,
        "customer_id": customer_id,
        "segment": segment.name,
        "segment_key": segment.key,
        "features": _features(frame, seen, customer, segment.key),
        "segments": _segments(frame, seen.fitted, customer),
        "rfm": scores,
        **({} if words is None else {"explanation": words}),
    }


@per_run
def _background(frame: RunFrame, store: Store) -> _Background:
    engine, fitted = stored_engine(frame.run), model_of(frame.run, store)
    columns = used_columns(engine)
    if all(frame.has(name) for name in columns):
        everyone = DataFrame({name: frame.values(name) for name in columns}, copy=False)
    else:
        everyone = store.snapshot_customers(frame.snapshot.id)[list(columns)].reset_index(drop=True)
    scaling = LOG if engine.settings().get("scaling", LOG) == LOG else STANDARD
    space, matrix = fit_space(everyone, columns, engine.title, scaling=scaling)
    sizes = np.bincount(frame.segment_codes, minlength=len(frame.segments))
    sums = np.stack([np.bincount(frame.segment_codes, column, len(sizes)) for column in matrix.T], axis=1)
    with np.errstate(invalid="ignore"):  # a segment without customers has no mean, and nobody asks for it
        places = sums / sizes[:, None]
    segment_z = {item.key: place for item, place in zip(frame.segments, places, strict=True)}
    means = {name: float(everyone[name].mean()) for name in columns}
    return _Background(engine, fitted, everyone, space, segment_z, means)


def _features(frame: RunFrame, seen: _Background, customer: DataFrame, segment_key: int) -> list[dict[str, Any]]:
    columns = columns_of(frame.snapshot.info.get("columns", ()))
    place = seen.space.transform(customer)[0]
    features = []
    for number, (position, logged) in enumerate(zip(seen.space.kept, seen.space.logged, strict=True)):
        column = describe(seen.space.columns[position], columns)
        features.append(
            {
                "column": column.name,
                "title": column.title,
                "unit": column.unit,
                "value": float(customer[column.name].iloc[0]),
                "mean": seen.means[column.name],
                "z": float(place[number]),
                "logged": logged,
                "segment_z": float(seen.segment_z[segment_key][number]),
            }
        )
    return sorted(features, key=lambda item: -abs(item["z"]))


def _segments(frame: RunFrame, fitted: Fitted, customer: DataFrame) -> list[dict[str, Any]] | None:
    if hasattr(fitted, "membership"):
        measure, far, row = "probability", -1.0, fitted.membership(customer).iloc[0]
    elif hasattr(fitted, "distances"):
        measure, far, row = "distance", 1.0, fitted.distances(customer).iloc[0]
    else:
        return None
    by_key = segment_by_key(frame.segments)
    values = sorted((far * float(value), int(str(key))) for key, value in row.items() if key in by_key)
    nearest: dict[int, float] = {}  # of segments that are treated as one, the nearer one
    for value, key in values:
        nearest.setdefault(by_key[key].key, far * value)
    return [{"key": key, "segment": by_key[key].name, measure: value} for key, value in nearest.items()]


def _scores(frame: RunFrame, fitted: Fitted, explanation: DataFrame) -> dict[str, Any] | None:
    """An explanation by scores; None of an engine that does not score columns."""
    artifacts: Mapping[str, Any] = fitted.artifacts() if hasattr(fitted, "artifacts") else {}
    cut_points = artifacts.get("cut_points", {})
    needed = {"score", "exit_column", "exit_value", "exit_segment", *(f"{column}_score" for column in cut_points)}
    if not cut_points or not needed <= set(explanation.columns):
        return None
    row = explanation.iloc[0]
    # the names that people see: someone may have changed them by hand
    keys = {item.name: item.key for item in fitted.segments}
    shown = {key: item.name for key, item in segment_by_key(frame.segments).items()}
    way_out = None
    if row["exit_column"] is not None:
        target = shown.get(keys[row["exit_segment"]], row["exit_segment"])
        way_out = {"column": row["exit_column"], "value": float(row["exit_value"]), "segment": target}
    return {
        "scores": {column: int(row[f"{column}_score"]) for column in cut_points},
        "score": float(row["score"]),
        "cut_points": cut_points,
        "exit": way_out,
    }


def _in_words(explanation: DataFrame) -> dict[str, Any]:
    """What an engine says of one customer, as JSON-ready values by column; what is missing is None."""
    words: dict[str, Any] = {}
    for name, value in explanation.iloc[0].items():
        scalar = value.item() if isinstance(value, np.generic) else value
        if scalar is None or scalar is pd.NA or (isinstance(scalar, float) and not np.isfinite(scalar)):
            words[str(name)] = None
        else:
            words[str(name)] = scalar if isinstance(scalar, (bool, int, float)) else str(scalar)
    return words
