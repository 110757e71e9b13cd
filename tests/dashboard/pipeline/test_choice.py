"""The choice of value models is made once, kept with the snapshot, and reused by a refresh while it is young."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.pipeline.choice import choice_of, kept_choice
from dashboard.pipeline.run import run_sales
from dashboard.pipeline.sales import SalesRequest
from tests.dashboard import shop


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """CDNOW three times: as of a day, a fortnight later, and three months later."""
    config = shop.config(tmp_path_factory.mktemp("choice")).replace(clv={"model": "auto"})
    store = shop.opened(config)
    days = (date(1998, 3, 1), date(1998, 3, 15), date(1998, 6, 1))
    snapshots = [run_sales(SalesRequest("cdnow-sample", ("rfm",), as_of=day), config, store).snapshot for day in days]
    yield config, store, snapshots
    store.close()


@pytest.mark.slow
def test_a_refresh_within_the_days_keeps_the_choice_and_says_so(runs):
    _, store, (first, second, third) = runs
    made, kept, anew = (each.info["value"] for each in (first, second, third))
    assert made["choice"]["chosen"] and len(made["choice"]["origins"]) == 3
    assert kept["choice"] == made["choice"]
    assert kept["chosen_as_of"] == made["chosen_as_of"] == "1998-03-01"
    assert any("chosen as of 1998-03-01" in str(note) for note in second.info["value_notes"])
    assert not any("chosen as of" in str(note) for note in first.info["value_notes"])
    assert anew["chosen_as_of"] == "1998-06-01"
    assert anew["choice"]["origins"] != made["choice"]["origins"]
    receipts = [store.validations(each.id)[0].receipt["plan"]["cutoff"] for each in (first, second, third)]
    assert receipts[0] == receipts[1] < receipts[2]


def test_what_decides_must_be_the_same(runs):
    config, store, (first, second, _) = runs
    assert kept_choice(second, config, store).as_of == date(1998, 3, 1)
    assert choice_of(first, store).choice.chosen
    for other in (
        replace(second, dataset="another shop"),
        replace(second, settings={**second.settings, "churn": {"days": 60, "min_history_days": 14}}),
        replace(second, as_of=date(1998, 2, 1)),
    ):
        assert kept_choice(other, config, store) is None
    assert kept_choice(second, config.replace(clv={"choose_again_days": 0}), store) is None


def test_the_days_are_no_part_of_what_a_snapshot_is(runs):
    config, store, (first, *_) = runs
    again = run_sales(
        SalesRequest("cdnow-sample", ("rfm",), as_of=first.as_of), config.replace(clv={"choose_again_days": 7}), store
    )
    assert again.snapshot.id == first.id


def test_the_chance_within_any_number_of_days_is_one_curve(runs):
    """The API gives it for any N: never falling, and the stored figures at their own times."""
    config, store, (first, *_) = runs
    run = store.runs(snapshot_id=first.id)[0]
    with TestClient(create_app(config, store, environ={}), base_url="http://127.0.0.1/api/v1") as client:

        def customers(**params):
            answer = client.get(f"/runs/{run.id}/customers", params={"limit": 500, **params})
            assert answer.status_code == 200, answer.text
            return answer.json()

        at = {days: customers(days=days)["customers"] for days in (1, 30, 90, 120, 182, 365)}
        chances = np.array([[row["buys_within"] or np.nan for row in rows] for rows in at.values()])
        assert (np.diff(chances, axis=0)[:, ~np.isnan(chances[0])] >= -1e-12).all()
        np.testing.assert_allclose(chances[2], [1.0 - (row["churn_risk"] or np.nan) for row in at[90]], rtol=1e-9)
        np.testing.assert_allclose(chances[4], [row["p_purchase"] for row in at[182]], rtol=1e-9)
        assert "buys_within" not in customers()["customers"][0]
        assert client.get(f"/runs/{run.id}/customers", params={"days": 0}).status_code == 422


def test_the_old_name_of_clv_answers_with_a_note(runs):
    config, store, (first, *_) = runs
    run = store.runs(snapshot_id=first.id)[0]
    with TestClient(create_app(config, store, environ={}), base_url="http://127.0.0.1/api/v1") as client:
        old = client.get(f"/runs/{run.id}/customers", params={"min_future_spend": 100}).json()
        new = client.get(f"/runs/{run.id}/customers", params={"min_clv": 100}).json()
        assert "error" not in old, old
        assert (old["total"], old["customers"]) == (new["total"], new["customers"]) and 0 < old["total"] < 1000
        assert "future_spend is an old name" in old["note"] and "note" not in new
        listed = client.get(f"/runs/{run.id}/export.csv", params={"columns": "customer_id,future_spend"})
        assert listed.status_code == 200 and "clv" in listed.text.splitlines()[0]


def test_settings_that_came_later_leave_old_snapshots_what_they_are(runs):
    config, _, (first, *_) = runs
    assert first.settings["clv"] == config.clv.identity()
    assert {"margin", "acquisition_cost", "choose_again_days"}.isdisjoint(first.settings["clv"])
    assert config.replace(clv={"margin": 0.4}).clv.identity()["margin"] == 0.4
