"""``segmentry drift`` as a user calls it: the JSON that programs read, a table, and one sentence where it cannot be."""

import json
from datetime import date, timedelta

import numpy as np
import pytest

from tests.dashboard.calling import SHOP, stored
from tests.engines.evaluation import made_up_shops

POINT = ["as_of", "customers", "ari", "noise_low", "moved_share", "alert", "cause"]
MEASURES = ["recency_days", "frequency", "monetary", "average_order_value"]


@pytest.fixture(scope="module")
def sales(tmp_path_factory):
    """Half a year of sales from 2024-01-10 on, of customers who come as often at its end as at its beginning."""
    path, random = tmp_path_factory.mktemp("sales") / "sales.csv", np.random.default_rng(0)
    lines = ["order_id,order_date,customer_id,amount"]
    for number in range(1_500):
        who, day = int(random.gamma(1.0, 60.0)), date(2024, 1, 10) + timedelta(days=int(random.integers(0, 183)))
        lines.append(f"{number},{day},c{who},{5 + 20 * random.lognormal():.2f}")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def answer(done):
    return json.loads(done.stdout, parse_constant=lambda text: pytest.fail(f"{text} is not JSON"))


def consistent(found, threshold=0.8):
    """What holds of every answer, whatever the sales and the engine."""
    assert list(found) == ["points", "frozen_at", "refresh_months", "reason", "window_days", "ages"]
    assert all(list(point) == POINT for point in found["points"])
    for point in found["points"]:
        assert np.isfinite([point["ari"], point["noise_low"], point["moved_share"]]).all()
        assert point["alert"] is (point["cause"] is not None)
        if point["cause"] == "agreement":
            assert point["ari"] < threshold and point["ari"] < point["noise_low"]
        assert 0 <= point["moved_share"] <= 1
    days = [date.fromisoformat(point["as_of"]) for point in found["points"]]
    assert days == sorted(set(days))
    assert [age["months"] for age in found["ages"]] == sorted({age["months"] for age in found["ages"]})
    assert all(age["low"] <= age["ari"] <= age["high"] and age["pairs"] for age in found["ages"])
    assert np.isfinite(found["refresh_months"]) and str(found["frozen_at"]) in found["reason"]
    return days


def test_json_has_the_shape_that_is_promised_and_nothing_is_stored(segmentry, sales, tmp_path):
    done = segmentry("drift", sales, "--engine", "kmeans", "--k", "4", "--every", "month", "--json")
    found = answer(done)
    days = consistent(found)
    # ninety days after the first sale, at the end of a month: 2024-04-09 is past it, 30 April is not
    assert found["frozen_at"] == "2024-05-01"
    assert days == [date(2024, 6, 1), date(2024, 7, 1), date(2024, 7, 11)]
    assert found["window_days"] == 90, "half a year is too short for a window of a year"
    assert [(age["months"], age["pairs"]) for age in found["ages"]] == [(1, 2), (2, 1)]
    assert "Watching K-means" in done.stderr
    assert stored(tmp_path) == 0


@pytest.mark.parametrize("engine", ["rfm", "gmm", "hierarchical"])
def test_every_engine_by_the_week_from_a_day_of_ones_own(segmentry, sales, engine):
    words = ["--engine", engine, "--k", "3", "--every", "week", "--freeze", "2024-05-27", "--as-of", "2024-07-05"]
    done = segmentry("drift", sales, *words, "--json", "--details", SEGMENTRY_DRIFT_BOOTSTRAPS="2")
    found = answer(done)
    assert found["frozen_at"] == "2024-05-27"
    assert [point["as_of"] for point in found["points"]] == ["2024-06-27", "2024-07-04", "2024-07-05"]
    assert (found["engine"], found["every"], found["threshold"]) == (engine, "week", 0.8)
    for point in found["points"]:
        assert point["noise_measured"] and np.isfinite([point["noise_low"], point["model_moved"]]).all()
        assert sum(size["customers"] for size in point["sizes"]) == point["customers"]
        assert [shift["column"] for shift in point["shifts"]] == MEASURES
        assert all(np.isfinite([shift["psi"], shift["effect"]]).all() for shift in point["shifts"])
    assert ("--k is ignored by RFM" in done.stderr) is (engine == "rfm")


def test_the_table_says_the_same(segmentry, sales):
    few = {"SEGMENTRY_DRIFT_THRESHOLD": "0.99", "SEGMENTRY_DRIFT_BOOTSTRAPS": "2", "COLUMNS": "150"}
    done = segmentry("drift", sales, "--freeze", "2024-06-01", "--k", "2", **few)
    assert "K-means frozen on 2024-06-01, alarm line 0.99" in done.stdout
    assert all(f"2024-07-{day}" in done.stdout for day in ("01", "11"))
    assert all(title in done.stdout for title in ("Customers moved", "Model moved", "Stability index (PSI)", "Recency"))
    assert "--freeze" not in done.stdout
    assert "Each date looks back over 143 days of sales: there are too few before the model was frozen" in done.stdout
    assert "Models by age against one made anew" in done.stdout
    assert "Who ordered in the 91 days before 2024-07-11 against those before 2024-06-01" in done.stdout


def test_how_far_back_dates_look_is_a_setting(segmentry, sales):
    words = ["--freeze", "2024-06-01", "--k", "2", "--json", "--details"]
    few = {"SEGMENTRY_DRIFT_BOOTSTRAPS": "2"}
    long, short = (
        answer(segmentry("drift", sales, *words, **few, SEGMENTRY_DRIFT_WINDOW_DAYS=days)) for days in ("365", "45")
    )
    assert (long["window_days"], short["window_days"]) == (143, 45)
    assert all(few["customers"] < many["customers"] for few, many in zip(short["points"], long["points"], strict=True))
    spent = [sum(size["revenue"] for size in each["points"][-1]["sizes"]) for each in (short, long)]
    assert spent[0] < 0.5 * spent[1], "what was spent in the window, not so far"


@pytest.mark.slow
def test_a_change_is_told_from_a_shop_that_grows(segmentry, tmp_path):
    """Through the whole of the command: a shop in which nothing changes, and one in which half the customers do."""
    for changes in (False, True):
        path = tmp_path / f"changes-{changes}.csv"
        path.write_text(made_up_shops.sales(made_up_shops.make(1, running=False, changes=changes)), encoding="utf-8")
        found = answer(segmentry("drift", path, "--json", SEGMENTRY_DRIFT_BOOTSTRAPS="4"))
        consistent(found)
        assert (found["frozen_at"], found["window_days"], len(found["points"])) == ("2023-01-01", 365, 12)
        alerts = [point["as_of"] for point in found["points"] if point["alert"]]
        assert alerts == [] if not changes else "2023-07-01" < alerts[0] <= "2023-10-01"
        assert ("make the model anew now" in found["reason"]) is changes


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["shop.csv"], "90 days"),
        (["empty.csv"], "empty.csv"),
        (["gone.csv"], "gone.csv"),
        (["cdnow-sample", "--engine", "magic"], "magic"),
        (["cdnow-sample", "--freeze", "1999-01-01"], "--freeze 1999-01-01 cannot be: sales go from 1997-01-01"),
        (["cdnow-sample", "--freeze", "1996-12-31"], "--freeze 1996-12-31"),
        (["cdnow-sample", "--every", "year"], "--every"),
        (["cdnow-sample", "--k", "51"], "k"),
    ],
)
def test_bad_input_is_one_sentence(segmentry, tmp_path, words, named):
    (tmp_path / "shop.csv").write_text(SHOP, encoding="utf-8")
    (tmp_path / "empty.csv").write_text(SHOP.splitlines()[0] + "\n", encoding="utf-8")
    done = segmentry("drift", *words, "--json", code=2)
    assert done.stdout == ""
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_a_date_that_cannot_be_segmented_is_named(segmentry, sales):
    done = segmentry("drift", sales, "--freeze", "2024-01-12", "--as-of", "2024-02-12", "--k", "50", code=2)
    assert "Sales before 2024-01-12 cannot be segmented" in done.stderr
    assert "k at most" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["rfm", "kmeans", "gmm", "hierarchical"])
def test_online_retail_by_the_month(segmentry, shared_data, engine):
    source = shared_data / "online_retail.csv.gz"
    found = answer(segmentry("drift", source, "--engine", engine, "--k", "4", "--every", "month", "--json"))
    days = consistent(found)
    assert found["frozen_at"] == "2011-03-01"
    assert days == [*(date(2011, month, 1) for month in range(4, 13)), date(2011, 12, 10)]
    assert found["points"][-1]["customers"] == 2_889, "who bought in the ninety days before"
    assert not any(point["alert"] for point in found["points"])


@pytest.mark.slow
@pytest.mark.parametrize("source", ["cdnow", "cdnow-sample", "sample-shop"])
@pytest.mark.parametrize("engine", ["rfm", "kmeans", "gmm", "hierarchical"])
def test_embedded_data_by_the_month(segmentry, source, engine):
    found = answer(segmentry("drift", source, "--engine", engine, "--json"))
    days = consistent(found)
    first = {"sample-shop": date(2024, 1, 1)}.get(source, date(1997, 4, 1))
    assert date.fromisoformat(found["frozen_at"]) == first
    assert days[0] == first.replace(month=first.month + 1)
    assert len(days) == {"sample-shop": 24}.get(source, 15)
    assert found["window_days"] == {"sample-shop": 365}.get(source, 90)
