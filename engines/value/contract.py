"""Contract of a value model: it learns from customers as of a date, and predicts the weeks ahead.

A value model is a frozen dataclass like an engine: its fields are made by :func:`engines.contract.knob`, and the
instance is its settings. Models come in through the entry-point group ``segmentry.value_models``, ours and anyone's;
``ValueModelContract`` in ``engines/value/testing.py`` is shipped for those who write one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal, Protocol, get_args

from pandas import DataFrame

from engines.contract import Adjustable

#: What a model can be asked: purchases to expect, the chance of any, and the money to expect (not discounted).
Answer = Literal["expected_purchases", "p_purchase", "future_spend"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)

#: Columns of an outcome: distinct purchase days (int64) and spend (float64, currency) after a cut-off.
PURCHASES_AFTER = "purchases_after"
SPEND_AFTER = "spend_after"


@dataclass(frozen=True)
class Window:
    """Customers as they stood at a cut-off, and what each of them did in the weeks after.

    ``as_of``: the cut-off, exclusive: what came before its midnight is known, the outcome begins with it.
    ``weeks``: length of the outcome. ``customers``: one row each, indexed by customer id in code point order, with the
    feature columns of the data dictionary as of the cut-off. ``outcome``: the same index, with ``PURCHASES_AFTER`` and
    ``SPEND_AFTER``; who bought nothing has zeros.
    """

    as_of: date
    weeks: float
    customers: DataFrame
    outcome: DataFrame


class FittedValueModel(Protocol):
    """What ``fit`` returns. It may add ``notes`` (sentences for people)."""

    @property
    def parameters(self) -> Mapping[str, float]:
        """Figures of the fit by name, finite: parameters, log_likelihood (total, time in weeks), penalizer..."""
        ...

    def predict(self, customers: DataFrame, weeks: float) -> DataFrame:
        """What to expect of each customer in the weeks ahead.

        Args:
            customers: with the feature columns, as of the day from which on is predicted; any order, one or many.
            weeks: how far ahead, above 0.

        Returns:
            On the same index, a float64 column for each of the model's answers: finite for everyone, and 0 or more;
            ``p_purchase`` at most 1. A customer alone gets what it gets in the crowd.
        """
        ...


class ValueModel(Adjustable, ABC):
    """A way to see ahead. Subclasses are frozen dataclasses whose fields are made by :func:`engines.contract.knob`."""

    answers: ClassVar[tuple[Answer, ...]]
    learns: ClassVar[bool] = True  #: from outcomes of the past; False: from the customers as they stand alone

    @abstractmethod
    def fit(self, customers: DataFrame, past: Sequence[Window]) -> FittedValueModel:
        """Learn from what is known by now; nothing after it is ever handed in.

        Args:
            customers: as they stand now, indexed by customer id in code point order.
            past: windows whose outcome is over by now, the latest first; of any length, not only that asked of
                ``predict``. Empty for models that do not learn from outcomes, and where the history is short.

        Raises:
            InputError: these customers or windows are not enough to learn from; the message says what is missing.
        """
