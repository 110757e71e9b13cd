"""Each list that leaves the house is written down: by the API, and by the command line."""

import getpass
import hashlib
import json
from datetime import datetime
from importlib.metadata import version

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.cli import main
from storage import open_store
from tests.dashboard.shop import config
from tests.prepared import prepared
from tests.storage.samples import Clock, finished_run, sample_customers


@pytest.fixture
def shop(tmp_path):
    store = open_store(prepared(f"sqlite:///{tmp_path / 'shop.db'}"), clock=Clock())
    finished_run(store, sample_customers(120))
    yield store
    store.close()


@pytest.fixture
def client(shop, tmp_path):
    app = create_app(config(tmp_path), shop, environ={})
    with TestClient(app, base_url="http://127.0.0.1/api/v1/") as client:
        yield client


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_an_export_is_on_record_once_it_is_complete(client, shop, kind):
    assert client.get("exports").json() == []
    params = [("segment", "Champions"), ("segment", "Lost; DROP TABLE runs --"), ("q", "C00000")]
    answer = client.get(f"runs/1/export.{kind}", params=params, auth=("anna", "whatever"))
    assert answer.status_code == 200
    (record,) = client.get("exports").json()
    assert datetime.fromisoformat(record.pop("exported_at")) == Clock().now
    about = record.pop("about")
    assert {name: about[name] for name in ("list", "query", "version", "fingerprint", "engine_settings")} == {
        "list": "customers",
        "query": "",
        "version": version("segmentry"),
        "fingerprint": "f00d",
        "engine_settings": {"k": 4, "seed": 7},
    }
    columns = record.pop("columns")
    assert columns[:2] == ["customer_id", "segment"]
    assert record == {
        "id": 1,
        "run_id": 1,
        "selection": "segment=Champions&segment=Lost%3B+DROP+TABLE+runs+--&q=C00000",
        "format": kind,
        "rows": client.get("runs/1/customers", params=params).json()["total"],
        "sha256": hashlib.sha256(answer.content).hexdigest(),
        "user": "anna",
        "state": "complete",
        "size": len(answer.content),
        "control": None,
        "dataset": "Teas & Co",
        "as_of": "2024-05-01",
        "engine": "kmeans",
    }
    assert record["rows"] > 0


def test_what_was_refused_or_has_no_name_is_not_made_up(client):
    assert client.get("runs/9/export.csv").status_code == 404
    assert client.get("runs/1/export.csv", params={"min_clv": "much"}).status_code == 422
    assert client.get("exports").json() == []
    for header in ("Basic", "Basic !!", "Basic /w==", "Bearer abc", "Basic YQBiOmM="):
        assert client.get("runs/1/export.csv", headers={"Authorization": header}).status_code == 200
    records = client.get("exports").json()
    assert [record["user"] for record in records] == [None] * 5
    assert [record["id"] for record in client.get("exports", params={"limit": 2}).json()] == [5, 4]
    assert client.get("exports", params={"limit": 0}).status_code == 422


def test_the_command_line_writes_its_exports_down_too(shop, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environ = {"DATABASE_URL": f"sqlite:///{tmp_path / 'shop.db'}"}
    done = CliRunner(env=environ).invoke(main, ["export", "1", "--output", "list.csv", "--json"])
    assert (done.exit_code, json.loads(done.stdout)["customers"]) == (0, 120)
    (record,) = shop.exports()
    assert (record.run_id, record.rows, record.format, record.selection) == (1, 120, "csv", "")
    assert record.sha256 == hashlib.sha256((tmp_path / "list.csv").read_bytes()).hexdigest()
    assert record.user == getpass.getuser()
