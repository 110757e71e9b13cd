"""Engines come in by one door: ours, strangers', scikit-learn's as they are, and broken ones without harm."""

from importlib.metadata import EntryPoint

import pytest

from engines.errors import InputError
from engines.kmeans import KMeans
from engines.registry import ENGINES, engine, registered


def point(name, value):
    return EntryPoint(name, value, ENGINES.group)


def test_ours_come_first_in_their_order():
    entries = registered()
    assert [entry.name for entry in entries][:4] == ["rfm", "kmeans", "gmm", "hierarchical"]
    for entry in entries[:4]:
        assert entry.error is None
        assert entry.origin.startswith("segmentry ")
        assert entry.title and entry.summary and entry.knobs


def test_a_name_and_settings_make_an_engine():
    assert engine("kmeans", {"k": 3}) == KMeans(k=3)
    assert engine("kmeans") == KMeans()


def test_an_unknown_engine_is_an_error_that_lists_those_there_are():
    with pytest.raises(InputError, match=r"no engine 'kmedoids'.*rfm, kmeans, gmm, hierarchical"):
        engine("kmedoids")


def test_an_unknown_setting_is_an_error_that_names_it():
    with pytest.raises(InputError, match="no setting 'clusters'"):
        engine("kmeans", {"clusters": 3})


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("nowhere_to_be_found:Engine", "ModuleNotFoundError"),
        ("engines.kmeans:Missing", "AttributeError"),
        ("engines.contract:Engine", "has no fit"),
        ("engines.contract:knob", "is not a class"),
        ("collections:OrderedDict", "neither"),
        ("sklearn.linear_model:LinearRegression", "neither"),
        ("this.does:1x", ""),
    ],
)
def test_a_broken_plug_in_is_listed_with_its_error(value, reason):
    (entry,) = registered([point("broken", value)])
    assert entry.kind is None
    assert entry.name == "broken"
    assert reason in entry.error


def test_a_broken_plug_in_does_not_hide_the_others():
    entries = registered([point("broken", "nowhere_to_be_found:Engine"), point("fine", "engines.kmeans:KMeans")])
    assert {entry.name: entry.kind for entry in entries} == {"broken": None, "fine": KMeans}


def test_a_name_taken_twice_is_reported_and_the_first_stays():
    entries = registered([point("one", "engines.kmeans:KMeans"), point("one", "engines.rfm:RFM")])
    assert [entry.error is None for entry in entries] == [True, False]
    assert "already taken" in entries[1].error


def test_a_bare_clusterer_becomes_an_engine_with_knobs():
    (entry,) = registered([point("mini", "sklearn.cluster:MiniBatchKMeans")])
    knobs = {item.name: item for item in entry.knobs}
    assert entry.error is None
    assert knobs["k"].default == 4 and knobs["seed"].default == 0
    assert knobs["batch_size"].type is int
    assert "n_clusters" not in knobs and "random_state" not in knobs and "verbose" not in knobs
    assert entry.kind(batch_size=100).settings()["batch_size"] == 100


def test_the_same_clusterer_is_wrapped_once():
    first, second = (registered([point("h", "sklearn.cluster:HDBSCAN")])[0].kind for _ in range(2))
    assert first is second
    assert first() == second()


def test_entries_are_json_ready():
    import json

    for entry in registered([point("h", "sklearn.cluster:OPTICS"), point("rfm", "engines.rfm:RFM")]):
        json.dumps(entry.to_dict(), allow_nan=False)
