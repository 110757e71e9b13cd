"""The command line as a user calls it: a real process, a real database file, exit codes and streams."""

import gzip
import json
import os
import re
import sqlite3
import subprocess
import sys

import click
import pandas as pd
import pytest

from dashboard.cli import main
from tests.conftest import ROOT
from tests.dashboard.calling import HEAD, SHOP, stored

COMMAND = [sys.executable, "-W", "ignore", "-m", "dashboard.cli"]


@pytest.mark.slow
def test_a_real_process(tmp_path):
    def call(*words):
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [*COMMAND, *words], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=600
        )

    (tmp_path / "shop.csv").write_text(SHOP, encoding="utf-8")
    done = call("run", "shop.csv", "--engine", "rfm", "--json")
    assert (done.returncode, json.loads(done.stdout)["snapshot"]["customers"]) == (0, 4)
    assert "Reading and cleaning" in done.stderr
    refused = call("run", "nowhere.csv")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.count("Error: ") == 1 and "Traceback" not in refused.stderr


def test_run_prints_one_json_object(segmentry, tmp_path):
    (tmp_path / "shop.csv").write_text(SHOP, encoding="utf-8")
    done = segmentry("run", "shop.csv", "--k", "2", "--returns", "drop", "--json")
    result = json.loads(done.stdout, parse_constant=lambda text: pytest.fail(f"{text} is not JSON"))
    snapshot = result["snapshot"]
    assert (snapshot["name"], snapshot["as_of"], snapshot["customers"]) == ("shop.csv", "2024-02-12", 4)
    ledger = snapshot["ledger"]
    assert ledger["in"] == {"lines": 8, "orders": 8, "customers": 4, "revenue": 117.0}
    assert ledger["out"] == {"lines": 5, "orders": 5, "customers": 4, "revenue": 115.5}
    rules = {item["rule"]: (item["lines"], item["revenue"]) for item in ledger["rules"] if item["lines"]}
    assert rules == {"missing_customer_id": (1, 4.0), "cancellation": (1, -2.5), "non_positive_price": (1, 0.0)}
    assert {item["rule"]: item["lines"] for item in ledger["notes"]}["unknown_country"] == 1
    assert [run["engine"] for run in result["runs"]] == ["rfm", "kmeans", "gmm", "hierarchical"]
    for run in result["runs"]:
        assert run["k"] == (None if run["engine"] == "rfm" else 2)
        assert run["seed"] in (0, None)
        assert sum(item["customers"] for item in run["segments"]) == 4
        assert sum(item["revenue_share"] for item in run["segments"]) == pytest.approx(1)
        assert len({item["name"] for item in run["segments"]}) == len(run["segments"])
        assert any(item["action"] for item in run["segments"])  # a neutral name has none
    assert "ignored" in done.stderr and "RFM" in done.stderr


def test_the_ledger_and_the_segments_for_people(cdnow_folder):
    printed = (cdnow_folder / "printed.txt").read_text(encoding="utf-8")
    for text in ("2,357 customers", "Ledger", "6,919", "Champions", "run 1", "run 2", "k = 3"):
        assert text in printed


@pytest.mark.slow
def test_same_source_same_snapshot(segmentry, tmp_path):
    (tmp_path / "shop.csv").write_text(SHOP, encoding="utf-8")

    def snapshot(*words):
        return json.loads(segmentry("run", "shop.csv", *words, "--json").stdout)["snapshot"]

    first, again = snapshot("--engine", "rfm"), snapshot("--engine", "kmeans", "--k", "2")
    earlier = snapshot("--engine", "rfm", "--as-of", "2024-02-11")
    assert first["id"] == again["id"] != earlier["id"]
    assert earlier["as_of"] == "2024-02-11"


def test_the_seed_reproduces_and_the_order_of_lines_does_not_matter(segmentry, tmp_path):
    head, *lines = SHOP.splitlines()
    (tmp_path / "a.csv").write_text(SHOP, encoding="utf-8")
    with gzip.open(tmp_path / "b.csv.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join([head, *reversed(lines)]))
    for number, name in enumerate(("a.csv", "b.csv.gz"), start=1):
        segmentry("run", name, "--engine", "kmeans", "--k", "2", "--seed", "7")
        segmentry("export", number, "--output", f"{number}.csv")
    one, two = (pd.read_csv(tmp_path / f"{number}.csv") for number in (1, 2))
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet"])
def test_export(segmentry, cdnow, tmp_path, suffix):
    done = segmentry("export", "1", "--output", f"list.{suffix}", "--json")
    assert json.loads(done.stdout)["customers"] == 2357
    file = tmp_path / f"list.{suffix}"
    if suffix == "csv":
        frame = pd.read_csv(file, dtype={"customer_id": str})
    elif suffix == "parquet":
        frame = pd.read_parquet(file)
    else:
        import fastexcel

        frame = fastexcel.read_excel(file).load_sheet(0).to_pandas()
    needed = ["customer_id", "segment", "recency_days", "frequency", "monetary", "clv", "country"]
    assert list(frame.columns[: len(needed)]) == needed
    assert len(frame) == 2357
    assert "Champions" in set(frame["segment"])
    with sqlite3.connect(cdnow) as connection:
        independent = dict(
            connection.execute(
                "select s.name, count(*) from labels l join segments s "
                "on s.run_id = l.run_id and s.key = l.segment_key where l.run_id = 1 group by s.name"
            )
        )
    assert frame["segment"].value_counts().to_dict() == independent


def test_listings(segmentry, tmp_path):
    (tmp_path / "shop.csv").write_text(SHOP, encoding="utf-8")
    engines = json.loads(segmentry("engines", "--json").stdout)
    assert [item["name"] for item in engines][:4] == ["rfm", "kmeans", "gmm", "hierarchical"]
    assert all(item["error"] is None and item["summary"] and item["origin"] for item in engines[:4])
    assert {knob["name"] for knob in engines[1]["knobs"]} >= {"k", "seed"}
    assert json.loads(segmentry("runs", "--json").stdout) == []
    assert "No runs yet" in segmentry("runs").stdout
    segmentry("run", "shop.csv", "--engine", "rfm", "--name", "Mine")
    (run,) = json.loads(segmentry("runs", "--json").stdout)
    assert (run["dataset"], run["engine"], run["state"]) == ("Mine", "rfm", "done")
    assert "Mine" in segmentry("runs").stdout
    assert "RFM" in segmentry("engines").stdout


ALIKE = "\n".join([HEAD, *(f"{n},A,BAG,1,2024-01-0{1 + n % 2} 10:00:00,2.50,{n},Italy" for n in range(6))])


def test_one_engine_of_several_fails(segmentry, tmp_path):
    (tmp_path / "alike.csv").write_text(ALIKE, encoding="utf-8")  # six customers, two kinds: there are no three groups
    done = segmentry("run", "alike.csv", "--engine", "rfm", "--engine", "kmeans", "--k", "3", "--json", code=1)
    rfm, kmeans = json.loads(done.stdout)["runs"]
    assert (rfm["state"], kmeans["state"], kmeans["segments"]) == ("done", "failed", [])
    assert "K-means" in kmeans["error"] and kmeans["error"] in done.stderr
    assert [run["state"] for run in json.loads(segmentry("runs", "--json").stdout)] == ["failed", "done"]
    segmentry("run", "alike.csv", "--name", "alone", "--engine", "kmeans", "--k", "3", code=2)
    assert len(json.loads(segmentry("runs", "--json").stdout)) == 2


BAD = {
    "empty": ("", [], "empty"),
    "header": (HEAD + "\n", [], "no lines"),
    "column": ("a,b\n1,2\n", [], "customer_id"),
    "mapped": (SHOP, ["--map", "country=Land"], "Land"),
    "field": (SHOP, ["--map", "land=Country"], "land"),
    # one such line would be set aside; most of the lines are not
    "quantity": (re.sub(r",[139],2024", ",nine,2024", SHOP), [], "quantity"),
    "date": (SHOP.replace("2024-02-", "someday "), [], "someday"),
    "one": (HEAD + "\n1,A,BAG,1,2024-01-05 10:00:00,2.5,7,X\n", [], "2 customers"),
    "k": (SHOP, ["--k", "5"], "k = 5"),
    "engine": (SHOP, ["--engine", "magic"], "magic"),
    "as_of": (SHOP, ["--as-of", "2020-01-01"], "2020-01-01"),
    "as_of_text": (SHOP, ["--as-of", "soon"], "soon"),
    "config": (SHOP, ["--config", "none.toml"], "none.toml"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_stores_nothing(segmentry, tmp_path, case):
    text, words, named = BAD[case]
    (tmp_path / "shop.csv").write_text(text, encoding="utf-8")
    done = segmentry("run", "shop.csv", "--json", *words, code=2)
    assert done.stdout == ""
    assert named in done.stderr
    assert stored(tmp_path) == 0


def test_bad_files(segmentry, tmp_path):
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "broken.csv.gz").write_bytes(gzip.compress(SHOP.encode())[:60])
    (tmp_path / "fake.xlsx").write_text("not a workbook", encoding="utf-8")
    (tmp_path / "fake.parquet").write_text("not parquet", encoding="utf-8")
    for name in ("binary.csv", "broken.csv.gz", "fake.xlsx", "fake.parquet", "nowhere.csv", "."):
        assert name in segmentry("run", name, code=2).stderr
    assert stored(tmp_path) == 0


def test_an_unreachable_database(segmentry, tmp_path):
    url = "postgresql://someone:hunter2@127.0.0.1:9/none"
    done = segmentry("runs", code=2, DATABASE_URL=url)
    assert "127.0.0.1" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout
    (tmp_path / "not.db").write_text("this is a text file and not a database at all " * 40, encoding="utf-8")
    assert "not.db" in segmentry("runs", code=2, DATABASE_URL="sqlite:///not.db").stderr


@pytest.mark.slow
def test_an_object_store_that_cannot_be_used(segmentry, tmp_path):
    assert "of the kind 'ftp'" in segmentry("runs", code=2, SEGMENTRY_OBJECTS_URL="ftp://host").stderr
    done = segmentry("runs", code=2, SEGMENTRY_OBJECTS_URL="s3://someone:hunter2@bucket")
    assert "Keys come from the environment" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout
    (tmp_path / "taken").write_text("", encoding="utf-8")
    refused = segmentry("run", "cdnow-sample", "--engine", "rfm", code=2, SEGMENTRY_OBJECTS_URL="taken").stderr
    assert "taken cannot be used: Not a directory" in refused


def test_no_such_run(segmentry, tmp_path):
    assert "99" in segmentry("export", "99", "--output", "list.csv", code=2).stderr
    assert not (tmp_path / "list.csv").exists()
    assert "list.pdf" in segmentry("export", "1", "--output", "list.pdf", code=2).stderr


def test_off_loopback_needs_a_password(segmentry):
    environ = {"SEGMENTRY_PASSWORD": ""}
    assert "SEGMENTRY_PASSWORD" in segmentry("serve", "--host", "0.0.0.0", code=2, **environ).stderr


@pytest.mark.slow
def test_demo_twice_duplicates_nothing(segmentry, tmp_path):
    (tmp_path / "small.toml").write_text('[engines]\nuse = ["rfm"]\n', encoding="utf-8")
    segmentry("demo", "--no-serve", "--config", "small.toml")
    before = stored(tmp_path)
    segmentry("demo", "--no-serve", "--config", "small.toml")
    assert stored(tmp_path) == before == 4


@pytest.mark.slow
def test_worker_finishes_what_is_queued(segmentry, tmp_path):
    from datetime import UTC, datetime

    from storage import open_store

    segmentry("run", "cdnow-sample", "--engine", "rfm")
    store = open_store(f"sqlite:///{tmp_path / 'segmentry.db'}", clock=lambda: datetime.now(UTC))
    queued = store.queue_run(1, "kmeans", {"k": 3, "seed": 1})
    broken = store.queue_run(1, "kmeans", {"k": 3, "colour": "red"})
    segmentry("worker", "--drain")
    assert store.run(queued.id).state == "done"
    assert len(store.labels(queued.id)) == 2357
    assert store.run(broken.id).state == "failed"
    assert "colour" in (store.run(broken.id).error or "")
    store.close()


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from click.testing import CliRunner; from dashboard.cli import main\n"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0\n"
        "heavy = ('numpy', 'pandas', 'lifetimes', 'sqlalchemy', 'plotly', 'ibis', 'duckdb', 'dash', 'sklearn')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.strip() == "[]"


def test_every_command_has_help():
    for name, command in main.commands.items():
        assert command.help and command.help.strip().endswith("."), name
        assert all(item.help for item in command.params if isinstance(item, click.Option)), name
