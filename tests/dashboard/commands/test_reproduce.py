"""``segmentry reproduce``: the same again, or what differs."""

import json
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from dashboard.config import load_config
from dashboard.pipeline.sales import new_snapshot, sales_again, sales_of, valued_customers
from storage import open_store
from tests.dashboard.calling import call
from tests.quick import QUICK_ENVIRON

HEAD = "InvoiceNo,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
LINES = [
    f"{n},{1 + n % 7},2024-0{1 + n % 5}-{1 + n % 27:02d},{1 + n * n % 40}.50,{n % 60},{('Italy', 'Spain')[n % 2]}\n"
    for n in range(400)
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a shop.csv and a database of one run of each engine on it: K-means is run 1, RFM run 2."""
    folder = tmp_path_factory.mktemp("reproduce")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (folder / "shop.csv").write_text(HEAD + "".join(LINES), encoding="utf-8")
        engines = [word for name in ("kmeans", "rfm", "gmm", "hierarchical") for word in ("--engine", name)]
        call("run", "shop.csv", *engines, "--k", 3, "--seed", 5, **QUICK_ENVIRON)
    return folder


@pytest.fixture
def segmentry(made, tmp_path, monkeypatch):
    """Calls ``segmentry`` in a copy of that folder, as if the runs had been made there, and gives what it prints."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    changed(tmp_path, f"update snapshots set info = replace(info, '{made}', '{tmp_path}')")
    monkeypatch.chdir(tmp_path)
    return lambda *words, code=0: call(*words, code=code).stdout


def reproduced(segmentry, run, *words, code=0):
    return json.loads(segmentry("reproduce", run, "--json", *words, code=code))


def changed(tmp_path: Path, *statements: str) -> None:
    """What a database holds after somebody has changed it behind the store's back."""
    with sqlite3.connect(tmp_path / "segmentry.db") as connection:
        for statement in statements:
            connection.execute(statement)


def dump(tmp_path: Path) -> list[str]:
    with sqlite3.connect(tmp_path / "segmentry.db") as connection:
        return list(connection.iterdump())


@pytest.mark.slow
def test_every_engine_is_identical_from_the_store_and_from_the_source(segmentry, tmp_path):
    (tmp_path / "other.toml").write_text(
        '[categories]\nnone = ["NEVER"]\n[clv]\nhorizon_weeks = 52\n[cleaning]\ndrop_exact_duplicates = true\n'
        '[mapping]\ncountry = "Nowhere"\n[engines]\nk = 7\nseed = 9\n',
        encoding="utf-8",
    )
    runs = json.loads(segmentry("runs", "--json"))
    assert {run["engine"] for run in runs} == {"rfm", "kmeans", "gmm", "hierarchical"}
    before = dump(tmp_path)
    for run in runs:
        # whatever the settings are by now: the record counts
        found = reproduced(segmentry, run["id"], "--config", "other.toml")
        assert found["identical"] is True
        assert found["stored"] == found["source"] == {"customers": 60, "differ": 0, "agreement": 1.0}
        assert found["differences"] == []
    assert "Run 1 (kmeans): identical" in segmentry("reproduce", 1)
    assert dump(tmp_path) == before, "nothing is stored"


def test_the_customers_made_anew_are_the_stored_ones_to_the_last_digit(segmentry, tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'segmentry.db'}", clock=lambda: datetime.now(UTC))
    now = load_config(environ={"SEGMENTRY_CLV_HORIZON_WEEKS": "52", "SEGMENTRY_CLEANING_DROP_EXACT_DUPLICATES": "true"})
    snapshot = store.snapshot(1)
    for opening in (sales_of(snapshot, now, store), sales_again(snapshot, "shop.csv", now)):
        with opening as opened:
            assert opened.sales.ledger.to_dict() == snapshot.ledger
            customers, new, _, _ = valued_customers(opened, new_snapshot(opened))
        pd.testing.assert_frame_equal(customers, store.snapshot_customers(1), check_exact=True)
        assert (new.settings, new.info["notes"]) == (snapshot.settings, snapshot.info["notes"])
    store.close()


@pytest.mark.slow
def test_the_source_may_be_gone_and_another_one_is_said(segmentry, tmp_path):
    words = ("--engine", "kmeans", "--k", 3, "--as-of", "2024-05-01", "--json")
    run = json.loads(segmentry("run", "shop.csv", *words))["runs"][0]["id"]
    (tmp_path / "shop.csv").rename(tmp_path / "moved.csv")
    found = reproduced(segmentry, run)
    assert (found["identical"], found["source"]["differ"]) == (True, 0)
    assert found["note"] == "The sales are those that were kept with the run's snapshot."
    moved = reproduced(segmentry, run, "--source", "moved.csv")
    assert (moved["source"]["differ"], moved["note"]) == (0, "The sales in moved.csv are those the run had.")
    (tmp_path / "shop.csv").write_text(HEAD + "".join(LINES[1:]), encoding="utf-8")
    other = reproduced(segmentry, run, "--source", "shop.csv")
    (difference,) = other["differences"]
    assert (other["identical"], other["source"], difference["what"]) == (True, None, "data fingerprint")
    assert difference["then"] != difference["now"]
    assert "data fingerprint" in segmentry("reproduce", run, "--source", "shop.csv")
    segmentry("reproduce", run, "--source", "nowhere.csv", code=2)


@pytest.mark.slow
def test_without_kept_sales_the_source_is_read_again_or_said_to_be_gone(segmentry, tmp_path):
    (tmp_path / "other.toml").write_text("[objects]\nkeep = false\n", encoding="utf-8")
    words = ("--engine", "kmeans", "--k", 3, "--as-of", "2024-04-01", "--json", "--config", "other.toml")
    run = json.loads(segmentry("run", "shop.csv", *words))["runs"][0]["id"]
    assert reproduced(segmentry, run)["source"]["differ"] == 0
    (tmp_path / "shop.csv").rename(tmp_path / "moved.csv")
    found = reproduced(segmentry, run)
    assert (found["identical"], found["source"]) == (True, None)
    assert "shop.csv is not here" in found["note"]
    (tmp_path / "shop.csv").write_text("nothing,like,it\n1,2,3\n", encoding="utf-8")
    assert "cannot be read again" in reproduced(segmentry, run)["note"]


@pytest.mark.slow
def test_labels_and_versions_that_differ_are_told(segmentry, tmp_path):
    changed(
        tmp_path,
        "update labels set segment_key = (segment_key + 1) % 3 where run_id = 1 and row_no in (0, 7)",
        "update runs set info = json_set(info, '$.versions.\"scikit-learn\"', '0.1')",
    )
    found = reproduced(segmentry, 1, code=1)
    assert found["identical"] is False
    assert found["stored"]["differ"] == found["source"]["differ"] == 2
    assert 0 < found["stored"]["agreement"] < 1
    (difference,) = found["differences"]
    assert (difference["what"], difference["then"]) == ("scikit-learn", "0.1")
    told = segmentry("reproduce", 1, code=1)
    assert "not identical" in told and "2 of 60 labels differ (adjusted Rand index" in told
    assert "scikit-learn: 0.1 then" in told
    assert reproduced(segmentry, 2)["identical"] is True, "another version alone is no other result"


def test_the_same_groups_under_other_numbers_are_told_from_other_groups(segmentry, tmp_path):
    changed(tmp_path, "update labels set segment_key = (segment_key + 1) % 3")
    assert "60 of 60 labels differ (the same groups under other numbers)" in segmentry("reproduce", 1, code=1)


def test_a_plug_ins_version_then_and_now_is_told(segmentry, tmp_path):
    changed(tmp_path, "update runs set info = json_set(info, '$.origin', 'someones-engine 1.0')")
    (difference,) = reproduced(segmentry, 1)["differences"]
    assert (difference["what"], difference["then"]) == ("plug-in of kmeans", "someones-engine 1.0")


def test_what_cannot_be_reproduced_is_refused(segmentry, tmp_path):
    segmentry("reproduce", 9, code=2)
    changed(tmp_path, "update runs set engine = 'gone'")
    segmentry("reproduce", 1, code=2)
    changed(tmp_path, "update jobs set state = 'failed'")
    segmentry("reproduce", 1, code=2)
