"""Choosing the number of segments: the figures of every k tried, and a recommendation."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from kneed import KneeLocator
from pandas import DataFrame

from engines.checks import labels_of, space_of
from engines.clustering.clusterers import NOISE
from engines.clustering.sampling import Codes, sample_rows, stratified_rows
from engines.clustering.scaling import Matrix
from engines.columns import MONETARY
from engines.contract import Engine, Fitted
from engines.errors import InputError
from engines.evaluation.holdout import LaterSales, captured_shares
from engines.evaluation.recommendation import (
    DRAWS,
    INTERVAL,
    KPoint,
    MeasureChoice,
    RunnerUp,
    measure_choices,
    recommend,
)
from engines.evaluation.stability import agreements
from engines.messages import message
from engines.metrics import (
    SILHOUETTE_SAMPLE,
    MetricInput,
    calinski_harabasz,
    davies_bouldin,
    silhouettes,
    smallest_share,
)
from engines.run import check, in_order

#: The range of k that is tried when none is named: about as many campaigns as a team can run.
LOW, HIGH = 3, 8
#: At most so many customers are looked at; above, a sample of so many.
LARGEST = 50_000
#: How many refits measure the stability of each k, and how many customers each has at most.
REFITS, REFIT_LARGEST = 10, 5_000


@dataclass(frozen=True)
class KSelection:
    """Every k that was tried, what it says, and what follows.

    ``space``: the feature space that distances are measured in, in words. ``evaluated_on``, ``silhouette_on``,
    ``refitted_on``: how many of the ``customers`` the fits, the silhouettes and the refits saw. ``elbow``: of the
    inertia. ``lowest_bic``: the k that has it. ``recommended`` with its ``reason``, and the others that were tried as
    ``runners_up``, in order. ``measures``: what the usual measures alone would take. ``later_from``: the day from which
    later revenue was measured, on ``later_customers`` who were there before it; None and 0 without later months.
    """

    engine: str
    settings: Mapping[str, Any]
    space: str
    customers: int
    evaluated_on: int
    silhouette_on: int
    refitted_on: int
    bootstraps: int
    seed: int
    points: tuple[KPoint, ...]
    elbow: int | None
    lowest_bic: int | None
    recommended: int | None
    reason: str
    notes: tuple[str, ...] = ()
    runners_up: tuple[RunnerUp, ...] = ()
    measures: tuple[MeasureChoice, ...] = ()
    later_from: str | None = None
    later_customers: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON-ready values; nothing is NaN or infinite."""
        return {
            **dataclasses.asdict(self),
            "points": [dataclasses.asdict(point) for point in self.points],
            "notes": list(self.notes),
            "runners_up": [dataclasses.asdict(each) for each in self.runners_up],
            "measures": [dataclasses.asdict(each) for each in self.measures],
        }


def evaluate_ks(
    name: str,
    engine: Engine | type[Engine],
    customers: DataFrame,
    *,
    ks: Iterable[int] = range(LOW, HIGH + 1),
    later: LaterSales | None = None,
    seed: int = 0,
    bootstraps: int = REFITS,
    progress: Callable[[float], None] = lambda done: None,
) -> KSelection:
    """Try every k and recommend one; :func:`engines.evaluation.recommendation.recommend` states the rule.

    Everyone is looked at up to 50,000 customers, else a sample of so many. Silhouettes are measured on at most about
    10,000 of them, drawn by segment; their standard error takes the customers measured for a draw from all such
    customers. Stability is the mean adjusted Rand index between the segments and those of refits on customers drawn
    with replacement, each on at most 5,000 (fewer where the engine says so). The elbow of the inertia is kneedle's
    (Satopaa, Albrecht, Irwin & Raghavan 2011).

    Args:
        name: the engine's registered name.
        engine: with its settings, or its class for the defaults; its own ``k`` does not matter.
        customers: one row each, indexed by customer id, as for a run; the order of rows does not matter.
        ks: numbers of segments to try, at least 2. Those too large for the table are left out, with a note.
        later: customers as of an earlier cut-off and what they spent after it; without, the recommendation says that
            there are no later months.
        seed: of the engine, the samples and the draws.
        bootstraps: how many refits; 0 for none, and then a recommendation does not ask for stability.
        progress: told the share that is done.

    Raises:
        InputError: an engine without a k, nothing to try, or a table that cannot be segmented (so far).
    """
    distinct_ks = sorted(set(ks))
    made = _made(engine, distinct_ks, seed)
    check(made, customers)
    ordered = in_order(customers)
    ordered = ordered.iloc[sample_rows(len(ordered), min(LARGEST, made.fit_limit), seed)]
    tried = _try(made, ordered, distinct_ks)
    progress(0.2)
    common = sample_rows(len(ordered), min(REFIT_LARGEST, made.refit_limit), seed)
    agreement = agreements(
        lambda table: made.fit_each(table, tried.ks),
        ordered.iloc[common],
        [codes[common] for codes in tried.codings],
        refits=bootstraps,
        seed=seed,
        progress=lambda done: progress(0.2 + 0.75 * done),
    )
    widths, silhouette_on = _widths(tried, seed)
    captured, later_customers = _later_revenue(made, later, tried.ks, seed)
    points = tuple(
        _point(k, tried, place, ordered, widths[place], agreement[:, place], captured.get(k, (None, None, None)))
        for place, k in enumerate(tried.ks)
    )
    elbow, lowest_bic = _elbow(points), _lowest_bic(points)
    recommended, reason, runners_up = recommend(points, elbow=elbow, lowest_bic=lowest_bic)
    progress(1.0)
    return KSelection(
        engine=name,
        settings={key: value for key, value in made.settings().items() if key != "k"},
        space=tried.space,
        customers=len(customers),
        evaluated_on=len(ordered),
        silhouette_on=silhouette_on,
        refitted_on=len(common) if bootstraps else 0,
        bootstraps=bootstraps,
        seed=seed,
        points=points,
        elbow=elbow,
        lowest_bic=lowest_bic,
        recommended=recommended,
        reason=reason,
        notes=tried.notes,
        runners_up=runners_up,
        measures=measure_choices(points, elbow=elbow, lowest_bic=lowest_bic),
        later_from=later.since.isoformat() if later is not None and captured else None,
        later_customers=later_customers,
    )


def _made(engine: Engine | type[Engine], ks: Sequence[int], seed: int) -> Engine:
    """The engine with this seed and the smallest k."""
    kind, settings = (engine, {}) if isinstance(engine, type) else (type(engine), engine.settings())
    knobs = {item.name for item in kind.knobs()}
    if "k" not in knobs:
        raise InputError(
            "{title} has no k to choose: its own rules decide how many segments there are. Choose an "
            "engine with the setting k.",
            title=kind.title,
        )
    if not ks or ks[0] < 2:
        raise InputError(
            "{title}: give numbers of segments to try, each at least 2, not {k}.",
            title=kind.title,
            k=ks[0] if ks else "none",
        )
    kind.from_settings({**settings, "k": ks[-1]})  # refuses a k beyond what the engine allows
    return kind.from_settings({**settings, "k": ks[0], **({"seed": seed} if "seed" in knobs else {})})


class _Tried(NamedTuple):
    """The fits: for each k its diagnostics and every customer's key, and where customers lie, if the engine says."""

    ks: list[int]
    codings: list[Codes]
    diagnostics: list[Mapping[str, float]]
    matrix: Matrix | None
    space: str
    notes: tuple[str, ...]


def _try(engine: Engine, ordered: DataFrame, ks: Sequence[int]) -> _Tried:
    fits: list[Fitted] = []
    notes: tuple[str, ...] = ()
    try:
        fits += engine.fit_each(ordered, ks)  # what was fitted before a refusal is kept
    except InputError as error:
        if not fits:
            raise
        notes = (message("k = {k} and above could not be tried. {error}", k=ks[len(fits)], error=error),)
    artifacts: Mapping[str, Any] = getattr(fits[0], "artifacts", dict)()
    return _Tried(
        list(ks[: len(fits)]),
        [labels_of(engine.title, fitted, ordered).to_numpy() for fitted in fits],
        [fitted.diagnostics for fitted in fits],
        space_of(engine.title, fits[0], ordered),
        str(artifacts.get("space", "the engine's own")),
        notes,
    )


# --- the figures of one k -------------------------------------------------------------------------------------------


def _point(
    k: int,
    tried: _Tried,
    place: int,
    ordered: DataFrame,
    width: tuple[float | None, float | None],
    agreement: Matrix,
    captured: tuple[float | None, float | None, float | None],
) -> KPoint:
    keys, diagnostics = tried.codings[place], tried.diagnostics[place]
    codes = np.unique(keys, return_inverse=True)[1].astype(np.int64)
    outcome = MetricInput(ordered, codes, keys != NOISE, tried.matrix, diagnostics)
    seen = agreement[np.isfinite(agreement)]
    several = len(np.unique(codes)) > 1
    return KPoint(
        k,
        int(codes.max()) + 1,
        _finite(diagnostics.get("inertia")),
        *width,
        _finite(calinski_harabasz(outcome)),
        _finite(davies_bouldin(outcome)),
        _finite(diagnostics.get("bic")),
        _finite(diagnostics.get("aic")),
        float(seen.mean()) if several and len(seen) else None,
        float(seen.std(ddof=1) / np.sqrt(len(seen))) if several and len(seen) > 1 else None,
        float(smallest_share(outcome) or 0.0),
        *captured,
    )


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None


def _widths(tried: _Tried, seed: int) -> tuple[list[tuple[float | None, float | None]], int]:
    """The mean silhouette and its standard error for each k, and how many customers they were measured on.

    One sample serves every k, so that the distances are worked out once: it is drawn by segment of all of them at a
    time, and each segment counts with its true share. Outliers stay out.
    """
    if tried.matrix is None:
        return [(None, None)] * len(tried.ks), 0
    cells = np.unique(np.stack(tried.codings, axis=1), axis=0, return_inverse=True)[1].astype(np.int64)
    rows = stratified_rows(cells.ravel(), SILHOUETTE_SAMPLE, seed, least=2)
    widths: list[tuple[float | None, float | None]] = [(None, None)] * len(tried.ks)
    together = [place for place, keys in enumerate(tried.codings) if (keys != NOISE).all()]
    for places in (together, *([place] for place in range(len(tried.ks)) if place not in together)):
        inside = np.ones(len(cells), dtype=bool) if places is together else tried.codings[places[0]] != NOISE
        drawn = rows[inside[rows]]
        codings = {p: np.unique(tried.codings[p][inside], return_inverse=True)[1] for p in places}
        codings = {p: codes for p, codes in codings.items() if len(codes) and codes.max() > 0}
        if not codings:
            continue
        position = np.cumsum(inside) - 1
        sampled = [codes[position[drawn]] for codes in codings.values()]
        for (p, codes), own, values in zip(
            codings.items(), sampled, silhouettes(tried.matrix[drawn], sampled), strict=True
        ):
            widths[p] = _mean_of_strata(values, own, np.bincount(codes) / len(codes))
    return widths, len(rows)


def _mean_of_strata(values: Matrix, codes: Codes, shares: Matrix) -> tuple[float, float]:
    """The mean of values drawn by segment, and its standard error: root of sum (share^2 x variance / drawn)."""
    drawn = np.bincount(codes)
    means = np.bincount(codes, values) / drawn
    squares = np.bincount(codes, (values - means[codes]) ** 2)
    variances = squares / np.maximum(drawn - 1, 1)
    return float(shares @ means), float(np.sqrt((shares**2 * variances / drawn).sum()))


# --- later revenue ----------------------------------------------------------------------------------------------------


def _later_revenue(
    engine: Engine, later: LaterSales | None, ks: Sequence[int], seed: int
) -> tuple[dict[int, tuple[float, float, float]], int]:
    """By k the share of later revenue of the top fifth with the ends of its interval; and of how many customers.

    Nothing for a k that the customers of then do not allow.
    """
    if later is None or not len(later.before):
        return {}, 0
    ordered = in_order(later.before)
    ordered = ordered.iloc[sample_rows(len(ordered), min(LARGEST, engine.fit_limit), seed)]
    after = later.spend_after.reindex(ordered.index).fillna(0.0).to_numpy(np.float64)
    if not after.sum() > 0:
        return {}, 0
    codings = []
    try:
        check(engine, ordered)
        for fitted in engine.fit_each(ordered, ks):
            keys = labels_of(engine.title, fitted, ordered).to_numpy()
            codings.append(np.unique(keys, return_inverse=True)[1].astype(np.int64))
    except InputError:  # too few customers then, or a feature that was not known of then
        pass
    if not codings:
        return {}, 0
    shares = captured_shares(codings, ordered[MONETARY].to_numpy(np.float64), after, DRAWS, seed)
    low, high = np.nanquantile(shares[1:], [0.5 - INTERVAL / 2, 0.5 + INTERVAL / 2], axis=0)
    found = {
        k: (float(shares[0, place]), float(low[place]), float(high[place]))
        for place, k in enumerate(ks[: len(codings)])
    }
    return found, len(ordered)


# --- what the curves say --------------------------------------------------------------------------------------------


def _elbow(points: Sequence[KPoint]) -> int | None:
    inertias = [(point.k, point.inertia) for point in points if point.inertia is not None]
    if len(inertias) < 3:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where there is no elbow, which None says as well
        elbow = KneeLocator(*zip(*inertias, strict=True), curve="convex", direction="decreasing").elbow
    return None if elbow is None else int(elbow)


def _lowest_bic(points: Sequence[KPoint]) -> int | None:
    bics = [(point.bic, point.k) for point in points if point.bic is not None]
    return min(bics)[1] if bics else None
