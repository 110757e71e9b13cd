"""docs/api.md names every route of the API, and no other."""

import re
from datetime import UTC, datetime

from starlette.testclient import TestClient

from dashboard.api.selection import SELECTION_PARAMETERS
from dashboard.app import create_app
from dashboard.config import load_config
from storage import open_store
from tests.conftest import ROOT
from tests.prepared import prepared

TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def test_every_route_is_documented(tmp_path):
    store = open_store(prepared(f"sqlite:///{tmp_path / 'empty.db'}"), clock=lambda: datetime.now(UTC))
    with TestClient(create_app(load_config(environ={}), store, environ={}), base_url="http://127.0.0.1") as client:
        paths = client.get("/api/v1/openapi.json").json()["paths"]
    store.close()
    real = {f"{verb.upper()} /api/v1{path}" for path, verbs in paths.items() for verb in verbs} | {"GET /health"}
    assert set(re.findall(r"^\| `((?:GET|POST|DELETE|PUT|PATCH) [^`]+)`", TEXT, re.MULTILINE)) == real


def test_every_selection_parameter_is_documented():
    """By its own name, or by the column that it bounds."""
    for name in SELECTION_PARAMETERS:
        column = name.removeprefix("min_").removeprefix("max_")
        assert f"`{name}`" in TEXT or f"`{column}`" in TEXT, name
