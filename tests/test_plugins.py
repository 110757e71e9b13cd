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
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *words], cwd=folder, env=environ, capture_output=True, text=True, timeout=120
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


def test_engines_are_listed_with_their_origin_and_a_broken_one_with_its_error(site, tmp_path):
    found = {item["name"]: item for item in json.loads(segmentry(site, tmp_path, "engines", "--json"))}
    assert list(found) == ["rfm", "kmeans", "gmm", "hierarchical", "broken", "hdbscan", "spend_bands"]
    assert {found[name]["origin"] for name in ("broken", "hdbscan", "spend_bands")} == {ORIGIN}
    assert found["spend_bands"]["title"] == "Spend bands"
    assert [knob["name"] for knob in found["spend_bands"]["knobs"]] == ["k"]
    assert "min_cluster_size" in {knob["name"] for knob in found["hdbscan"]["knobs"]}
    assert "segmentry_sample.nowhere" in found["broken"]["error"]
    assert all(item["error"] is None for name, item in found.items() if name != "broken")


def test_value_models_are_listed_and_a_broken_one_with_its_error(site, tmp_path):
    found = {item["name"]: item for item in json.loads(segmentry(site, tmp_path, "models", "--json"))}
    assert list(found)[:3] == ["bg_nbd", "mbg_nbd", "pareto_nbd"]
    assert (found["last_period"]["origin"], found["last_period"]["title"]) == (ORIGIN, "Last period again")
    assert found["last_period"]["answers"] == ["expected_purchases", "future_spend"]
    assert "segmentry_sample.nowhere" in found["broken"]["error"]
    assert "cannot be used" in segmentry(site, tmp_path, "models")


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
import json, sys
from click.testing import CliRunner
from starlette.testclient import TestClient
from dashboard.app import create_app_from_env
from dashboard.cli import main
call = lambda *words: CliRunner().invoke(main, words, catch_exceptions=False)
assert call("export", "1", "--output", "list.csv").exit_code == 0
features = json.loads(call("features", "--json").stdout)
assert "Weekend share" in call("features").stdout
with TestClient(create_app_from_env(), base_url="http://127.0.0.1") as client:
    engines = client.get("/api/v1/engines").json()
    snapshots = client.get("/api/v1/snapshots").json()
    customers = client.get("/api/v1/runs/1/customers", params={"limit": 5}).json()["customers"]
from dashboard.config import load_config
from dashboard.customer_table import columns, rows
from dashboard.frames import FrameCache
from storage import open_store
frame = FrameCache(open_store(load_config().database.url, clock=lambda: None)).get(1)
table = {"columns": columns(frame), "rows": rows(frame, frame.customers.by_id[:5])}
print(json.dumps(
    {"features": features, "engines": engines, "snapshots": snapshots, "customers": customers, "table": table}
))
"""


@pytest.fixture(scope="module")
def seen(site, shop):
    """What the command line and the API of a further process tell."""
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
    done = subprocess.run(words, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["snapshot"]["customers"] == 2357
    note = "Note: The feature failing of failing 0.1 is left out: ZeroDivisionError: division by zero."
    assert note in done.stderr.splitlines()
