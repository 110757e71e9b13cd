"""Watches drift from run to run: compares a new run with the one before it."""

from __future__ import annotations

from datetime import date

import numpy as np
from pandas import DataFrame, Series

from dashboard.config import Config
from dashboard.pipeline.label import model_of
from dashboard.pipeline.series import run_before
from engines.contract import DriftPoint, Engine, LivePoint
from engines.errors import InputError
from engines.evaluation.drift import adjusted_rand
from engines.evaluation.timeline import is_alert, noise
from engines.run import in_order
from engines.settings import RULES_VERSION
from storage import Store
from storage.contract import NotFoundError, Run


def live_point(
    run: Run,
    engine: Engine,
    customers: DataFrame,
    labels: Series,
    store: Store,
    config: Config,
) -> LivePoint | None:
    """A run against the latest earlier one of its data set, engine, settings and rules, on the customers of both.

    The earlier run's model labels them as they are now, and so does the run: their ARI says whether the model has
    moved. Whom the earlier model puts elsewhere than it did has moved. Where the earlier run kept no model, labels of
    then and now are compared as they are, which mixes the two, and is never an alert.

    Args:
        run: as it stands before it is finished.
        engine: with its settings.
        customers: those of its snapshot.
        labels: its segment keys by customer id.
        store: where the earlier run is.
        config: for the alarm line; how far chance goes is measured where the ARI is below it.

    Returns:
        None where there is no earlier run, or no customer of both.
    """
    currency = store.snapshot(run.snapshot_id).currency
    earlier = run_before(store, run.dataset, run.engine, run.settings, run.as_of, currency, rules=run.rules)
    if earlier is None:
        return None
    try:
        was = store.labels(earlier.id)
    except NotFoundError:  # deleted meanwhile
        return None
    ordered = in_order(customers)
    common = ordered.loc[ordered.index.isin(was.index)]
    if not len(common):
        return None
    now = labels.reindex(common.index).to_numpy(np.int64)
    then = was.reindex(common.index).to_numpy(np.int64)
    old = _by_its_model(earlier, common, store)
    ari = adjusted_rand(then if old is None else old, now)
    low = None
    if old is not None and ari < config.drift.threshold:
        seed = int(engine.settings().get("seed", 0))
        low = noise(engine, ordered, bootstraps=config.drift.bootstraps, seed=seed)[0]
    return LivePoint(
        against=earlier.id,
        before=earlier.as_of.isoformat(),
        as_of=run.as_of.isoformat(),
        customers=len(common),
        ari=ari,
        alert=low is not None and is_alert(ari, low, config.drift.threshold),
        noise_low=low,
        moved_share=None if old is None else float((old != then).mean()),
    )


def points_before(
    dataset: str, name: str, engine: Engine, as_of: date, store: Store, rules: int = RULES_VERSION
) -> list[DriftPoint]:
    """The timeline of the run before one that is to be made; its noise bands stay with the points they belong to.

    Args:
        dataset: what is segmented.
        name: of the engine.
        engine: with its settings.
        as_of: the date of the run to be made.
        store: where the earlier run is.
        rules: the version of the rules that the sales of the run to be made were read by.
    """
    earlier = run_before(store, dataset, name, engine.settings(), as_of, rules=rules)
    try:
        return [] if earlier is None else store.drift(earlier.id)
    except NotFoundError:  # deleted meanwhile
        return []


def _by_its_model(earlier: Run, customers: DataFrame, store: Store) -> np.ndarray | None:
    try:
        return model_of(earlier, store).assign(customers).reindex(customers.index).to_numpy(np.int64)
    except (InputError, NotFoundError, KeyError):  # no model was kept, or it looks at a column that is not there now
        return None
