"""A model that is kept and read back assigns, explains and measures exactly as before; what cannot be kept says so."""

import sys
from dataclasses import dataclass, field
from textwrap import dedent

import numpy as np
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal
from sklearn import cluster, mixture

from engines import registry
from engines.clustering.clusterers import NearestGroup, wrap
from engines.contract import MODEL_LIMIT, Engine, Segment
from engines.errors import InputError
from engines.persistence import models
from engines.run import fit, in_order
from tests.conftest import ROOT
from tests.engines.cdnow import cdnow_customers

ENGINES = {
    "rfm": registry.engine("rfm"),
    "rfm with own cuts and grid": registry.engine(
        "rfm", {"bins": 3, "recency_cuts": "60, 300", "cells": ["Good: R2-3", "Bad: R1"], "monetary_weight": 2.5}
    ),
    "kmeans": registry.engine("kmeans"),
    "kmeans on components": registry.engine("kmeans", {"k": 6, "components": 2}),
    "gmm": registry.engine("gmm"),
    "gmm with a rule segment": registry.engine("gmm", {"set_aside_one_order": True}),
    "hierarchical": registry.engine("hierarchical"),
}
PREDICTING = (
    *(cluster.KMeans, cluster.MiniBatchKMeans, cluster.Birch),
    *(mixture.GaussianMixture, mixture.BayesianGaussianMixture),
)
BARE = {item.__name__: wrap(item.__name__.lower(), item)() for item in (*PREDICTING, cluster.HDBSCAN, cluster.DBSCAN)}
BARE["MeanShift"] = wrap("meanshift", cluster.MeanShift)(bin_seeding=True)


def customers():
    return in_order(cdnow_customers())


@pytest.mark.parametrize("engine", [*ENGINES.values(), *BARE.values()], ids=[*ENGINES, *BARE])
def test_a_model_read_back_does_what_it_did(engine):
    table = customers()
    fitted = fit(engine, table)[0]
    again = models.load_model(models.dump_model(fitted))
    assert type(again) is type(fitted)
    assert (again.segments, dict(again.diagnostics), again.notes) == (
        fitted.segments,
        dict(fitted.diagnostics),
        fitted.notes,
    )
    before = fitted.assign(table)
    assert_series_equal(again.assign(table), before)
    fresh = (table.iloc[:40] * 3).set_axis([f"new {number}" for number in range(40)])
    assert_series_equal(again.assign(fresh), fitted.assign(fresh))
    for place in (0, 7, 1_000):
        assert again.assign(table.iloc[[place]]).iloc[0] == before.iloc[place]
    for asked in ("membership", "explain", "distances"):
        if hasattr(fitted, asked):
            assert_frame_equal(getattr(again, asked)(table[:50]), getattr(fitted, asked)(table[:50]))
    assert np.array_equal(again.space(table), fitted.space(table))
    assert again.artifacts() == fitted.artifacts()


def test_noise_stays_noise():
    table = customers()
    fitted = fit(BARE["HDBSCAN"], table)[0]
    labels = models.load_model(models.dump_model(fitted)).assign(table)
    assert (labels == -1).sum() == (fitted.assign(table) == -1).sum() > 100


def test_a_model_can_be_kept_twice():
    table = customers()
    fitted = fit(ENGINES["hierarchical"], table)[0]
    again = models.load_model(models.dump_model(models.load_model(models.dump_model(fitted))))
    assert_series_equal(again.assign(table), fitted.assign(table))


# --- what cannot be kept --------------------------------------------------------------------------------------------


def group(**changes):
    """A small fitted model with some of its parts changed."""
    made = fit(ENGINES["kmeans"], customers())[0]
    parts = {name: getattr(made, name) for name in ("place", "points", "keys", "segments", "diagnostics")}
    return NearestGroup(**{**parts, **changes})


def endless():
    table = {}
    table["again"] = table
    return table


@pytest.mark.parametrize(
    ("extras", "words"),
    [
        ({"function": print}, "builtins.builtin_function_or_method"),
        ({"set": {1}}, "builtins.set"),
        ({"objects": np.array([object()])}, "numpy.ndarray"),
        ({"texts": np.array(["a"])}, "numpy.ndarray"),
        ({"table": customers()}, "DataFrame"),
        ({"numbers": {1: 2}}, "by something else than names"),
        ({"class": "a", "fields": "b"}, "by something else than names"),
        ({"deep": endless()}, "nested so deeply"),
        ({"own": type("Own", (float,), {})(1.0)}, "Own"),
    ],
)
def test_what_is_not_plain_data_is_not_kept(extras, words):
    with pytest.raises(InputError, match=words):
        models.dump_model(group(extras=extras))


def test_a_scikit_learn_model_of_unknown_insides_is_not_kept():
    fitted = fit(wrap("bisecting", cluster.BisectingKMeans)(), customers())[0]
    with pytest.raises(InputError, match="BisectingKMeans cannot be kept"):
        models.dump_model(fitted)


def test_a_model_beyond_the_limit_is_not_kept():
    with pytest.raises(InputError, match="at most 67,108,864 are"):
        models.dump_model(group(points=np.zeros((MODEL_LIMIT // 24 + 1, 3))))


# --- plug-ins -------------------------------------------------------------------------------------------------------

PLUGIN = """
from dataclasses import dataclass, field
import numpy as np
from pandas import DataFrame, Series
from engines.contract import Engine, Segment, knob

CALLED = []

@dataclass(frozen=True)
class Halves:
    cut: float
    segments: tuple = (Segment(0), Segment(1))
    diagnostics: dict = field(default_factory=dict)

    def __post_init__(self):
        CALLED.append(self)

    def assign(self, customers):
        return (customers["monetary"] > self.cut).astype("int64")

@dataclass
class Open(Halves):
    pass

class Half(Engine):
    title = "Half"

    def fit(self, customers):
        return Halves(float(customers["monetary"].median()))
"""
BROKEN = """
class OpenHalves:
    segments, diagnostics = (), {}
    def assign(self, customers):
        return customers["monetary"]
"""


@pytest.fixture
def halves(tmp_path, monkeypatch):
    """A plug-in that is installed as far as Python can tell; gives its module."""
    (tmp_path / "halves_plugin.py").write_text(PLUGIN.replace("@dataclass\nclass Open(Halves):\n    pass\n", BROKEN))
    info = tmp_path / "halves-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: halves\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        dedent("""
            [segmentry.engines]
            half = halves_plugin:Half
        """)
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert registry.engine("half").title == "Half"
    yield sys.modules["halves_plugin"]
    del sys.modules["halves_plugin"]


def test_a_plug_ins_frozen_dataclass_is_kept_and_made_without_calling_it(halves):
    table = customers()
    fitted = registry.engine("half").fit(table)
    data = models.dump_model(fitted)
    halves.CALLED.clear()
    again = models.load_model(data)
    assert (again, halves.CALLED) == (fitted, [])
    assert_series_equal(again.assign(table), fitted.assign(table))


@dataclass(frozen=True)
class OnceOrMore:
    """A model of an engine that nobody has announced."""

    segments: tuple[Segment, ...] = (Segment(0), Segment(1))
    diagnostics: dict[str, float] = field(default_factory=dict)

    def assign(self, table):
        return (table["frequency"] > 1).astype("int64")


class Unannounced(Engine):
    title = "Unannounced"

    def fit(self, customers):
        return OnceOrMore()


def test_an_engine_that_is_not_registered_is_kept_where_it_is_named():
    data = models.dump_model(OnceOrMore(), [Unannounced])
    assert models.load_model(data, [Unannounced]) == OnceOrMore()
    with pytest.raises(InputError, match="OnceOrMore cannot be kept"):
        models.dump_model(OnceOrMore())
    with pytest.raises(InputError, match="OnceOrMore, which neither Segmentry nor an installed plug-in has"):
        models.load_model(data)


def test_a_plug_ins_other_objects_are_not_kept(halves):
    with pytest.raises(InputError, match=r"halves_plugin\.OpenHalves cannot be kept"):
        models.dump_model(halves.OpenHalves())
    more = halves.Halves(1.0)
    object.__setattr__(more, "secret", 2.0)
    with pytest.raises(InputError, match=r"Halves\.secret, which is no field of it"):
        models.dump_model(more)


def test_a_model_of_a_plug_in_that_is_gone_says_so(halves, monkeypatch):
    data = models.dump_model(halves.Halves(1.0))
    monkeypatch.setattr(sys, "path", sys.path[1:])
    with pytest.raises(InputError, match=r"halves_plugin\.Halves, which neither Segmentry nor an installed plug-in"):
        models.load_model(data)


def test_fields_that_came_later_get_their_defaults_and_unknown_ones_are_refused():
    import skops.io

    fitted = group()
    state = skops.io.loads(models.dump_model(fitted), trusted=[])
    del state["model"]["fields"]["extras"]
    again = models.load_model(skops.io.dumps(state))
    assert (again.extras, again.segments) == ({}, tuple(Segment(key) for key in range(4)))
    state["model"]["fields"]["later"] = 1
    with pytest.raises(InputError, match="another version: NearestGroup has no later"):
        models.load_model(skops.io.dumps(state))
    with pytest.raises(InputError, match="of format 2, and this version reads 1"):
        models.load_model(skops.io.dumps({**state, "format": 2}))


def test_the_allow_list_is_documented():
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    ours = [name for name in models.class_names().values() if "." not in name]
    assert len(set(ours)) == len(ours), "two of our classes go by the same name"
    assert {"FittedRFM", "FittedMixture", "NearestGroup"} <= set(ours)
    for name in (*ours, *models._ESTIMATORS):
        assert f"`{name.removeprefix('sklearn.')}`" in text, name
