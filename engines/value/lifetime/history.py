"""Columns that lifetime models read, checked, and notes on a fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from pandas import DataFrame

from engines.columns import AGE, FIRST_TO_LAST, MEAN_REPEAT_VALUE, MONETARY, REPEAT_PURCHASES
from engines.errors import InputError
from engines.messages import message, message_number
from engines.value.lifetime import gamma_gamma
from engines.value.lifetime.gamma_gamma import ValueFit
from engines.value.lifetime.lifetime import LifetimeFit
from engines.value.lifetime.patterns import Floats

#: The columns that value is worked out from.
NEEDED = (REPEAT_PURCHASES, FIRST_TO_LAST, AGE, MEAN_REPEAT_VALUE, MONETARY)
_FEW_REPEAT_BUYERS = 30
_HIGH_CORRELATION = 0.3
_HIGH_RANK_CORRELATION = 0.2  # ranks are pulled together by the many who bought again once or twice
_NO_DROPOUT = 0.001


def history_arrays(customers: DataFrame) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Repeat purchases, first to last, age, mean repeat value and monetary of the customers, one array each.

    Raises:
        InputError: no customers, a missing column or a value that cannot be.
    """
    missing = [name for name in NEEDED if name not in customers.columns]
    if missing:
        raise InputError(
            "Customer value needs {needed}; this table has no {missing}. Build the customer table "
            "from sales lines first.",
            needed=", ".join(NEEDED),
            missing=", ".join(missing),
        )
    if not len(customers):
        raise InputError("There are no customers to value; check what cleaning dropped.")
    values = {name: customers[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in NEEDED}
    x, t_x, age = values[REPEAT_PURCHASES], values[FIRST_TO_LAST], values[AGE]
    for name, column in values.items():
        _refuse(customers, ~np.isfinite(column), f"{name} is empty or infinite")
    _refuse(customers, (x < 0) | (x != np.floor(x)), f"{REPEAT_PURCHASES} is not a whole number of 0 or more")
    _refuse(customers, (t_x < 0) | (t_x > age), f"{FIRST_TO_LAST} is not between 0 and {AGE}")
    _refuse(customers, (x == 0) & (t_x > 0), f"{FIRST_TO_LAST} is above 0 without a repeat purchase")
    return x, t_x, age, values[MEAN_REPEAT_VALUE], values[MONETARY]


def _refuse(customers: DataFrame, wrong: np.ndarray[Any, np.dtype[np.bool_]], what: str) -> None:
    if wrong.any():
        who = customers.index[int(wrong.argmax())]
        raise InputError(
            "{what} for customer {who} ({wrong} of {customers} customers); build the customer table "
            "from sales lines again, up to the same day for everyone.",
            what=what,
            who=who,
            wrong=int(wrong.sum()),
            customers=len(customers),
        )


def repeat_buyers(x: Floats, mean_value: Floats) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Who bought again for a positive mean value: those that Gamma-Gamma is fitted to."""
    return (x > 0) & (mean_value > 0)


def fit_value(x: Floats, mean_value: Floats, monetary: Floats) -> ValueFit:
    """Gamma-Gamma fitted to who bought again for money; where nobody did, the mean of all purchases for everyone."""
    who = repeat_buyers(x, mean_value)
    if who.any():
        return gamma_gamma.fit(x[who], mean_value[who])
    paying = monetary > 0
    mean = float(np.sort(monetary[paying]).sum() / (x[paying] + 1.0).sum()) if paying.any() else 0.0
    return ValueFit(gamma_gamma.flat_model(mean), message("mean of all purchases"), 0.0, False)


def correlation(x: Floats, mean_value: Floats) -> float | None:
    """Pearson's correlation of repeat purchases and their mean value among who bought again for money.

    None where either does not vary.
    """
    who = repeat_buyers(x, mean_value)
    x, mean_value = x[who], mean_value[who]
    order = np.lexsort((mean_value, x))  # sums depend on their order in the last digits
    x, mean_value = x[order], mean_value[order]
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(mean_value) == 0:
        return None
    return float(np.corrcoef(x, mean_value)[0, 1])


def rank_correlation(x: Floats, mean_value: Floats) -> float | None:
    """Spearman's correlation of the same, which one customer of another size does not hide; None as above."""
    from scipy.stats import rankdata

    who = repeat_buyers(x, mean_value)
    ranks = rankdata(x[who]), rankdata(mean_value[who])
    if who.sum() < 3 or any(np.ptp(each) == 0 for each in ranks):
        return None
    order = np.lexsort(ranks)
    return float(np.corrcoef(ranks[0][order], ranks[1][order])[0, 1])


def fit_notes(
    lifetime: LifetimeFit, value: ValueFit, x: Floats, mean_value: Floats, correlated: float | None
) -> Iterator[str]:
    """What a reader of the figures should know, in plain sentences."""
    buyers = int((x > 0).sum())
    if lifetime.penalizer:
        yield message(
            "The plain {title} fit did not converge to parameters that these sales decide; it was "
            "fitted again with a penalizer of {penalizer:g} on the squared log-parameters (time "
            "scaled to the longest age).",
            title=lifetime.model.title,
            penalizer=lifetime.penalizer,
        )
    elif not lifetime.converged:
        why = (
            message("nobody has bought again yet")
            if buyers == 0
            else message("no {title} fit converged", title=lifetime.model.title)
        )
        yield message(
            "Purchases ahead are an empirical-Bayes estimate, not a fitted model, because {why}: the "
            "pooled purchase rate, with {guess}.",
            why=why,
            guess=lifetime.model.guess,
        )
    if lifetime.model.leaving < _NO_DROPOUT:
        yield message(
            "These sales show next to no customers leaving for good, so P(alive) is close to 1 for nearly "
            "everyone; go by the churn risk."
        )
    if 0 < buyers < _FEW_REPEAT_BUYERS:
        yield message_number(
            "Only {buyers} customer has bought again; treat every figure about the future as rough.",
            "Only {buyers} customers have bought again; treat every figure about the future as rough.",
            buyers,
            buyers=buyers,
        )
    if value.method == "mean of all purchases":
        yield message("No repeat purchase has a positive value, so everyone gets the mean value of all purchases.")
    elif not value.converged:
        yield message(
            "Gamma-Gamma did not settle on purchase values by itself (no convergence, or no finite "
            "population mean); its population mean was held at the mean repeat purchase, "
            "{population_mean:,.2f}.",
            population_mean=value.model.population_mean,
        )
    unpaid = int(((x > 0) & (mean_value <= 0)).sum())
    if unpaid:
        yield message_number(
            "{buyers} repeat buyer has a mean repeat value of zero or less; the purchase value model was fitted "
            "without them, and they are valued all the same.",
            "{buyers} repeat buyers have a mean repeat value of zero or less; the purchase value model was fitted "
            "without them, and they are valued all the same.",
            unpaid,
            buyers=unpaid,
        )
    if correlated is not None and abs(correlated) > _HIGH_CORRELATION:
        yield message(
            "How often customers buy and what they spend are correlated ({correlated:.2f}, beyond "
            "{high_correlation:g}); the model takes them to be independent, so CLV of the extremes "
            "may be off.",
            correlated=correlated,
            high_correlation=_HIGH_CORRELATION,
        )
    elif (ranked := rank_correlation(x, mean_value)) is not None and abs(ranked) > _HIGH_RANK_CORRELATION:
        yield message(
            "Customers who buy more often also spend more, or less, per purchase: the correlation of their ranks is "
            "{ranked:.2f} (beyond {high:g}). The model takes the two to be independent, so CLV of the extremes may be "
            "off.",
            ranked=ranked,
            high=_HIGH_RANK_CORRELATION,
        )
