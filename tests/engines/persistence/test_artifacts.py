"""What is kept of a model: small, JSON-ready, and true to the model."""

import json
from types import MappingProxyType

import numpy as np
import pytest

from engines.gmm import GaussianMixture
from engines.hierarchical import Hierarchical
from engines.kmeans import KMeans
from engines.persistence.artifacts import STEPS, artifacts_of, certainty_of
from engines.rfm import RFM
from tests.engines.cdnow import cdnow_customers


@pytest.mark.parametrize(
    ("engine", "names"),
    [
        (KMeans(components=2), {"space", "explained_variance"}),
        (RFM(bins=10), {"space", "cut_points", "names", "cells"}),
        (Hierarchical(), {"space", "linkage", "leaf_customers", "leaf_keys"}),
        (GaussianMixture(set_aside_one_order=True), {"space", "weights", "certainty"}),
    ],
    ids=lambda value: getattr(value, "title", ""),
)
def test_every_engine_keeps_what_pages_show(engine, names):
    customers = cdnow_customers()
    kept = artifacts_of(engine.fit(customers), customers)
    assert set(kept) == names
    assert len(json.dumps(kept, allow_nan=False)) < 60_000


def test_explained_variance_is_principal_components():
    customers = cdnow_customers()
    fitted = KMeans(components=3).fit(customers)
    shares = artifacts_of(fitted, customers)["explained_variance"]
    whole = np.linalg.eigvalsh(np.cov(KMeans().fit(customers).space(customers).T))[::-1]
    assert shares == pytest.approx((whole / whole.sum()).tolist(), abs=1e-3)


def test_certainty_is_counted_from_the_membership():
    customers = cdnow_customers()
    fitted = GaussianMixture(k=5).fit(customers)
    sure = fitted.membership(customers).max(axis=1)
    kept = artifacts_of(fitted, customers)["certainty"]
    assert kept["asked"] == len(customers) == sum(kept["counts"])
    assert kept["below_60"] == (sure < 0.6).mean()
    assert kept["below_80"] == (sure < 0.8).mean() > kept["below_60"] > 0
    assert sum(kept["counts"][: STEPS.index(0.8)]) == (sure < 0.8).sum()


def test_a_certainty_of_one_is_in_the_last_bar():
    kept = certainty_of(np.array([[1.0 + 1e-12, 0.0], [0.5, 0.5], [0.59, 0.41]]))
    assert kept["counts"][-1] == 1
    assert (kept["below_60"], kept["below_80"]) == (2 / 3, 2 / 3)


def test_many_customers_are_asked_in_a_sample_that_stays_the_same(monkeypatch):
    customers = cdnow_customers()
    fitted = GaussianMixture().fit(customers)
    whole = artifacts_of(fitted, customers)["certainty"]
    monkeypatch.setattr("engines.persistence.artifacts.MEMBERSHIP_SAMPLE", 1000)
    some = artifacts_of(fitted, customers, seed=3)["certainty"]
    assert some["asked"] == 1000
    assert some["below_80"] == pytest.approx(whole["below_80"], abs=0.04)
    assert artifacts_of(fitted, customers, seed=3)["certainty"] == some


def test_what_is_long_or_no_json_is_left_out_by_name():
    class Fitted:
        segments = ()
        diagnostics = MappingProxyType({})

        def assign(self, customers):
            raise AssertionError("not asked")

        def artifacts(self):
            return {"short": [1, 2], "long": list(range(100_000)), "array": np.zeros(3), "nan": float("nan")}

    kept = artifacts_of(Fitted(), cdnow_customers())
    assert kept == {"short": [1, 2], "left_out": ["long", "array", "nan"]}
