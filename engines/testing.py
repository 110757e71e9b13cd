"""Contract tests of an engine, shipped for those who write one.

Use it with pytest: make a class whose name begins with ``Test``, and say which engine::

    from engines.testing import EngineContract
    from my_package import MyEngine

    class TestMyEngine(EngineContract):
        engine = MyEngine()

Give :meth:`EngineContract.customers` your own table if the engine needs columns that are not numbers.
"""

from __future__ import annotations

import dataclasses
import json

import numpy as np
from pandas import DataFrame, Index
from pandas.testing import assert_series_equal

from engines.columns import CLV, FREQUENCY, MONETARY, RECENCY
from engines.contract import Engine, Fitted, Segmentation
from engines.errors import InputError
from engines.persistence import models
from engines.run import segment

_BASE = (RECENCY, FREQUENCY, MONETARY)


class EngineContract:
    """Every promise of an engine as a test. Subclasses set ``engine``."""

    engine: Engine

    def customers(self, count: int = 400) -> DataFrame:
        """A table of customers as shops have them: many with one order, few with very many; ids are text."""
        generator = np.random.default_rng(7)
        kind = generator.choice(3, size=count, p=[0.6, 0.3, 0.1])
        frequency = np.maximum(1, generator.poisson(np.array([0.4, 3.0, 14.0])[kind]))
        spend = frequency * generator.lognormal(3.2, 0.5, size=count)
        table = DataFrame(
            {
                RECENCY: np.maximum(1, generator.exponential(np.array([260.0, 90.0, 20.0])[kind]).astype(np.int64)),
                FREQUENCY: frequency.astype(np.int64),
                MONETARY: spend.round(2),
                CLV: (spend * generator.uniform(0.1, 0.6, size=count)).round(2),
            },
            index=Index([f"C{number:05d}" for number in generator.permutation(count)], name="customer_id", dtype="str"),
        )
        for name in self.engine.needs:
            if name not in table.columns:
                table[name] = generator.lognormal(1.0, 0.7, size=count)
        return table.sort_index()

    # --- what it is -------------------------------------------------------------------------------------------------

    def test_describes_itself(self) -> None:
        """It has a title, and every setting has a sentence of help."""
        assert self.engine.title, "an engine needs a title"
        for knob in self.engine.knobs():
            assert knob.help, f"the setting {knob.name} has no help"

    def test_settings_survive_json(self) -> None:
        """Settings written as JSON and read again make an equal engine."""
        read = json.loads(json.dumps(self.engine.settings()))
        assert type(self.engine).from_settings(read) == self.engine, "from_settings(settings()) is another engine"

    # --- what it does -----------------------------------------------------------------------------------------------

    def test_labels_everyone_with_its_own_keys(self) -> None:
        """Everyone gets a label, on the same index, and every label is one of its segments."""
        customers = self.customers()
        fitted = self.engine.fit(customers)
        labels = fitted.assign(customers)
        assert labels.index.equals(customers.index), "assign must keep the customers' index"
        assert labels.dtype.kind == "i", f"keys must be whole numbers, not {labels.dtype}"
        assert isinstance(fitted, Fitted), "fit must return segments, diagnostics and assign"
        keys = [item.key for item in fitted.segments]
        assert len(set(keys)) == len(keys), "two segments have the same key"
        assert set(labels) <= set(keys), f"labels {set(labels) - set(keys)} belong to no segment"

    def test_same_settings_same_labels(self) -> None:
        """Fitting twice gives the same labels."""
        customers = self.customers()
        first, second = (self.engine.fit(customers).assign(customers) for _ in range(2))
        assert_series_equal(first, second)

    def test_a_refit_on_the_same_customers_keeps_most_of_them(self) -> None:
        """A fit that begins with an earlier one is whole, the same each time, and keeps keys with their customers."""
        customers = self.customers()
        start = self.engine.fit(customers)
        refits = [self.engine.refit(customers, start) for _ in range(2)]
        first, second = (fitted.assign(customers) for fitted in refits)
        assert_series_equal(first, second)
        assert set(first) <= {item.key for item in refits[0].segments}, "a label belongs to no segment"
        kept = float((first == start.assign(customers)).mean())
        assert kept >= 0.9, f"only {kept:.0%} keep their key where nothing changed: refit must begin with the start"

    def test_order_of_rows_does_not_matter(self) -> None:
        """Shuffled customers get the same segments."""
        customers = self.customers()
        shuffled = customers.iloc[np.random.default_rng(1).permutation(len(customers))]
        before, after = self._segmented(customers), self._segmented(shuffled)
        assert after.labels.index.equals(shuffled.index), "labels must come in the order of the table"
        assert_series_equal(before.labels, after.labels.reindex(customers.index))
        assert before.segments == after.segments, "segments differ for another order of rows"

    def test_a_customer_alone_is_labelled_as_in_the_crowd(self) -> None:
        """Assigning one customer gives what assigning all gives, whatever is asked in between."""
        customers = self.customers()
        fitted = self.engine.fit(customers)
        everyone = fitted.assign(customers)
        for position in range(0, len(customers), 37):
            alone = fitted.assign(customers.iloc[[position]])
            assert alone.iloc[0] == everyone.iloc[position], f"customer {customers.index[position]} moves when alone"

    def test_new_customers_can_be_assigned(self) -> None:
        """Customers never seen, even far beyond the others, get one of the segments."""
        customers = self.customers()
        fitted = self.engine.fit(customers)
        fresh = (customers.iloc[:3] * 1000).set_axis(["new-1", "new-2", "new-3"])
        fresh.iloc[1] = 0.0
        assert set(fitted.assign(fresh)) <= {item.key for item in fitted.segments}, "a new customer gets no segment"

    def test_fit_does_not_change_the_table(self) -> None:
        """The table handed in is left as it was."""
        customers = self.customers()
        before = customers.copy(deep=True)
        self.engine.fit(customers).assign(customers)
        assert customers.equals(before), "the customer table was changed"

    def test_a_fitted_model_can_be_saved_and_loaded(self) -> None:
        """A saved and loaded model gives everyone the segment it gave before."""
        customers = self.customers()
        fitted = self.engine.fit(customers)
        loaded = models.load_model(models.dump_model(fitted, [type(self.engine)]), [type(self.engine)])
        assert loaded.segments == fitted.segments, "the segments differ after saving and loading"
        assert_series_equal(loaded.assign(customers), fitted.assign(customers))

    def test_names_and_colours_are_unique(self) -> None:
        """Every segment with customers has a name and a colour of its own."""
        segments = self._segmented(self.customers()).segments
        assert all(item.name for item in segments), "a segment has no name"
        assert len({item.name for item in segments}) == len(segments), "two segments have the same name"
        assert len({item.colour for item in segments}) == len(segments), "two segments have the same colour"
        assert sum(item.customers for item in segments) == len(self.customers()), "a customer is in no segment"

    def test_a_constant_column_does_no_harm(self) -> None:
        """A column that is the same for everyone either works or gives one clear error."""
        for name in _BASE:
            customers = self.customers()
            customers[name] = 1
            self._works_or_says_why(self.engine, customers)

    # --- what it refuses --------------------------------------------------------------------------------------------

    def test_one_customer(self) -> None:
        """One customer either gets a segment or a clear error."""
        self._works_or_says_why(self.engine, self.customers().iloc[:1])

    def test_nobody(self) -> None:
        """No customers at all is a clear error."""
        self._says_why(self.engine, self.customers().iloc[:0], "no customers")

    def test_more_segments_than_customers(self) -> None:
        """Where there is a k, more segments than customers is an error that names k."""
        if any(knob.name == "k" for knob in self.engine.knobs()):
            engine = dataclasses.replace(self.engine, k=9)  # type: ignore[type-var]
            self._says_why(engine, self.customers().iloc[:5], "k = 9")

    def test_missing_column(self) -> None:
        """A table without a needed column is an error that names it."""
        self._says_why(self.engine, self.customers().drop(columns=MONETARY), MONETARY)

    def test_empty_and_infinite_values(self) -> None:
        """An empty or infinite value in a needed column is an error that names the column."""
        for value in (np.nan, np.inf, -np.inf):
            for name in _BASE:
                customers = self.customers().astype({name: np.float64})
                customers.loc[customers.index[3], name] = value
                self._says_why(self.engine, customers, name)

    # --- how that is checked ----------------------------------------------------------------------------------------

    def _segmented(self, customers: DataFrame) -> Segmentation:
        return segment("contract", self.engine, customers, plays=())

    def _works_or_says_why(self, engine: Engine, customers: DataFrame) -> None:
        try:
            segmentation = segment("contract", engine, customers, plays=())
        except InputError as error:
            assert len(str(error)) > 20, f"the error {str(error)!r} does not name the remedy"
        else:
            assert len(segmentation.labels) == len(customers), "not everyone is labelled"

    def _says_why(self, engine: Engine, customers: DataFrame, word: str) -> None:
        try:
            segment("contract", engine, customers, plays=())
        except InputError as error:
            assert word in str(error), f"the error {str(error)!r} does not name {word}"
        else:
            raise AssertionError(f"{engine.title} must refuse this table with an InputError that names {word}")
