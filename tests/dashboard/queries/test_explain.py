"""Why a customer is in a segment, as data: true by the customer table, for every engine, through the API."""

import json
import sys
from datetime import date

import numpy as np
import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.frames.cache import FrameCache
from dashboard.pages.segments.about_customer import about_customer
from dashboard.services import Services
from engines import registry
from engines.persistence import models
from engines.run import segment
from tests.dashboard import shop
from tests.dashboard.headless import words


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A client on a filled store, the store, and the runs by name: with a mixture, and one without a model."""
    settings = shop.config(tmp_path_factory.mktemp("explaining"))
    store = shop.opened(settings)
    runs = shop.fill(store, settings)
    snapshot = store.snapshot(store.run(runs["kmeans"]).snapshot_id)
    runs["gmm"] = shop.run(store, settings, snapshot, "gmm")
    bare = store.start_run(snapshot.id, "kmeans", store.run(runs["kmeans"]).settings, lease_seconds=60)
    made = shop.make_engine("kmeans", settings)
    result = segment("kmeans", made, store.snapshot_customers(snapshot.id), plays=settings.plays)
    runs["no model"] = store.finish_run(bare.id, result, seconds=1, info={}).id
    with TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1/api/v1") as client:
        yield client, store, runs
    store.close()


def why(desk, run, customer, status=200):
    answer = desk[0].get(f"/runs/{desk[2].get(run, run)}/customers/{customer}/explain")
    assert answer.status_code == status, answer.text
    return json.loads(answer.text, parse_constant=lambda text: pytest.fail(f"{text} is not JSON"))


@pytest.mark.parametrize("run", ["rfm", "kmeans", "gmm", "hierarchical"])
def test_what_sets_a_customer_apart(desk, run):
    table = shop.customers()
    names = desk[1].labels(desk[2][run]).map({item.key: item.name for item in desk[1].run(desk[2][run]).segments})
    for customer in ("00010", "00123"):
        found = why(desk, run, customer)
        assert (found["run"], found["engine"], found["customer_id"]) == (desk[2][run], run, customer)
        assert found["segment"] == names[customer]
        features = found["features"]
        assert {item["column"] for item in features} == {"recency_days", "frequency", "monetary"}
        assert [abs(item["z"]) for item in features] == sorted((abs(item["z"]) for item in features), reverse=True)
        for item in features:
            logs = np.log1p(table[item["column"]])
            z = (logs - logs.mean()) / logs.std(ddof=0)
            assert item["logged"] is True
            assert item["value"] == table.loc[customer, item["column"]]
            assert item["mean"] == pytest.approx(table[item["column"]].mean())
            assert item["z"] == pytest.approx(z[customer])
            assert item["segment_z"] == pytest.approx(z[names == names[customer]].mean())


@pytest.mark.parametrize(
    ("run", "measure"), [("kmeans", "distance"), ("hierarchical", "distance"), ("gmm", "probability")]
)
def test_how_near_the_segments_are(desk, run, measure):
    store, run_id = desk[1], desk[2][run]
    fitted = models.load_model(store.model(run_id))
    everyone = store.snapshot_customers(store.run(run_id).snapshot_id)
    for customer in ("00010", "00123", "00399"):
        found = why(desk, run, customer)
        segments = found["segments"]
        assert segments[0]["segment"] == found["segment"]
        assert {item["key"] for item in segments} == {item.key for item in store.run(run_id).segments}
        values = [item[measure] for item in segments]
        assert values == sorted(values, reverse=measure == "probability")
        alone = everyone.loc[[customer]]
        if measure == "probability":
            assert sum(values) == pytest.approx(1)
            assert values[0] == fitted.membership(alone).max(axis=1).iloc[0]
        else:
            assert values[0] == fitted.distance(alone).iloc[0]
            assert values[0] < values[1]


def test_rfm_tells_scores_cut_points_and_the_nearest_exit(desk):
    store, run_id = desk[1], desk[2]["rfm"]
    fitted = models.load_model(store.model(run_id))
    exits = 0
    for customer in ("00010", "00123", "00200", "00399"):
        found = why(desk, "rfm", customer)
        assert found["segments"] is None
        row = shop.customers().loc[[customer]]
        rfm = found["rfm"]
        for column, score in rfm["scores"].items():
            span = next(item for item in rfm["cut_points"][column] if item["score"] == score)
            assert (span["low"] or -np.inf) <= row[column].iloc[0] <= (span["high"] or np.inf)
        assert rfm["score"] == pytest.approx(np.mean(list(rfm["scores"].values())))
        if rfm["exit"] is not None:
            exits += 1
            column, at = rfm["exit"]["column"], rfm["exit"]["value"]
            # at the border or just beyond it, whichever side belongs to the other segment
            beyond = [fitted.assign(row.assign(**{column: at + step})).iloc[0] for step in (-0.01, 0.0, 0.01)]
            names = {item.key: item.name for item in store.run(run_id).segments}
            assert rfm["exit"]["segment"] in {names[key] for key in beyond} - {found["segment"]}
    assert exits >= 2


PLUGIN = """
from dataclasses import dataclass, field
import numpy as np
from pandas import DataFrame, Series
from engines.contract import Engine, Segment, knob

@dataclass(frozen=True)
class FittedTwo:
    cut: float
    segments: tuple = (Segment(0), Segment(1))
    diagnostics: dict = field(default_factory=dict)

    def assign(self, customers):
        return (customers["monetary"] > self.cut).astype("int64")

    def explain(self, customers):
        if "00123" in customers.index:
            raise ZeroDivisionError("by nothing")
        if "00200" in customers.index:
            return ["because"]
        spent = customers["monetary"]
        above = spent > self.cut
        return DataFrame({"cut": self.cut, "monetary": spent, "above": above, "why": "it spends", "gap": np.nan})

@dataclass(frozen=True)
class Two(Engine):
    title = "Two"

    def fit(self, customers):
        return FittedTwo(float(customers["monetary"].median()))
"""


def test_a_plug_in_explains_in_its_own_words(desk, tmp_path, monkeypatch):
    (tmp_path / "two_plugin.py").write_text(PLUGIN)
    info = tmp_path / "two-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: two\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[segmentry.engines]\ntwo = two_plugin:Two\n")
    monkeypatch.syspath_prepend(tmp_path)
    _, store, runs = desk
    engine = registry.engine("two")
    run = store.start_run(store.run(runs["rfm"]).snapshot_id, "two", engine.settings(), lease_seconds=60)
    table = store.snapshot_customers(run.snapshot_id)
    result = segment("two", engine, table, plays=())
    store.finish_run(run.id, result, seconds=1, info={}, model=models.dump_model(result.fitted))
    found = why(desk, run.id, "00010")
    spent, cut = float(table.loc["00010", "monetary"]), float(table["monetary"].median())
    assert found["rfm"] is None and found["segments"] is None
    told = {"cut": cut, "monetary": spent, "above": spent > cut, "why": "it spends", "gap": None}
    assert found["explanation"] == told
    assert "explain failed with ZeroDivisionError: by nothing" in why(desk, run.id, "00123", 422)["error"]
    assert "Two cannot be used: its explain returns list" in why(desk, run.id, "00200", 422)["error"]
    assert "explanation" not in why(desk, "rfm", "00010")
    panel = words(about_customer(Services(shop.config(tmp_path), store, FrameCache(store)), run.id, "00010", "light"))
    assert f"Monetary: {spent:,.6g}; above: {'yes' if spent > cut else 'no'}; why: it spends; gap: –" in panel
    sys.modules.pop("two_plugin")


def test_a_name_given_by_hand_is_the_one_that_is_told(desk):
    store, run_id = desk[1], desk[2]["kmeans"]
    found = why(desk, "kmeans", "00010")
    store.edit_segment(run_id, found["segment_key"], revision=0, name="Friends of the house")
    again = why(desk, "kmeans", "00010")
    assert again["segment"] == again["segments"][0]["segment"] == "Friends of the house"


def test_ids_of_every_kind(desk):
    assert why(desk, "kmeans", "%3D1%2B1")["customer_id"] == "=1+1"
    assert why(desk, "kmeans", "@home")["customer_id"] == "@home"


def test_an_id_with_a_slash_and_features_that_pages_do_not_keep(tmp_path):
    settings = shop.config(tmp_path)
    store = shop.opened(settings)
    table = shop.customers(60).rename(index={"00010": "a/b c"}).sort_index()
    table["share_tea"] = np.linspace(0, 1, 60)
    table["always"] = 1.0
    snapshot = store.save_snapshot(shop.new_snapshot("slash", date(2011, 12, 10)), table)
    made = shop.make_engine("kmeans", settings).from_settings({"k": 2, "features": ["share_tea", "always", "monetary"]})
    result = segment("kmeans", made, table, plays=settings.plays)
    run = store.start_run(snapshot.id, "kmeans", made.settings(), lease_seconds=60)
    store.finish_run(run.id, result, seconds=1, info={}, model=models.dump_model(result.fitted))
    with TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1/api/v1") as client:
        found = why((client, store, {}), run.id, "a%2Fb%20c")
    store.close()
    assert found["customer_id"] == "a/b c"
    features = {item["column"]: item for item in found["features"]}
    assert set(features) == {"share_tea", "monetary"}
    assert features["share_tea"]["logged"] is False
    assert features["share_tea"]["value"] == pytest.approx(table.loc["a/b c", "share_tea"])


def test_what_is_not_there(desk):
    assert "has no customer 'nobody'" in why(desk, "kmeans", "nobody", 404)["error"]
    assert "There is no run 999" in why(desk, 999, "00010", 404)["error"]
    assert "queued" in why(desk, "queued", "00010", 404)["error"]
    assert "has no model. Run its engine again" in why(desk, "no model", "00010", 422)["error"]
