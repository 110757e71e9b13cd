"""One engine on one table: what is refused, what is kept, what is told."""

import numpy as np
import pandas as pd
import pytest
import sklearn.cluster
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.config import load_config
from engines.clustering.clusterers import wrap
from engines.columns import CLV, FREQUENCY, MONETARY, RECENCY
from engines.contract import Engine, Predecessor, Segment
from engines.errors import InputError
from engines.gmm import GaussianMixture
from engines.hierarchical import Hierarchical
from engines.kmeans import KMeans
from engines.metrics import METRICS
from engines.rfm import RFM
from engines.run import segment
from tests.engines.cdnow import cdnow_customers

PLAYS = load_config().plays
FOUR = {"rfm": RFM(), "kmeans": KMeans(), "gmm": GaussianMixture(), "hierarchical": Hierarchical()}


@pytest.mark.parametrize("name", FOUR)
def test_a_run_is_whole(name):
    customers = cdnow_customers()
    result = segment(name, FOUR[name], customers, plays=PLAYS)
    assert result.labels.index.equals(customers.index)
    assert result.labels.dtype == np.int64
    counts = result.labels.value_counts()
    assert {item.key: item.customers for item in result.segments} == counts.to_dict()
    assert sum(item.revenue_share for item in result.segments) == pytest.approx(1)
    for item in result.segments:
        own = customers[result.labels == item.key]
        assert item.recency == pytest.approx(own[RECENCY].mean())
        assert item.frequency == pytest.approx(own[FREQUENCY].mean())
        assert item.monetary == pytest.approx(own[MONETARY].mean())
        assert item.clv is None
        play = next(play for play in PLAYS if play.name == item.name)
        assert (item.action, item.colour) == (play.action, play.colour)
    assert set(result.metrics) == set(METRICS)
    assert result.fitted_on == len(customers)
    assert result.settings == FOUR[name].settings()


def test_clv_is_in_the_profile_where_there_is_one():
    customers = cdnow_customers()
    customers[CLV] = customers[MONETARY] / 2
    result = segment("kmeans", KMeans(), customers, plays=PLAYS)
    for item in result.segments:
        assert item.clv == pytest.approx(item.monetary / 2)
    assert result.metrics["separation_clv"] == pytest.approx(result.metrics["separation_monetary"])


@pytest.mark.parametrize("name", FOUR)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=5, deadline=None)
def test_the_order_of_rows_does_not_matter(name, seed):
    customers = cdnow_customers().iloc[:300]
    shuffled = customers.iloc[np.random.default_rng(seed).permutation(len(customers))]
    one, other = (segment(name, FOUR[name], table, plays=PLAYS) for table in (customers, shuffled))
    assert other.labels.index.equals(shuffled.index)
    pd.testing.assert_series_equal(one.labels, other.labels.reindex(customers.index))
    assert one.segments == other.segments
    assert one.metrics == other.metrics


def test_ids_that_are_numbers_are_ordered_as_text():
    customers = cdnow_customers().iloc[:200]
    as_text = customers.set_axis([str(number) for number in range(200)])
    as_numbers = customers.set_axis(pd.Index(range(200), dtype=object))
    one, other = (segment("kmeans", KMeans(), table, plays=PLAYS) for table in (as_text, as_numbers))
    assert one.labels.tolist() == other.labels.tolist()


@pytest.mark.parametrize("name", FOUR)
def test_nobody_is_refused(name):
    with pytest.raises(InputError, match="no customers"):
        segment(name, FOUR[name], cdnow_customers().iloc[:0], plays=PLAYS)


def test_more_segments_than_customers_is_refused():
    with pytest.raises(InputError, match=r"k = 6 .*3 customers; choose k at most 3"):
        segment("kmeans", KMeans(k=6), cdnow_customers().iloc[:3], plays=PLAYS)


def test_a_customer_twice_is_refused():
    customers = cdnow_customers()
    with pytest.raises(InputError, match="Customer 00004 stands in the table more than once"):
        segment("kmeans", KMeans(), pd.concat([customers, customers.iloc[:1]]), plays=PLAYS)


@pytest.mark.parametrize("name", FOUR)
def test_an_empty_value_is_refused_by_name(name):
    customers = cdnow_customers()
    customers.loc["00018", MONETARY] = np.nan
    with pytest.raises(InputError, match=r"monetary: 1 customers have no value in it, the first is 00018"):
        segment(name, FOUR[name], customers, plays=PLAYS)


def test_a_text_column_is_no_feature():
    customers = cdnow_customers().assign(country="France")
    with pytest.raises(InputError, match="country: it is not made of numbers"):
        segment("kmeans", KMeans(features=("country", RECENCY)), customers, plays=PLAYS)


def test_a_large_table_is_fitted_on_a_sample_and_everyone_is_labelled():
    class Small(KMeans):
        fit_limit = 500

    customers = cdnow_customers()
    result = segment("kmeans", Small(), customers, plays=PLAYS)
    assert result.fitted_on == 500
    assert len(result.labels) == len(customers)
    assert any("sample of 500 of 2,349" in note for note in result.notes)
    assert segment("kmeans", Small(), customers, plays=PLAYS).labels.equals(result.labels)


def test_noise_becomes_the_segment_outliers():
    customers = cdnow_customers().iloc[:400]
    far = customers.iloc[:1].set_axis(["zzz"])
    far[[FREQUENCY, MONETARY]] = 10_000
    engine = wrap("dbscan", sklearn.cluster.DBSCAN)(eps=0.6)
    result = segment("dbscan", engine, pd.concat([customers, far]), plays=PLAYS)
    outliers = next(item for item in result.segments if item.key == -1)
    assert outliers.name == "Outliers"
    assert outliers.colour == next(play.colour for play in PLAYS if play.name == "Outliers")
    assert result.labels["zzz"] == -1


def test_a_run_keeps_the_names_and_colours_of_the_one_before():
    customers = cdnow_customers()
    before = segment("kmeans", KMeans(), customers, plays=PLAYS)
    renamed = tuple(
        type(item)(**{**vars(item), "name": f"Ours {item.key}", "colour": f"#00000{item.key}"})
        for item in before.segments
    )
    after = segment("kmeans", KMeans(seed=5), customers, plays=PLAYS, previous=Predecessor(before.labels, renamed))
    assert {item.name for item in after.segments} == {item.name for item in renamed}
    assert {item.name: item.colour for item in after.segments} == {item.name: item.colour for item in renamed}


@pytest.mark.parametrize("name", FOUR)
def test_one_customer_with_one_segment_works(name):
    engine = RFM() if name == "rfm" else type(FOUR[name])(k=1)
    result = segment(name, engine, cdnow_customers().iloc[:1], plays=PLAYS)
    assert len(result.segments) == 1
    assert result.metrics["silhouette"] is None


@pytest.mark.parametrize("name", FOUR)
def test_a_shop_where_almost_everyone_has_one_order(name):
    generator = np.random.default_rng(0)
    frequency = np.where(generator.random(3000) < 0.97, 1, 2 + generator.poisson(0.2, 3000))
    customers = pd.DataFrame(
        {
            RECENCY: generator.integers(1, 700, 3000),
            FREQUENCY: frequency,
            MONETARY: generator.lognormal(4.6, 0.9, 3000),
        },
        index=[f"c{number:04d}" for number in range(3000)],
    )
    result = segment(name, FOUR[name], customers, plays=PLAYS)
    assert len(result.segments) >= 2
    assert all(value is None or np.isfinite(value) for value in result.metrics.values())


# --- what an engine returns -------------------------------------------------------------------------------------------


class Returned:
    """A fitted engine of two segments by spend, with some of its parts changed."""

    def __init__(self, assign=None, **parts):
        self.segments, self.diagnostics = (Segment(0), Segment(1)), {"cut": 1.0}
        self._assign = assign or (lambda labels: labels)
        for name, part in parts.items():
            setattr(self, name, part)

    def assign(self, customers):
        return self._assign((customers[MONETARY] > 30).astype("int64"))


def returning(fitted):
    class ByHand(Engine):
        title = "By hand"

        def fit(self, customers):
            return fitted

    return segment("by_hand", ByHand(), cdnow_customers().iloc[:50], plays=PLAYS)


def membership(customers, **columns):
    return pd.DataFrame({0: 0.5, 1: 0.5, **columns}, index=customers.index)


def test_an_engine_that_keeps_the_contract_passes():
    assert set(returning(Returned()).labels) == {0, 1}
    assert set(returning(Returned(assign=lambda labels: labels.astype("Int64"))).labels) == {0, 1}
    assert -1 in set(returning(Returned(assign=lambda labels: labels - 1)).labels), "noise needs no segment"
    whole = Returned(membership=membership, space=lambda customers: customers[[MONETARY]])
    assert returning(whole).metrics["silhouette"] is not None


@pytest.mark.parametrize(
    ("assign", "words"),
    [
        (lambda labels: labels + 6, r"puts customers into segment 6, where its segments are 0, 1"),
        (lambda labels: labels.where(labels == 0, -2), "into segment -2"),
        (lambda labels: labels.iloc[1:], "its assign leaves out 1 customers, the first is 00004"),
        (
            lambda labels: pd.concat([labels, pd.Series({"new": 0})]),
            "has 1 customers it was not given, the first is new",
        ),
        (lambda labels: labels.iloc[[0, *range(len(labels) - 1)]], "has customer 00004 more than once"),
        (lambda labels: pd.concat([labels, labels.iloc[:1]]), "has customer 00004 more than once"),
        (lambda labels: labels.iloc[::-1], "does not keep the customers' order"),
        (lambda labels: labels.reset_index(drop=True), "leaves out 50 customers"),
        (lambda labels: labels.where(labels.index != "00018"), "1 customers have no segment, the first is 00018"),
        (lambda labels: labels.astype(object).where(labels == 0, None), "customers have no segment"),
        (lambda labels: labels.astype("float64"), "keys are float64, not whole numbers"),
        (lambda labels: labels.astype(str), "not whole numbers"),
        (lambda labels: labels.astype(bool), "keys are bool, not whole numbers"),
        (lambda labels: labels.to_numpy(), "returns ndarray, not a pandas Series"),
        (lambda labels: None, "returns NoneType, not a pandas Series"),
    ],
)
def test_labels_that_break_the_contract_fail_the_run(assign, words):
    with pytest.raises(InputError, match=words) as caught:
        returning(Returned(assign=assign))
    assert str(caught.value).startswith("By hand cannot be used: ")
    assert str(caught.value).endswith("Mend the engine, or choose another.")


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"segments": (Segment(1), Segment(0), Segment(1))}, "two of its segments have the key 1"),
        ({"segments": (Segment("a"), Segment(1))}, "keys of its segments are not whole numbers"),
        ({"segments": (Segment(None), Segment(1))}, "keys of its segments are not whole numbers"),
        ({"segments": ((0, "Low"), (1, "High"))}, "not a tuple of engines.contract.Segment"),
        ({"segments": None}, "not a tuple of engines.contract.Segment"),
        ({"segments": ()}, "into segment 0, where it has no segments"),
        ({"diagnostics": [1.0]}, "diagnostics are list, not numbers by name"),
        ({"diagnostics": {"bic": np.nan}}, "diagnostic 'bic' is nan, which is no finite number"),
        ({"diagnostics": {"bic": "low"}}, "diagnostic 'bic' is 'low'"),
        ({"diagnostics": {1: 1.0}}, "diagnostic 1 is 1.0"),
        ({"membership": lambda customers: np.zeros((50, 2))}, "membership is ndarray, not a table"),
        ({"membership": lambda customers: membership(customers).iloc[::-1]}, "its membership does not keep the cust"),
        ({"membership": lambda customers: membership(customers).iloc[1:]}, "its membership leaves out 1 customers"),
        ({"membership": lambda customers: membership(customers)[[0]]}, "columns of its membership"),
        ({"membership": lambda customers: membership(customers, other=0.5)}, "columns of its membership"),
        ({"membership": lambda customers: membership(customers) * 3}, "no probabilities from 0 to 1"),
        ({"membership": lambda customers: membership(customers) * np.nan}, "no probabilities from 0 to 1"),
        ({"space": lambda customers: customers[MONETARY]}, r"its space has the shape \(50,\) for 50 customers"),
        ({"space": lambda customers: np.zeros((49, 2))}, r"its space has the shape \(49, 2\)"),
        ({"space": lambda customers: np.full((50, 2), np.inf)}, "space has values that are no finite numbers"),
    ],
)
def test_other_parts_that_break_the_contract_fail_the_run(parts, words):
    with pytest.raises(InputError, match=words) as caught:
        returning(Returned(**parts))
    assert str(caught.value).startswith("By hand cannot be used: ")


def test_what_has_no_assign_fails_the_run():
    with pytest.raises(InputError, match="fit returns dict, which has no segments, diagnostics and assign"):
        returning({})


def test_a_model_without_membership_for_some_customers_is_no_error():
    def refuses(customers):
        raise InputError("Nothing is known of these.")

    assert len(returning(Returned(membership=refuses)).labels) == 50
