"""`segmentry predict`: the customers of a run get their own segments again, from sales or a table, alone or all."""

import json
import pickle
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from dashboard.cli import main
from dashboard.config import load_config
from dashboard.pipeline.run import make_engine, work_run
from dashboard.pipeline.sales import SalesRequest, new_snapshot, open_sales, valued_customers
from engines import registry
from engines.intake.sources.samples import EMBEDDED, open_embedded
from engines.persistence import models
from engines.run import segment
from storage import open_store
from tests.prepared import copy_store
from tests.storage.samples import claim_run

SETTINGS = {
    "gmm": {"set_aside_one_order": True},
    "hierarchical": {},
    "kmeans": {"features": ["clv", "recency_days", "p_purchase"], "k": 5},
    "rfm": {"grid": "eleven"},
}


def opened(folder):
    return open_store(f"sqlite:///{folder / 'segmentry.db'}", clock=lambda: datetime.now(UTC))


@pytest.fixture(scope="module")
def filled(cdnow_folder, tmp_path_factory):
    """A folder with a database of runs on the CDNOW sample, one per engine and K-means as shipped; ids by name."""
    folder = tmp_path_factory.mktemp("predict")
    copy_store(cdnow_folder / "segmentry.db", folder / "segmentry.db")
    config = load_config(environ={})
    store = opened(folder)
    (snapshot,) = store.snapshots()
    customers = store.snapshot_customers(snapshot.id)
    runs = {}
    engines = {name: registry.engine(name, settings) for name, settings in SETTINGS.items()}
    for name, engine in {**engines, "plain": make_engine("kmeans", config)}.items():
        registered = "kmeans" if name == "plain" else name
        result = segment(registered, engine, customers, plays=config.plays)
        run = store.start_run(snapshot.id, registered, engine.settings(), lease_seconds=60)
        runs[name] = run.id
        store.finish_run(run.id, result, seconds=1, info={}, model=models.dump_model(result.fitted))
    bare = store.start_run(snapshot.id, "kmeans", engine.settings(), lease_seconds=60)
    runs["no model"] = store.finish_run(bare.id, result, seconds=1, info={}).id
    runs["queued"] = store.queue_run(snapshot.id, "kmeans", engine.settings()).id
    store.close()
    return folder, runs


@pytest.fixture
def segmentry(filled, tmp_path, monkeypatch):
    """Calls ``segmentry`` on a copy of the filled database, in a folder of its own."""
    copy_store(filled[0] / "segmentry.db", tmp_path / "segmentry.db")
    monkeypatch.chdir(tmp_path)

    def call(*words, code=0):
        done = CliRunner().invoke(main, [str(word) for word in words])
        assert done.exit_code == code, done.stderr
        if not isinstance(done.exception, SystemExit | None):
            raise done.exception
        return done

    return call


def lines(path):
    return pd.read_csv(path, dtype={"customer_id": "str"}).set_index("customer_id")


def labels(folder, run_id):
    """The stored segment names of a run by customer."""
    store = opened(folder)
    names = {item.key: item.name for item in store.run(run_id).segments}
    found = store.labels(run_id).map(names)
    store.close()
    return found


def sale_lines(customer):
    """The sales of one customer of the CDNOW sample, as a shop would write them."""
    table = open_embedded(EMBEDDED["cdnow-sample"]).arrow.to_pandas()
    mine = table[table["c1"].astype(int) == int(customer)]
    dates = pd.to_datetime(mine["c2"].astype(str), format="%Y%m%d").dt.strftime("%Y-%m-%d")
    return pd.DataFrame({"customer_id": customer, "order_date": dates, "amount": mine["c4"].astype(float)})


@pytest.mark.parametrize("name", [*SETTINGS, "plain"])
def test_the_customers_of_a_run_get_their_labels_from_sales_and_from_a_table(name, segmentry, filled, tmp_path):
    run = filled[1][name]
    assert (
        "2,357 customers written"
        in segmentry("predict", run, "--input", "cdnow-sample", "--output", "sales.csv").stdout
    )
    from_sales = lines("sales.csv")
    assert from_sales["segment"].to_dict() == labels(tmp_path, run).to_dict()
    segmentry("export", run, "--output", "list.parquet")
    segmentry("predict", run, "--input", "list.parquet", "--output", "table.csv")
    pd.testing.assert_frame_equal(lines("table.csv").sort_index(), from_sales.sort_index(), check_dtype=False)
    measured = {"gmm": ["probability"], "rfm": []}.get(name, ["distance"])
    features = {"kmeans": SETTINGS["kmeans"]["features"]}.get(name, ["recency_days", "frequency", "monetary"])
    assert list(from_sales.columns)[:2] == ["segment", "segment_key"]
    assert list(from_sales.columns)[2 : 2 + len(measured)] == measured
    assert set(from_sales.columns) == {"segment", "segment_key", *measured, *features}
    if measured == ["probability"]:
        assert from_sales["probability"].between(0.25, 1).all()


@pytest.mark.slow
def test_what_a_model_learned_of_all_sales_is_kept_and_values_new_customers(segmentry, tmp_path, monkeypatch):
    folder = tmp_path / "chosen"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SEGMENTRY_CLV_MODEL", "auto")
    segmentry("run", "cdnow-sample", "--engine", "rfm")
    store = opened(folder)
    snapshot = store.snapshots()[0]
    assert snapshot.info["value"]["churn"]["learns"]  # on CDNOW such a model does best
    engine = registry.engine("kmeans", {"features": ["churn_risk", "recency_days"], "k": 3})
    result = segment("kmeans", engine, store.snapshot_customers(snapshot.id), plays=load_config(environ={}).plays)
    run = store.start_run(snapshot.id, "kmeans", engine.settings(), lease_seconds=60).id
    store.finish_run(run, result, seconds=1, info={}, model=models.dump_model(result.fitted))
    store.close()
    assert "2,357" in segmentry("predict", run, "--input", "cdnow-sample", "--output", "sales.csv").stdout
    segmentry("export", run, "--output", "list.parquet")
    assert "2,357" in segmentry("predict", run, "--input", "list.parquet", "--output", "again.csv").stdout
    from_sales, from_table = lines("sales.csv").sort_index(), lines("again.csv").sort_index()
    assert (from_sales["segment"] == from_table["segment"]).all()
    np.testing.assert_allclose(from_sales["churn_risk"], from_table["churn_risk"], rtol=1e-6)


@pytest.mark.parametrize("name", [*SETTINGS, "plain"])
def test_one_customer_alone_is_put_where_it_is_in_the_crowd(name, segmentry, filled, tmp_path):
    run = filled[1][name]
    customer = "0006" if name in ("kmeans", "rfm") else "0003"
    sale_lines(customer).to_csv("one.csv", index=False)
    found = json.loads(segmentry("predict", run, "--input", "one.csv", "--as-of", "1998-07-01", "--json").stdout)
    assert (found["run"], found["as_of"], len(found["customers"])) == (run, "1998-07-01", 1)
    assert found["customers"][0]["customer_id"] == customer
    assert found["customers"][0]["segment"] == labels(tmp_path, run)[customer]


def test_a_new_customer_is_described_as_of_the_day_after_its_last_sale(segmentry, filled):
    sale_lines("0003").to_csv("one.csv", index=False)
    found = json.loads(segmentry("predict", filled[1]["plain"], "--input", "one.csv", "--json").stdout)
    assert found["as_of"] == "1997-01-02"
    row = found["customers"][0]
    assert (row["recency_days"], row["frequency"], row["monetary"]) == (1, 1, 6.79)
    assert set(row) == {"customer_id", "segment", "segment_key", "distance", "recency_days", "frequency", "monetary"}


def test_a_table_of_a_new_customer_by_hand_with_columns_mapped(segmentry, filled):
    Path("new.csv").write_text("Kunde,Recency_Days,frequency,monetary,more\nnew-1,3,40,5000,x\n")
    words = ("predict", filled[1]["plain"], "--input", "new.csv", "--map", "customer_id=Kunde")
    found = json.loads(segmentry(*words, "--json").stdout)
    assert (found["as_of"], found["customers"][0]["segment"]) == (None, "Champions")
    shown = segmentry(*words).stdout
    for text in ("1 customer in the segments of run", "Champions", "100.0%", "new-1", "Distance", "5,000"):
        assert text in shown


def test_where_new_customers_live_is_seen_from_the_runs_home_country(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config, store = load_config(environ={}), opened(tmp_path)
    rows = [("a", 1, "France"), ("b", 2, "France"), ("c", 3, "Spain"), ("d", 4, "France"), ("e", 9, "Spain")]
    sales = pd.DataFrame(rows, columns=["customer_id", "amount", "country"]).assign(order_date="2024-01-01")
    sales.to_csv("sales.csv", index=False)
    with open_sales(SalesRequest("sales.csv"), config) as read:
        customers, new, *_ = valued_customers(read, new_snapshot(read))
    assert customers["is_home_country"].tolist() == [False, False, True, False, True]
    run = store.queue_run(
        store.save_snapshot(new, customers).id,
        "kmeans",
        make_engine("kmeans", config).from_settings({"k": 2, "features": ["is_home_country"]}).settings(),
    )
    work_run(claim_run(store), config, store)
    names = store.labels(run.id).map({item.key: item.name for item in store.run(run.id).segments})
    store.close()
    sales[sales["country"] == "France"].to_csv("french.csv", index=False)
    done = CliRunner().invoke(main, ["predict", str(run.id), "--input", "french.csv", "--json"])
    assert {row["segment"] for row in json.loads(done.stdout)["customers"]} == {names["a"]} != {names["c"]}


@pytest.mark.slow
def test_a_run_and_a_worker_keep_the_model(segmentry, tmp_path):
    table = pd.DataFrame({"customer_id": list("aabbccdd"), "order_date": "2024-01-01", "amount": range(1, 9)})
    table["order_date"] = [f"2024-01-{day:02d}" for day in (1, 2, 3, 9, 12, 12, 20, 25)]
    table.to_csv("shop.csv", index=False)
    made = json.loads(segmentry("run", "shop.csv", "--engine", "rfm", "--engine", "kmeans", "--k", 2, "--json").stdout)
    store = opened(tmp_path)
    settings = registry.engine("hierarchical", {"k": 2}).settings()
    queued = store.queue_run(made["snapshot"]["id"], "hierarchical", settings)
    while run := claim_run(store):
        work_run(run, load_config(environ={}), store)
    for run in [*(item["id"] for item in made["runs"]), queued.id]:
        fitted = models.load_model(store.model(run))
        assert fitted.assign(store.snapshot_customers(made["snapshot"]["id"])).equals(store.labels(run))
    store.close()


# --- what is refused ------------------------------------------------------------------------------------------------


TABLE = "customer_id,recency_days,frequency,monetary\n"


@pytest.mark.parametrize(
    ("run", "text", "words", "options"),
    [
        ("plain", "customer_id,recency_days,frequency\na,1,2\n", "has no column monetary. Give a table", ()),
        ("plain", TABLE + "a,1,2,\n", "no value in it, the first is a", ()),
        ("plain", TABLE + "a,1,2,3\n", "leave out --as-of", ("--as-of", "2024-01-01")),
        ("kmeans", "customer_id,recency_days\na,1\n", "has no column clv, p_purchase", ()),
        ("plain", "word\nx\n", "no column looks like customer_id", ()),
        ("no model", "customer_id\na\n", "has no model. Run its engine again", ()),
        ("queued", "customer_id\na\n", "is queued; only a finished run has a model", ()),
        (99, "customer_id\na\n", "There is no run 99", ()),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_sentence(run, text, words, options, segmentry, filled, tmp_path):
    (tmp_path / "input.csv").write_text(text)
    done = segmentry("predict", filled[1].get(run, run), "--input", "input.csv", *options, code=2)
    assert words in done.stderr
    assert done.stderr.count("Error: ") == 1
    assert done.stdout == ""


def test_an_input_that_is_no_table_is_refused(segmentry, filled, tmp_path):
    (tmp_path / "model.skops").write_bytes(b"PK")
    assert "cannot be read" in segmentry("predict", filled[1]["rfm"], "--input", "model.skops", code=2).stderr
    assert "There is no file" in segmentry("predict", filled[1]["rfm"], "--input", "no.csv", code=2).stderr
    assert (
        "must end in .csv"
        in segmentry("predict", filled[1]["rfm"], "--input", "no.csv", "--output", "labels.pkl", code=2).stderr
    )


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (pickle.dumps({"a": 1}), "is a pickle"),
        (b"PK\x03\x04", "was cut off"),
        (bytes(67_108_865), "67,108,865 bytes where 67,108,864 are allowed"),
    ],
)
def test_a_hostile_model_in_the_database_is_refused(model, words, segmentry, filled, tmp_path):
    with sqlite3.connect(tmp_path / "segmentry.db") as connection:
        connection.execute("update runs set model_digest = null where id = ?", (filled[1]["plain"],))
        connection.execute("insert into run_models values (?, 1, ?)", (filled[1]["plain"], model))
    connection.close()
    assert words in segmentry("predict", filled[1]["plain"], "--input", "cdnow-sample", code=2).stderr
