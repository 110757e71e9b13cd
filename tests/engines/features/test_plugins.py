"""Features of other packages: what is listed, what is computed, and what a broken one does (no harm)."""

from datetime import date
from importlib.metadata import EntryPoint

import ibis
import numpy as np
import pandas as pd
import pytest

from engines import features, intake
from engines.columns import CUSTOMER_ID, LINE_TYPE, ORDER_DATE, Column, columns_of, describe
from engines.errors import InputError
from engines.features.plugins import GROUP

AS_OF = date(1997, 7, 1)


def column(name, kind="number"):
    return Column(name, name.capitalize(), kind, "-", "made for a test", "Made for a test.")


class Lines:
    """How many sale lines a customer has."""

    column = column("lines", "count")

    def build(self, sales, *, as_of):
        counted = sales.group_by(CUSTOMER_ID).agg(lines=sales.count()).to_pyarrow().to_pandas()
        return counted.set_index(CUSTOMER_ID)["lines"]


class Few(Lines):
    """A value for three customers only."""

    column = column("few")

    def build(self, sales, *, as_of):
        return super().build(sales, as_of=as_of).sort_index().iloc[:3]


class Seen:
    """Keeps what it is given, to be looked at."""

    column = column("seen")

    def build(self, sales, *, as_of):
        self.given = (sales.to_pyarrow().to_pandas(), as_of)
        return pd.Series(dtype="float64")


class Raises(Lines):
    """Fails as careless code does."""

    column = column("raises")

    def build(self, sales, *, as_of):
        return 1 / 0


class Texts(Lines):
    """Words instead of numbers."""

    column = column("texts")

    def build(self, sales, *, as_of):
        return super().build(sales, as_of=as_of).astype("str")


class Strangers(Lines):
    """Values for people who are no customers."""

    column = column("strangers")

    def build(self, sales, *, as_of):
        return pd.Series([1.0], index=["nobody"])


class Twice(Lines):
    """A customer with two values."""

    column = column("twice")

    def build(self, sales, *, as_of):
        lines = super().build(sales, as_of=as_of)
        return pd.concat([lines, lines.iloc[:1]])


class Endless(Lines):
    """An infinite value."""

    column = column("endless")

    def build(self, sales, *, as_of):
        return super().build(sales, as_of=as_of) * np.inf


class Listed(Lines):
    """No series at all."""

    column = column("listed")

    def build(self, sales, *, as_of):
        return [1, 2]


class Ours(Lines):
    """Takes the name of one of our columns."""

    column = column("monetary")


class Wordy(Lines):
    """A column of texts, which no engine can use."""

    column = column("wordy", "text")


class Nameless:
    """Describes no column."""

    def build(self, sales, *, as_of):
        return pd.Series(dtype="float64")


class Needy(Lines):
    """Cannot be made without arguments."""

    def __init__(self, source):
        self.source = source


def point(kind, name=None):
    return EntryPoint(name or kind.__name__.lower(), f"{__name__}:{kind.__name__}", GROUP)


@pytest.fixture(scope="module")
def sales():
    with intake.read_sales("cdnow-sample") as found:
        yield found.table


@pytest.fixture(scope="module")
def customers(sales):
    return features.build_customers(sales, as_of=AS_OF)


def plug_ins(*kinds):
    return features.registered_features([point(kind) for kind in kinds])


def test_a_feature_is_one_column_more(sales, customers):
    (plugin,) = plug_ins(Lines)
    assert (plugin.name, plugin.column, plugin.error) == ("lines", Lines.column, None)
    built = features.build_customers(sales, as_of=AS_OF, plugins=(plugin,))
    pd.testing.assert_frame_equal(built[customers.columns], customers)
    lines = sales.filter(sales[ORDER_DATE] < ibis.timestamp("1997-07-01")).to_pyarrow().to_pandas()
    pd.testing.assert_series_equal(
        built["lines"], lines.groupby(CUSTOMER_ID).size().reindex(built.index).astype("float64"), check_names=False
    )


def test_who_has_no_value_has_none(sales, customers):
    values = features.extended(customers, sales, as_of=AS_OF, plugins=plug_ins(Few)).customers["few"]
    assert values.notna().sum() == 3
    assert values.dtype == "float64"


def test_it_is_given_sale_lines_before_the_date_alone(sales, customers):
    (plugin,) = plug_ins(Seen)
    back = sales.mutate(**{LINE_TYPE: ibis.literal("return")}).limit(5)
    features.extended(customers, sales.union(back), as_of=AS_OF, plugins=(plugin,))
    lines, as_of = plugin.feature.given
    assert as_of == AS_OF
    assert set(lines[LINE_TYPE]) == {"sale"}
    assert lines[ORDER_DATE].max() < pd.Timestamp(AS_OF)
    assert len(lines) == sales.filter(sales[ORDER_DATE] < ibis.timestamp("1997-07-01")).count().to_pyarrow().as_py()


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Raises, "ZeroDivisionError: division by zero"),
        (Texts, "not numbers but str"),
        (Strangers, "no customers as of that date, such as nobody"),
        (Twice, "more than one value"),
        (Endless, "an infinite value"),
        (Listed, "it gave list, not a pandas Series"),
    ],
)
def test_one_that_fails_is_left_out_with_a_note(sales, customers, kind, reason):
    result = features.extended(customers, sales, as_of=AS_OF, plugins=plug_ins(Lines, kind))
    assert list(result.customers.columns) == [*customers.columns, "lines"]
    assert [item.name for item in result.made] == ["lines"]
    (note,) = result.notes
    assert note.startswith(f"The feature {kind.__name__.lower()} of unknown is left out: ")
    assert reason in note
    with pytest.raises(InputError, match=kind.__name__.lower()):
        features.build_customers(sales, as_of=AS_OF, plugins=plug_ins(kind))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Ours, "cannot be called 'monetary'"),
        (Wordy, "the kind of a feature cannot be 'text'"),
        (Nameless, "has no column"),
        (Needy, "TypeError"),
    ],
)
def test_one_that_cannot_be_used_is_listed_with_its_error(sales, customers, kind, reason):
    (plugin,) = plug_ins(kind)
    assert plugin.column is None
    assert reason in plugin.error
    result = features.extended(customers, sales, as_of=AS_OF, plugins=(plugin,))
    assert result.customers.equals(customers)
    assert "cannot be loaded" in result.notes[0]


def test_what_cannot_be_found_is_listed_with_its_error():
    (plugin,) = features.registered_features([EntryPoint("broken", "nowhere_to_be_found:Feature", GROUP)])
    assert plugin.error.startswith("ModuleNotFoundError")


def test_a_column_made_twice_is_reported_and_the_first_stays():
    first, second = features.registered_features([point(Lines, "b"), point(Lines, "a")])
    assert (first.name, first.error) == ("a", None)
    assert second.column is None and "a of unknown" in second.error


def test_a_plug_ins_column_is_described_in_its_own_words():
    known = columns_of([vars(Lines.column)])
    assert describe("lines", known) == Lines.column
    assert describe("lines").meaning == "Made by a plug-in."
    assert describe("monetary", columns_of([vars(column("monetary"))])).title == "Monetary"
