"""Engines as scikit-learn estimators, for a pipeline or a notebook, on any table of numbers."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from engines import registry
from engines.checks import labels_of
from engines.clustering.clusterers import NOISE
from engines.contract import Engine
from engines.errors import InputError
from engines.run import fit


class SegmentryClusterer(ClusterMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Any engine that groups by chosen features, ours or a plug-in's, on the columns of a matrix or data frame.

    Put it at the end of a scikit-learn ``Pipeline``, compare it with scikit-learn's clusterers, search its parameters::

        make_pipeline(StandardScaler(), SegmentryClusterer("gmm", k=5, settings={"scaling": "none"})).fit_predict(X)

    All columns are features. Scaling is the engine's own (the setting ``scaling``): columns whose names the data
    dictionary knows as shares or flags are taken as they are, so are columns within 0 and 1, the others as logarithms.
    The order of rows does not matter.

    Args:
        engine: name of a registered engine that has the setting ``features``.
        k: how many segments, where the engine has such a setting.
        seed: of everything random, where the engine has such a setting.
        settings: other settings of the engine by name.

    Attributes:
        labels_: the segment of each fitted row, 0, 1, 2, ...; -1 for noise. Shape (rows,).
        fitted_: what the engine's ``fit`` returned.
    """

    def __init__(
        self, engine: str = "kmeans", k: int = 4, seed: int = 0, settings: dict[str, Any] | None = None
    ) -> None:
        self.engine = engine
        self.k = k
        self.seed = seed
        self.settings = settings

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn segments from rows, shape (rows, features); ``y`` is ignored.

        Raises:
            InputError: no such engine or setting, or rows that cannot be segmented so; it is a ValueError.
        """
        matrix = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        # sorted by their values, as customers are by their ids, so that the order of rows cannot matter
        ordered = self._table(matrix[np.lexsort(matrix.T[::-1])])
        self.fitted_ = fit(self._made(tuple(ordered.columns)), ordered)[0]
        self.labels_ = self._coded(matrix)
        return self

    def predict(self, X: Any) -> NDArray[np.int64]:
        """The segment of each row, shape (rows,): as fitted, so that fitted rows get their own labels again."""
        check_is_fitted(self)
        return self._coded(validate_data(self, X, dtype=np.float64, reset=False))

    def _made(self, features: tuple[str, ...]) -> Engine:
        knobs = {item.name for item in registry.engine(self.engine).knobs()}
        if "features" not in knobs:
            raise InputError(
                "The engine {engine!r} has no setting features, so it needs a customer table.", engine=self.engine
            )
        own = {name: value for name, value in (("k", self.k), ("seed", self.seed)) if name in knobs}
        return registry.engine(self.engine, {**own, **(self.settings or {}), "features": features})

    def _table(self, matrix: NDArray[np.float64]) -> DataFrame:
        names = getattr(self, "feature_names_in_", [f"x{number}" for number in range(self.n_features_in_)])
        return DataFrame(matrix, columns=list(names))

    def _coded(self, matrix: NDArray[np.float64]) -> NDArray[np.int64]:
        """Positions among the engine's segments; its keys may have gaps."""
        keys = labels_of(self.engine, self.fitted_, self._table(matrix)).to_numpy()
        segment_keys = np.array(sorted(item.key for item in self.fitted_.segments if item.key != NOISE), dtype=np.int64)
        return np.where(keys == NOISE, NOISE, np.searchsorted(segment_keys, keys)).astype(np.int64)
