"""``segmentry validate`` as a user calls it, and the receipt that a run leaves with its snapshot and in the API."""

import json
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.config import load_config
from dashboard.pipeline.validate import golden_run
from storage import open_store
from tests.dashboard.calling import SHOP, stored


def test_json_is_the_receipt_and_nothing_is_stored(segmentry, tmp_path):
    done = segmentry("validate", "cdnow-sample", "--cutoff", "1997-09-30", "--json")
    found = json.loads(done.stdout, parse_constant=lambda text: pytest.fail(f"{text} is not JSON"))
    assert found["models"]["bg_nbd"]["parameters"]["r"] == pytest.approx(0.2426, rel=0.005)
    assert found["holdout"]["bg_nbd"]["rmse"] <= 1.61
    assert {"bg_nbd", "logistic", "boosting", "recency"} <= set(found["churn"])
    assert {"tweedie", "two_part", "zero"} <= set(found["ltv"])
    assert stored(tmp_path) == 0


def test_people_see_published_figures_beside_ours(segmentry):
    done = segmentry("validate", "cdnow-sample", "--cutoff", "1997-09-30")
    for said in ("Purchases", "Spend, USD", "beats every baseline on purchases", "Golden run", "-9,582.43", "✓"):
        assert said in done.stdout, said
    assert all(row.holds for row in golden_run())


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["cdnow-sample", "--cutoff", "1997-02-01"], "90 days before it and 28 after"),
        (["cdnow-sample", "--cutoff", "1998-06-20"], "90 days before it and 28 after"),
        (["cdnow-sample", "--cutoff", "yesterday"], "--cutoff"),
        (["nowhere.csv"], "nowhere.csv"),
        (["shop.csv"], "too short"),
    ],
)
def test_bad_input_is_one_sentence_with_the_remedy(segmentry, tmp_path, words, named):
    (tmp_path / "shop.csv").write_text(SHOP, encoding="utf-8")
    done = segmentry("validate", *words, code=2)
    assert done.stdout == ""
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_leaves_its_receipt_and_a_young_shop_none(segmentry, cdnow, tmp_path):
    (tmp_path / "shop.csv").write_text(SHOP, encoding="utf-8")
    segmentry("run", "shop.csv", "--engine", "rfm", "--detach")
    store = open_store(f"sqlite:///{cdnow}", clock=lambda: datetime.now(UTC))
    (young, old) = store.snapshots()
    assert "too short for a test" in " ".join(young.info["value_notes"])
    assert old.info["value"]["churn"]["days"] == 90
    assert {"clv", "churn"} <= set(old.settings)
    with TestClient(create_app(load_config(environ={}), store, environ={}), base_url="http://127.0.0.1") as client:
        answer = client.get(f"/api/v1/snapshots/{old.id}/validation")
        assert (answer.status_code, answer.json()["plan"]["until"]) == (200, "1998-06-30")
        for number, said in ((young.id, "too short"), (99, "99")):
            missing = client.get(f"/api/v1/snapshots/{number}/validation")
            assert missing.status_code == 404
            assert said in missing.json()["error"]
    store.close()
