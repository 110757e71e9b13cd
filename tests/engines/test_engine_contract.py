"""Every registered engine keeps every promise; so do scikit-learn's clusterers as the registry wraps them."""

import pandas as pd
import pytest
import sklearn.cluster

from engines.clustering.clusterers import wrap
from engines.contract import Segment
from engines.errors import InputError
from engines.gmm import GaussianMixture
from engines.kmeans import KMeans
from engines.registry import registered
from engines.testing import EngineContract

INSTALLED = [entry for entry in registered() if entry.kind is not None]
WRAPPED = ["HDBSCAN", "DBSCAN", "Birch", "MiniBatchKMeans", "AgglomerativeClustering", "BisectingKMeans"]
#: What its predict looks at is a tree of objects.
UNSAVED = ("BisectingKMeans", "test_a_fitted_model_can_be_saved_and_loaded")
VARIANTS = {
    "plain k-means": KMeans(scaling="standard"),
    "k-means with PCA": KMeans(components=2, k=3),
    "mixture without one-order customers": GaussianMixture(set_aside_one_order=True, k=2),
}


def contracts():
    for entry in INSTALLED:
        yield entry.name, entry.kind()
    for name in WRAPPED:
        yield name, wrap(name.lower(), getattr(sklearn.cluster, name))()
    yield from VARIANTS.items()


CHECKS = sorted(name for name in vars(EngineContract) if name.startswith("test_"))


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(
    ("name", "engine"), list(contracts()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_contract(name, engine, check):
    subject = EngineContract()
    subject.engine = engine
    if (name, check) == UNSAVED:
        with pytest.raises(InputError, match="BisectingKMeans cannot be kept"):
            getattr(subject, check)()
    else:
        getattr(subject, check)()


def test_our_four_engines_are_among_those_checked():
    assert {"rfm", "kmeans", "gmm", "hierarchical"} <= {entry.name for entry in INSTALLED}


# --- the contract can fail: engines that break one promise each ------------------------------------------------------


class ByPosition(KMeans):
    """Labels by position in the table: what a careless engine does."""

    title = "By position"

    def fit(self, customers):
        inner = super().fit(customers)

        class Careless:
            segments = inner.segments
            diagnostics = inner.diagnostics

            def assign(self, table):
                return pd.Series(range(len(table)), index=table.index, dtype="int64") % 4

        return Careless()


class Stray(KMeans):
    """Labels that belong to no segment."""

    title = "Stray"

    def fit(self, customers):
        inner = super().fit(customers)

        class Odd:
            segments = (Segment(0),)
            diagnostics = inner.diagnostics
            assign = staticmethod(inner.assign)

        return Odd()


class Changing(KMeans):
    """Writes into the table it was given."""

    title = "Changing"

    def fit(self, customers):
        customers["scaled"] = 1.0
        return super().fit(customers)


class Unchecked(KMeans):
    """Raises an error of Python's own."""

    title = "Unchecked"

    def fit(self, customers):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("engine", "check", "error"),
    [
        (ByPosition(), "test_a_customer_alone_is_labelled_as_in_the_crowd", AssertionError),
        (ByPosition(), "test_order_of_rows_does_not_matter", None),
        (Stray(), "test_labels_everyone_with_its_own_keys", AssertionError),
        (ByPosition(), "test_a_fitted_model_can_be_saved_and_loaded", InputError),
        (Changing(), "test_fit_does_not_change_the_table", AssertionError),
        (Unchecked(), "test_a_constant_column_does_no_harm", ZeroDivisionError),
    ],
)
def test_the_contract_notices_a_broken_promise(engine, check, error):
    subject = EngineContract()
    subject.engine = engine
    if error is None:
        getattr(subject, check)()  # rows are sorted before the engine sees them, so this promise is kept for it
    else:
        with pytest.raises(error):
            getattr(subject, check)()
