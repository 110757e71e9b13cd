"""Scores of a churn risk: ranking (AUC, lift), log loss, Brier score and calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.value.lifetime.patterns import Floats
from engines.value.validation.metrics import TOP, Metrics, bins, captured_share


def loss(lost: NDArray[np.bool_], risk: Floats) -> Metrics:
    """ROC AUC, area under precision and recall, Brier score, log loss, and lift among the tenth with the highest risk.

    Args:
        lost: who made no purchase in the days that the risk is about.
        risk: the probability of that, as it was foreseen.

    Returns:
        ``roc_auc``, ``pr_auc``, ``brier``, ``log_loss``, ``lift_at_10``; None for what does not exist where everyone
        was lost, or nobody.
    """
    from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

    both = 0 < lost.sum() < len(lost)
    top = captured_share(risk, lost.astype(np.float64))
    return {
        "roc_auc": float(roc_auc_score(lost, risk)) if both else None,
        "pr_auc": float(average_precision_score(lost, risk)) if both else None,
        "brier": float(brier_score_loss(lost, risk, pos_label=True)),
        "log_loss": float(log_loss(lost, risk, labels=[False, True])),
        "lift_at_10": None if top is None else top / TOP,
    }


def reliability(lost: NDArray[np.bool_], risk: Floats) -> list[dict[str, Any]]:
    """The mean risk foreseen and the share lost, in up to ten bins of customers of like risk."""
    codes = bins(risk)
    return [
        {
            "customers": int(inside.sum()),
            "predicted": float(risk[inside].mean()),
            "actual": float(lost[inside].mean()),
        }
        for inside in (codes == code for code in np.unique(codes))
    ]
