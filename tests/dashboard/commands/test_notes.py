"""What is to be known of the values of customers is printed, kept, and on the run's page and in the API."""

import json

import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.config import load_config
from dashboard.frames.cache import FrameCache
from dashboard.pages.run import page
from dashboard.services import Services
from storage import open_store
from tests.dashboard import shop

#: The beginnings of the notes that these sales give rise to.
NOTES = (
    "The plain BG/NBD fit did not converge",
    "These sales show next to no customers leaving for good",
    "How often customers buy and what they spend are correlated (0.",
)


@pytest.fixture(scope="module")
def subscribers():
    """Sales of customers who never leave, and who spend the more at a time the more often they buy."""
    random = np.random.default_rng(1)
    lines = []
    for customer, rate in enumerate(random.gamma(2.0, 0.02, 400)):
        gaps = random.exponential(1 / rate, 200)
        first = random.uniform(0, 60)
        days = np.concatenate([[first], first + np.cumsum(gaps)])
        paid = np.round(200 * rate * random.uniform(0.5, 1.5, len(days)), 2)
        lines += [(f"c{customer}", int(day), amount) for day, amount in zip(days, paid, strict=True) if day < 365]
    table = pd.DataFrame(lines, columns=["customer_id", "day", "amount"])
    table["order_date"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(table.pop("day"), unit="D")
    return table.assign(quantity=1).to_csv(index=False)


@pytest.mark.slow
def test_value_notes_arrive_everywhere(segmentry, tmp_path, subscribers):
    (tmp_path / "shop.csv").write_text(subscribers, encoding="utf-8")
    (tmp_path / "my.toml").write_text('[clv]\nmodel = "bg_nbd"\n', encoding="utf-8")
    words = ("run", "shop.csv", "--engine", "rfm", "--config", "my.toml")
    done = segmentry(*words, "--json")
    answer = json.loads(done.stdout)
    for note in NOTES:
        assert f"Note: {note}" in done.stderr
        assert any(text.startswith(note) for text in answer["notes"])
        assert any(text.startswith(note) for text in answer["snapshot"]["notes"])
    # also where the snapshot was there already
    again = segmentry(*words)
    assert all(f"Note: {note}" in again.stderr for note in NOTES)
    config = load_config(environ={}).replace(database={"url": f"sqlite:///{tmp_path / 'segmentry.db'}"})
    store = open_store(config.database.url, clock=lambda: shop.NOW)
    snapshot, run = store.snapshots()[0], store.runs()[0]
    assert all(any(text.startswith(note) for text in snapshot.notes) for note in NOTES)
    services = Services(config, store, FrameCache(store))
    shown = page.layout(services, run=str(run.id)).to_plotly_json()
    text = json.dumps(shown, default=lambda part: getattr(part, "to_plotly_json", lambda: str(part))())
    assert all(note in text for note in NOTES)
    with TestClient(create_app(config, store, environ={}), base_url="http://127.0.0.1") as client:
        found = client.get(f"/api/v1/snapshots/{snapshot.id}").json()
    assert all(any(text.startswith(note) for text in found["notes"]) for note in NOTES)
    store.close()
