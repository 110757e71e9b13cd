"""Contract tests of a value model, shipped for those who write one.

Use it with pytest: make a class whose name begins with ``Test``, and say which model::

    from engines.value.testing import ValueModelContract
    from my_package import MyModel

    class TestMyModel(ValueModelContract):
        model = MyModel()
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd
from pandas import DataFrame
from pandas.testing import assert_frame_equal

from engines.columns import (
    AGE,
    AVERAGE_ORDER_VALUE,
    COUNTRY,
    FIRST_PURCHASE,
    FIRST_TO_LAST,
    FREQUENCY,
    IS_HOME_COUNTRY,
    ITEMS_PER_ORDER,
    LAST_PURCHASE,
    MEAN_DAYS_BETWEEN_ORDERS,
    MEAN_REPEAT_VALUE,
    MONETARY,
    NET_MONETARY,
    PURCHASE_SPAN,
    RECENCY,
    REPEAT_PURCHASES,
    RETURN_RATE,
    TENURE,
    UNIQUE_PRODUCTS,
)
from engines.errors import InputError
from engines.value.contract import ANSWERS, FittedValueModel, ValueModel, Window
from engines.value.validation.plan import Cut, windows

_CONSTANT = (REPEAT_PURCHASES, MONETARY, RECENCY, MEAN_REPEAT_VALUE)


class ValueModelContract:
    """Every promise of a value model as a test. Subclasses set ``model``."""

    model: ValueModel
    weeks = 13.0  #: how far ahead is asked
    as_of = date(2024, 1, 1)
    cuts = (Cut(date(2023, 10, 2), 91), Cut(date(2023, 8, 18), 91))

    @cached_property
    def lines(self) -> DataFrame:
        """Purchase days of a small shop: many customers with one, few with very many, spend of their own."""
        random = np.random.default_rng(11)
        count = 500
        kind = random.choice(3, size=count, p=[0.55, 0.33, 0.12])
        came = random.integers(0, 480, count)
        purchases = 1 + np.minimum(random.poisson(np.array([0.2, 3.0, 12.0])[kind]), 60)
        customer = np.repeat(np.arange(count), purchases)
        order = np.arange(len(customer)) - np.repeat(np.cumsum(purchases) - purchases, purchases)
        gaps = np.where(order == 0, 0, 1 + random.exponential(np.array([60.0, 35.0, 14.0])[kind][customer])).astype(int)
        day = came[customer] + pd.Series(gaps).groupby(customer).cumsum().to_numpy()
        level = random.lognormal(3.0, 0.6, count)
        lines = DataFrame(
            {
                "customer": [f"C{number:05d}" for number in customer],
                "day": pd.Timestamp(self.as_of - timedelta(days=500)) + pd.to_timedelta(day, unit="D"),
                "spend": (level[customer] * random.gamma(6.0, 1 / 6.0, len(customer))).round(2) + 0.01,
                "items": 1 + random.poisson(1.5, len(customer)),
            }
        )
        return lines[lines["day"] < pd.Timestamp(self.as_of)]

    def customers(self) -> DataFrame:
        """The shop's customers as of ``as_of`` (exclusive), with the feature columns of the data dictionary."""
        return self._tables[self.as_of].copy()

    def past(self) -> tuple[Window, ...]:
        """Windows of the shop's past, the latest first; their outcomes are over by ``as_of``."""
        return copy.deepcopy(windows(self.cuts, self._tables))

    @cached_property
    def _tables(self) -> dict[date, DataFrame]:
        days = {self.as_of, *(day for cut in self.cuts for day in (cut.as_of, cut.end))}
        return {day: self._customers_at(day) for day in days}

    def _customers_at(self, day: date) -> DataFrame:
        end = pd.Timestamp(day)
        lines = self.lines[self.lines["day"] < end].sort_values(["customer", "day"])
        by_customer = lines.groupby("customer")
        first, last = by_customer["day"].min(), by_customer["day"].max()
        repeats = lines[lines["day"] > lines["customer"].map(first)].groupby("customer")["spend"]
        orders, spend, span = by_customer.size(), by_customer["spend"].sum().round(4), (last - first).dt.days
        table = DataFrame(
            {
                COUNTRY: "United Kingdom",
                RECENCY: (end - last).dt.days,
                FREQUENCY: orders,
                MONETARY: spend,
                NET_MONETARY: spend,
                AVERAGE_ORDER_VALUE: spend / orders,
                ITEMS_PER_ORDER: by_customer["items"].sum() / orders,
                UNIQUE_PRODUCTS: by_customer["items"].max().astype(float),
                MEAN_DAYS_BETWEEN_ORDERS: span / (orders - 1).where(orders > 1),
                PURCHASE_SPAN: span,
                TENURE: (end - first).dt.days,
                FIRST_PURCHASE: first,
                LAST_PURCHASE: last,
                RETURN_RATE: 0.0,
                IS_HOME_COUNTRY: True,
                REPEAT_PURCHASES: orders - 1,
                FIRST_TO_LAST: span / 7,
                AGE: ((end - first).dt.days - 1) / 7,
                MEAN_REPEAT_VALUE: repeats.mean().reindex(orders.index).fillna(0.0),
            }
        )
        table.index = table.index.astype("str").rename("customer_id")
        return table.astype({IS_HOME_COUNTRY: "boolean"})

    # --- what it is -------------------------------------------------------------------------------------------------

    def test_describes_itself(self) -> None:
        """It has a title and says what it answers, and every setting has a sentence of help."""
        assert self.model.title, "a value model needs a title"
        assert self.model.answers, "a value model must say what it answers"
        assert set(self.model.answers) <= set(ANSWERS), f"answers must be of {', '.join(ANSWERS)}"
        for knob in self.model.knobs():
            assert knob.help, f"the setting {knob.name} has no help"

    def test_settings_survive_json(self) -> None:
        """Settings written as JSON and read again make an equal model."""
        read = json.loads(json.dumps(self.model.settings()))
        assert type(self.model).from_settings(read) == self.model, "from_settings(settings()) is another model"

    # --- what it does -----------------------------------------------------------------------------------------------

    def test_answers_everyone(self) -> None:
        """Everyone gets every answer on the same index: finite, 0 or more, probabilities at most 1."""
        customers = self.customers()
        self._check_answers(self._fitted(customers).predict(customers, self.weeks), customers)

    def test_parameters_are_finite_figures(self) -> None:
        """The figures of the fit are finite and survive JSON."""
        parameters = dict(self._fitted(self.customers()).parameters)
        assert json.loads(json.dumps(parameters, allow_nan=False)) == parameters

    def test_a_customer_alone_is_told_what_it_is_in_the_crowd(self) -> None:
        """Predicting one customer gives what predicting all gives."""
        customers = self.customers()
        fitted = self._fitted(customers)
        everyone = fitted.predict(customers, self.weeks)
        for place in range(0, len(customers), 41):
            alone = fitted.predict(customers.iloc[[place]], self.weeks)
            assert_frame_equal(alone, everyone.iloc[[place]], rtol=1e-9, check_names=False)

    def test_order_of_rows_does_not_matter(self) -> None:
        """Predicting shuffled customers gives each the same."""
        customers = self.customers()
        fitted = self._fitted(customers)
        shuffled = customers.iloc[np.random.default_rng(1).permutation(len(customers))]
        predicted = fitted.predict(shuffled, self.weeks)
        assert predicted.index.equals(shuffled.index), "answers must come in the order of the table"
        assert_frame_equal(predicted.reindex(customers.index), fitted.predict(customers, self.weeks), rtol=1e-9)

    def test_same_twice(self) -> None:
        """Fitting and predicting twice gives the same."""
        customers = self.customers()
        first, second = (self._fitted(customers).predict(customers, self.weeks) for _ in range(2))
        assert_frame_equal(first, second, check_exact=True)

    def test_does_not_change_what_it_is_given(self) -> None:
        """The tables handed in are left as they were."""
        customers, past = self.customers(), self.past()
        before = copy.deepcopy((customers, past))
        self.model.fit(customers, past).predict(customers, self.weeks)
        assert customers.equals(before[0]), "the customer table was changed"
        for window, original in zip(past, before[1], strict=True):
            unchanged = window.customers.equals(original.customers) and window.outcome.equals(original.outcome)
            assert unchanged, "a window of the past was changed"

    def test_longer_is_never_less(self) -> None:
        """A longer time never has a smaller chance, nor fewer purchases or less spend where nothing is learnt."""
        customers = self.customers()
        fitted = self._fitted(customers)
        times = (self.weeks / 7, self.weeks / 2, self.weeks, 3 * self.weeks)
        answers = [fitted.predict(customers, weeks) for weeks in times]
        for short, long in pairwise(answers):
            columns = [name for name in self.model.answers if name == "p_purchase" or not self.model.learns]
            assert (long[columns] >= short[columns] - 1e-9).all(axis=None), "a longer time ahead has less"

    def test_new_customers_can_be_told(self) -> None:
        """Customers never seen get every answer: one who came yesterday, and ones far beyond the others."""
        customers = self.customers()
        fresh = customers.iloc[:3].set_axis(["new-1", "new-2", "new-3"])
        for name, far in ((REPEAT_PURCHASES, 400), (FREQUENCY, 401), (MONETARY, 1e7), (MEAN_REPEAT_VALUE, 2e4)):
            fresh[name] = fresh[name].astype(type(far))
            fresh.loc["new-2", name] = far
        fresh.loc["new-2", [FIRST_TO_LAST, AGE]] = [70.0, 71.0]
        fresh.loc["new-3", [REPEAT_PURCHASES, FREQUENCY, RECENCY, TENURE, PURCHASE_SPAN]] = [0, 1, 1, 1, 0]
        fresh.loc["new-3", [FIRST_TO_LAST, AGE, MEAN_REPEAT_VALUE, MEAN_DAYS_BETWEEN_ORDERS]] = [0.0, 0.0, 0.0, np.nan]
        self._check_answers(self._fitted(customers).predict(fresh, self.weeks), fresh)

    def test_a_constant_column_does_no_harm(self) -> None:
        """A column that is the same for everyone either works or gives one clear error."""
        for name in _CONSTANT:
            customers, past = self.customers(), self.past()
            for table in (customers, *(window.customers for window in past)):
                table[name] = 0
                if name == REPEAT_PURCHASES:
                    table[[FIRST_TO_LAST, MEAN_REPEAT_VALUE]] = 0.0
            self._works_or_says_why(customers, past)

    # --- what it refuses --------------------------------------------------------------------------------------------

    def test_nobody(self) -> None:
        """No customers at all is a clear error."""
        try:
            self.model.fit(self.customers().iloc[:0], ())
        except InputError as error:
            assert len(str(error)) > 20, f"the error {str(error)!r} does not name the remedy"
        else:
            raise AssertionError(f"{self.model.title} must refuse a table without customers with an InputError")

    def test_too_few(self) -> None:
        """One customer, and a past of one customer, either work or give one clear error."""
        window = self.past()[0]
        few = Window(window.as_of, window.weeks, window.customers.iloc[:1], window.outcome.iloc[:1])
        self._works_or_says_why(self.customers().iloc[:1], (few,))

    def test_without_a_past(self) -> None:
        """Without windows a model that learns from them gives one clear error; any other works."""
        customers = self.customers()
        if self.model.learns:
            self._works_or_says_why(customers, ())
        else:
            self._check_answers(self.model.fit(customers, ()).predict(customers, self.weeks), customers)

    # --- how that is checked ----------------------------------------------------------------------------------------

    def _fitted(self, customers: DataFrame) -> FittedValueModel:
        return self.model.fit(customers, self.past())

    def _check_answers(self, predicted: DataFrame, customers: DataFrame) -> None:
        assert predicted.index.equals(customers.index), "predict must keep the customers' index"
        for answer in self.model.answers:
            assert answer in predicted.columns, f"{answer} is missing"
            assert predicted[answer].dtype == np.float64, f"{answer} must be float64, not {predicted[answer].dtype}"
            assert np.isfinite(predicted[answer]).all(), f"{answer} is empty or infinite for someone"
            assert (predicted[answer] >= 0).all(), f"{answer} is below 0 for someone"
        if "p_purchase" in self.model.answers:
            assert (predicted["p_purchase"] <= 1).all(), "a probability is above 1"

    def _works_or_says_why(self, customers: DataFrame, past: Sequence[Window]) -> None:
        try:
            predicted = self.model.fit(customers, past).predict(customers, self.weeks)
        except InputError as error:
            assert len(str(error)) > 20, f"the error {str(error)!r} does not name the remedy"
        else:
            self._check_answers(predicted, customers)
