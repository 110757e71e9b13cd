"""A third party's package, really installed: its engines and feature work everywhere without a change to our code."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from engines import registry
from engines.testing import EngineContract
from engines.value.registry import value_model
from engines.value.testing import ValueModelContract
from storage import open_store
from tests.conftest import ROOT
from tests.installing import install
from tests.quick import QUICK_ENVIRON

ORIGIN = "segmentry-sample 1.2.3"
SETTINGS = """
[cleaning]
zero_amount = "drop"  # who has spent nothing has no weekend share either

[engines.settings.kmeans]
features = ["recency_days", "frequency", "weekend_share"]
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the sample package installed in it."""
    return install(ROOT / "tests" / "plugins", tmp_path_factory.mktemp("site"))


def python(site: Path, folder: Path, *words: str) -> str:
    """What a Python that finds the package prints."""
    paths = {"PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])}
    environ = {**os.environ, **paths, **QUICK_ENVIRON}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *words], cwd=folder, env=environ, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def segmentry(site: Path, folder: Path, *words: str) -> str:
    return python(site, folder, "-m", "dashboard.cli", *words)


@pytest.fixture(scope="module")
def shop(site, tmp_path_factory):
    """A folder in which a real process has run the plug-ins' engines, and K-means on the plug-in's feature."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "plug.toml").write_text(SETTINGS, encoding="utf-8")
    engines = [word for name in ("spend_bands", "hdbscan", "kmeans") for word in ("--engine", name)]
    printed = segmentry(site, folder, "run", "cdnow-sample", *engines, "--config", "plug.toml", "--json")
    return folder, {run["engine"]: run for run in json.loads(printed)["runs"]}


def test_engines_are_listed_with_their_origin_and_a_broken_one_with_its_error(seen):
    found = {item["name"]: item for item in seen["listed engines"]}
    assert list(found) == ["rfm", "kmeans", "gmm", "hierarchical", "broken", "hdbscan", "spend_bands"]
    assert {found[name]["origin"] for name in ("broken", "hdbscan", "spend_bands")} == {ORIGIN}
    assert found["spend_bands"]["title"] == "Spend bands"
    assert [knob["name"] for knob in found["spend_bands"]["knobs"]] == ["k"]
    assert "min_cluster_size" in {knob["name"] for knob in found["hdbscan"]["knobs"]}
    assert "segmentry_sample.nowhere" in found["broken"]["error"]
    assert all(item["error"] is None for name, item in found.items() if name != "broken")


def test_value_models_are_listed_and_a_broken_one_with_its_error(seen):
    found = {item["name"]: item for item in seen["listed models"]}
    assert list(found)[:3] == ["bg_nbd", "mbg_nbd", "pareto_nbd"]
    assert (found["last_period"]["origin"], found["last_period"]["title"]) == (ORIGIN, "Last period again")
    assert found["last_period"]["answers"] == ["expected_purchases", "future_spend"]
    assert "segmentry_sample.nowhere" in found["broken"]["error"]
    assert "cannot be used" in seen["printed models"]


MODEL_CHECKS = sorted(name for name in vars(ValueModelContract) if name.startswith("test_"))


@pytest.mark.parametrize("check", MODEL_CHECKS)
def test_its_value_model_keeps_every_promise(site, monkeypatch, check):
    monkeypatch.syspath_prepend(site)
    subject = ValueModelContract()
    subject.model = value_model("last_period")
    getattr(subject, check)()


def test_their_runs_are_stored_with_labels(shop):
    folder, runs = shop
    assert {run["state"] for run in runs.values()} == {"done"}
    assert len(runs["spend_bands"]["segments"]) == 4
    assert "Outliers" in {item["name"] for item in runs["hdbscan"]["segments"]}
    store = open_store(f"sqlite:///{folder / 'segmentry.db'}", clock=lambda: datetime(2024, 1, 1, tzinfo=UTC))
    try:
        for run in runs.values():
            labels = store.labels(run["id"])
            assert len(labels) == 2349
            sizes = {item["key"]: item["customers"] for item in run["segments"]}
            assert labels.value_counts().to_dict() == sizes
        assert (store.labels(runs["hdbscan"]["id"]) == -1).any()
        snapshot = store.snapshot(1)
        assert snapshot.settings["features"] == {"weekend_share": ORIGIN}
        (column,) = snapshot.info["columns"]
        assert (column["name"], column["title"], column["kind"]) == ("weekend_share", "Weekend share", "share")
    finally:
        store.close()


def test_our_engines_can_choose_their_column(shop):
    _, runs = shop
    assert runs["kmeans"]["settings"]["features"] == ["recency_days", "frequency", "weekend_share"]
    assert len(runs["kmeans"]["segments"]) == 4


LOOK = """
import json
from click.testing import CliRunner
from plotly.io.json import to_json_plotly
from starlette.testclient import TestClient
from dashboard.app import create_app
from dashboard.clock import now
from dashboard.cli import main
from dashboard.config import load_config
from dashboard.pages.segments.customers import column_definitions, rows
from dashboard.frames.cache import FrameCache
from dashboard.pages.compare import page as compare
from dashboard.pages.drift import page as drift
from dashboard.pages.migration import page as migration
from dashboard.pages.new_run import page as new_run
from dashboard.services import Services
from dashboard.pipeline.run import work_run
from storage import open_store
from tests.dashboard.answering import answering
from tests.storage.samples import claim_run

config = load_config()
store = open_store(config.database.url, clock=now)
services = Services(config, store, FrameCache(store))

def call(*words):
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return done.stdout

def shown(page, **query):
    return json.loads(to_json_plotly(page.layout(services, **query)))

call("export", "1", "--output", "list.csv")
found = {"features": json.loads(call("features", "--json"))}
for kind in ("engines", "models"):
    found[f"listed {kind}"], found[f"printed {kind}"] = json.loads(call(kind, "--json")), call(kind)
assert "Weekend share" in call("features")
asked = ["--engine", "spend_bands", "--k", "4", "--every", "month", "--json"]
found["drift"] = json.loads(call("drift", "cdnow-sample", *asked))
with TestClient(create_app(config, store, environ={}), base_url="http://127.0.0.1") as client:
    def told(path, **asked):
        return client.get(f"/api/v1/{path}", params=asked).json()

    def queued(k):
        return client.post("/api/v1/runs", json={"snapshot": 1, "engine": "spend_bands", "settings": {"k": k}}).json()

    found["engines"] = told("engines")
    found["snapshots"] = told("snapshots")
    found["customers"] = told("runs/1/customers", limit=5)["customers"]
    found["refused"] = [queued(k)["error"] for k in (1, 11)]
    run = f"runs/{queued(5)['id']}"
    work_run(claim_run(store, "a"), config, store, worker="a")
    found["run"], found["timeline"] = told(run), told(f"{run}/drift")
    ends = {"from": found["timeline"]["frozen_at"], "to": found["timeline"]["points"][-1]["as_of"]}
    with answering(config, store):
        found["migration"] = told(f"{run}/migration", **ends)
    found["compare"] = told("compare", run=[1, 3])
number = str(found["run"]["id"])
found["form"] = shown(new_run)
found["pages"] = {page.PATH: shown(page, run=number) for page in (compare, drift, migration)}
frame = services.frames.get(1)
found["table"] = {"columns": column_definitions(frame), "rows": rows(frame, frame.customers.by_id[:5])}
store.close()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def seen(site, shop):
    """What the command line, the API and the pages of a further process tell, once an engine ran by the API."""
    return json.loads(python(site, shop[0], "-c", LOOK).splitlines()[-1])


def test_the_feature_is_listed(seen):
    (feature,) = seen["features"]
    assert {name: feature[name] for name in ("name", "column", "title", "unit", "origin", "error")} == {
        "name": "weekend_share",
        "column": "weekend_share",
        "title": "Weekend share",
        "unit": "share of monetary",
        "origin": ORIGIN,
        "error": None,
    }
    assert feature["formula"] == "spend on Saturdays and Sundays / monetary"


def test_its_column_is_in_the_export(seen, shop):
    with (shop[0] / "list.csv").open(encoding="utf-8", newline="") as file:
        values = np.array([float(row["weekend_share"]) for row in csv.DictReader(file)])
    assert len(values) == 2349
    assert values.min() == 0 and values.max() == 1
    assert 0.2 < values.mean() < 0.4


def test_the_api_shows_them(seen):
    found = {item["name"]: item for item in seen["engines"]}
    assert found["spend_bands"]["origin"] == found["hdbscan"]["origin"] == ORIGIN
    assert "segmentry_sample.nowhere" in found["broken"]["error"]
    assert seen["snapshots"][0]["info"]["columns"][0]["title"] == "Weekend share"
    assert all(0 <= customer["weekend_share"] <= 1 for customer in seen["customers"])


def test_the_table_of_customers_has_its_column_in_its_own_words(seen):
    (column,) = [item for item in seen["table"]["columns"] if item["field"] == "weekend_share"]
    assert (column["headerName"], column["hide"]) == ("Weekend share", False)
    assert column["headerTooltip"] == "How much of the spend falls on weekends. Unit: share of monetary."
    assert [row["weekend_share"] for row in seen["table"]["rows"]] == [
        customer["weekend_share"] for customer in seen["customers"]
    ]


# --- the operations desk ----------------------------------------------------------------------------------------------


def test_its_form_on_new_run_has_its_knobs_within_their_bounds(seen):
    text = json.dumps(seen["form"], ensure_ascii=False)
    assert f"Groups customers into bands of equal size by what they have spent. From {ORIGIN}." in text
    (field,) = [item for item in fields(seen["form"]) if item["id"]["engine"] == "spend_bands"]
    assert {name: field[name] for name in ("type", "min", "max", "value")} == {
        "type": "range",
        "min": 2,
        "max": 10,
        "value": 4,
    }
    inputs = {item["id"]["knob"] for item in fields(seen["form"]) if item["id"]["engine"] == "hdbscan"}
    assert "min_cluster_size" in inputs
    assert "The engine broken of" in text and "Mend or remove it." in text


def fields(part):
    """What is filled in on a page, wherever it is in it."""
    if isinstance(part, list):
        return [found for item in part for found in fields(item)]
    if not isinstance(part, dict):
        return []
    name = part.get("id")
    mine = [part] if isinstance(name, dict) and name.get("type") == "new-run-knob" else []
    return mine + [found for item in part.values() for found in fields(item)]


def test_it_runs_by_the_api_which_holds_its_bounds(seen):
    assert seen["refused"] == [f"Spend bands: k = {k} is out of range; it must be between 2 and 10." for k in (1, 11)]
    assert (seen["run"]["state"], seen["run"]["engine"], seen["run"]["settings"]) == ("done", "spend_bands", {"k": 5})
    assert sum(item["customers"] for item in seen["run"]["segments"]) == 2349


def test_it_stands_beside_k_means_in_compare_with_a_verdict(seen):
    told = seen["compare"]
    assert [run["engine"] for run in told["runs"]] == ["spend_bands", "kmeans"]
    assert 0 < told["agreement"][0]["ari"] < 1
    assert [sum(held["revenue"]) > 0 for held in told["captured"]] == [True, True]
    verdict = told["recommendation"]
    assert "Spend bands k=4" in verdict["headline"] and "K-means k=4" in verdict["headline"]
    assert set(verdict["scores"]) == {"1", "3"} and verdict["reasons"] and verdict["missing"] == []
    assert "Spend bands" in json.dumps(seen["pages"]["/compare"])


def test_it_has_a_drift_timeline_and_migration(seen):
    for told in (seen["drift"], seen["timeline"]):
        assert told["frozen_at"] == "1997-04-01"
        assert [point["as_of"] for point in told["points"]][:2] == ["1997-05-01", "1997-06-01"]
        assert len(told["points"]) == 15
        assert told["refresh_months"] and told["frozen_at"] in told["reason"]
    assert all(0 < point["noise_low"] <= 1 for point in seen["drift"]["points"])
    assert "Drift of Spend bands k=5" in json.dumps(seen["pages"]["/drift"])
    moves = seen["migration"]
    assert sum(map(sum, moves["customers"])) == 2349
    assert moves["known"] - moves["stayed"] == moves["movers"] > 0
    assert "Who went where: Spend bands k=5" in json.dumps(seen["pages"]["/migration"])


CHECKS = sorted(name for name in vars(EngineContract) if name.startswith("test_"))


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", ["spend_bands", "hdbscan"])
def test_they_keep_every_promise_of_an_engine(site, monkeypatch, name, check):
    monkeypatch.syspath_prepend(site)
    subject = EngineContract()
    subject.engine = registry.engine(name)
    getattr(subject, check)()


FAILING = """
from engines.columns import Column

class Failing:
    column = Column("failing", "Failing", "number", "-", "1 / 0", "Never there.")

    def build(self, sales, *, as_of):
        return 1 / 0
"""


@pytest.mark.slow
def test_a_feature_that_fails_does_not_kill_the_run(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "failing.py").write_text(FAILING, encoding="utf-8")
    (package / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "failing"\nversion = "0.1"\n'
        '[project.entry-points."segmentry.features"]\nfailing = "failing:Failing"\n',
        encoding="utf-8",
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(install(package, tmp_path / "site")), str(ROOT)])}
    words = [sys.executable, "-W", "ignore", "-m", "dashboard.cli", "run", "cdnow-sample", "--engine", "rfm", "--json"]
    done = subprocess.run(words, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["snapshot"]["customers"] == 2357
    note = "Note: The feature failing of failing 0.1 is left out: ZeroDivisionError: division by zero."
    assert note in done.stderr.splitlines()
