"""Churn model by XGBoost: the same question and predictors as gradient boosting; needs the extra xgboost."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from pandas import DataFrame

from engines.messages import noted
from engines.value.learned.churn import BoostedTrees, directions

if find_spec("xgboost") is None:
    # The registry lists the model with this sentence.
    raise ImportError("XGBoost is not installed; install segmentry with its extra: segmentry[xgboost]")


@dataclass(frozen=True)
class XGBoost(BoostedTrees):
    """XGBoost's histogram trees."""

    title = noted("XGBoost")
    summary = noted("Gradient boosting by the XGBoost library; comes with the extra xgboost.")

    def classifier(self, predictors: DataFrame) -> Any:
        """Regularised as gradient boosting is; one thread, so that sums do not depend on how many there are."""
        from xgboost import XGBClassifier

        return XGBClassifier(
            n_estimators=self.trees,
            max_depth=self.depth,
            learning_rate=self.rate,
            reg_lambda=10.0,
            min_child_weight=10.0,
            monotone_constraints=tuple(directions(predictors)),
            tree_method="hist",
            n_jobs=1,
            random_state=0,
        )
