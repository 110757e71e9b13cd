"""Verdict in a sentence on whether a model beats the naive baselines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engines.messages import joined, message
from engines.value.validation.baselines import BASELINES, RECENCY
from engines.value.validation.metrics import Metrics

#: Per question: what is foreseen, the figures that have to be lower than every baseline's, and their names. Of spend
#: the logarithm does not decide: it is about who gets a little instead of nothing, and hangs on the unit of money.
_QUESTIONS: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "purchases": (message("purchases"), (("rmse", "RMSE"), ("msle", "MSLE"))),
    "churn": (message("who stays away"), (("log_loss", message("log loss")), ("brier", message("Brier score")))),
    "ltv": (message("spend"), (("rmse", "RMSE"),)),
}


def judge_model(
    question: str, model: str | None, figures: Mapping[str, Metrics], titles: Mapping[str, str]
) -> dict[str, Any]:
    """Whether the model is better than every baseline on each figure that decides.

    Returns:
        ``question``, ``model``, ``beats``, and ``words``: a sentence for people.
    """
    what, metrics = _QUESTIONS[question]
    if model is None:
        words = message("No model could be judged on {what}: there is too little to learn from.", what=what)
        return {"question": question, "model": None, "beats": False, "words": words}
    naive = [name for name in (*BASELINES, RECENCY) if name in figures and name != model]
    title = titles.get(model, model)
    if not naive:
        words = message("{title} has no baseline to be held against on {what}.", title=title, what=what)
        return {"question": question, "model": model, "beats": False, "words": words}
    sentences, beaten = [], True
    for metric, name in metrics:
        ours = figures[model][metric]
        comparable = {other: value for other in naive if (value := figures[other][metric]) is not None}
        if ours is None or not comparable:
            beaten = False
            continue
        best = min(comparable, key=lambda other: comparable[other])
        beaten &= ours < comparable[best]
        naive_title = titles.get(best, best)
        sentences.append(
            message(
                "{name} {ours:,.3f} against {known:,.3f} of “{naive_title}”.",
                name=name,
                ours=ours,
                known=comparable[best],
                naive_title=naive_title,
            )
        )
    if beaten:
        words = message("{title} beats every baseline on {what} (lower is better).", title=title, what=what)
    else:
        words = message("{title} does not beat its baselines on {what} (lower is better).", title=title, what=what)
    words = joined((words, *sentences))
    return {"question": question, "model": model, "beats": beaten, "words": words}
