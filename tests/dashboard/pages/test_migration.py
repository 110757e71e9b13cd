"""The Migration page and its API: between any two runs, and between dates of the past, on real stores."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.cli import main
from dashboard.figures.migration import sizes_of_runs
from dashboard.frames.cache import FrameCache
from dashboard.pages.migration import page as migration
from dashboard.pipeline.run import run_sales
from dashboard.pipeline.sales import SalesRequest
from dashboard.pipeline.series import series
from dashboard.services import Services
from tests.dashboard import shop
from tests.dashboard.answering import answering
from tests.dashboard.headless import callback, words
from tests.quick import QUICK


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Three snapshots of one data set with K-means, and half a year of sales with a timeline."""
    folder = tmp_path_factory.mktemp("migration")
    settings = shop.config(folder)
    store = shop.opened(settings)
    runs = []
    for number, day in enumerate((date(2011, 10, 1), date(2011, 11, 1), date(2011, 12, 1))):
        snapshot = store.save_snapshot(shop.new_snapshot("shop", day), shop.customers(300 + 50 * number, seed=number))
        runs.append(shop.run(store, settings, snapshot, "kmeans"))
    path, random = folder / "sales.csv", np.random.default_rng(0)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["customer_id", "order_date", "amount"])
        for _ in range(900):
            who, day = int(random.gamma(1.0, 40.0)), date(2024, 1, 1) + timedelta(days=int(random.integers(0, 170)))
            writer.writerow([f"=c{who}", day, round(5 + 20 * random.lognormal(), 2)])
    few = settings.replace(**QUICK)
    (past,) = run_sales(SalesRequest(str(path), ("kmeans",), k=3), few, store).runs
    services = Services(settings, store, FrameCache(store))
    app = create_app(settings, store, environ={})
    with TestClient(app, base_url="http://127.0.0.1") as client, answering(settings, store):
        yield services, client, runs, past.id, path
    store.close()


def chosen(component, name):
    """The options and the value of a picker, wherever it is in the page."""
    if getattr(component, "id", None) == name:
        return [item["value"] for item in component.options], component.value
    children = getattr(component, "children", None) or ()
    found = [chosen(child, name) for child in (children if isinstance(children, list | tuple) else [children])]
    return next((item for item in found if item), None)


def drawn(client, run, start, end):
    answer = callback(
        client,
        ["migration-result.children", "migration-tick.disabled", "migration-job.data"],
        [
            ("migration-from.value", start),
            ("migration-to.value", end),
            ("theme.data", "light"),
            ("migration-tick.n_intervals", None),
        ],
        [("migration-job.data", None), ("migration-run.data", run)],
    )
    assert answer.status_code == 200
    return json.dumps(answer.json(), ensure_ascii=False)


def over_time(client, run):
    """The lines of segments from date to date, once a worker has counted them."""
    outputs = ["migration-sizes.children", "migration-sizes-tick.disabled", "migration-sizes-job.data"]
    inputs = [("theme.data", "dark"), ("migration-sizes-tick.n_intervals", None)]
    for _ in range(120):  # each waits for the worker a while
        answer = callback(client, outputs, inputs, [("migration-sizes-job.data", None), ("migration-run.data", run)])
        assert answer.status_code == 200, answer.text
        if answer.json()["response"]["migration-sizes-tick"]["disabled"]:
            return json.dumps(answer.json(), ensure_ascii=False)
    raise AssertionError("no worker answered")


def test_any_two_runs_of_a_kind_can_be_chosen(desk):
    services, client, (first, second, third), _, _ = desk
    page = migration.layout(services, run=str(third))
    starts, start = chosen(page, "migration-from")
    assert (starts, start) == ([f"run-{first}", f"run-{second}"], f"run-{second}")
    assert chosen(page, "migration-to") == ([f"run-{third}"], f"run-{third}")
    named = migration.layout(services, **{"run": str(third), "from": f"run-{first}", "to": f"run-{second}"})
    assert chosen(named, "migration-from")[1] == f"run-{first}"
    assert chosen(named, "migration-to") == ([f"run-{second}", f"run-{third}"], f"run-{second}")
    # from the first run one looks ahead
    assert chosen(migration.layout(services, run=str(first)), "migration-to")[1] == f"run-{second}"

    offered = callback(
        client,
        ["migration-to.options", "migration-to.value"],
        [("migration-from.value", f"run-{first}")],
        [("migration-to.value", f"run-{third}"), ("migration-run.data", third)],
    ).json()["response"]["migration-to"]
    assert [item["value"] for item in offered["options"]] == [f"run-{second}", f"run-{third}"]
    assert offered["value"] == f"run-{third}"
    text = drawn(client, third, f"run-{first}", f"run-{second}")
    assert "From 1 Oct 2011 to 1 Nov 2011" in text
    assert f"/api/v1/runs/{second}/movers.csv?since={first}" in text
    assert f"from=run-{first}&to=run-{second}" in text


def test_the_api_and_the_file_of_movers_say_what_the_labels_say(desk):
    services, client, (first, _, third), _, _ = desk
    found = client.get(f"/api/v1/runs/{third}/migration", params={"since": first}).json()
    before, after = services.store.labels(first), services.store.labels(third)
    assert sum(map(sum, found["customers"])) == len(before.index.union(after.index)) == 400
    assert found["known"] == 300
    names = [{item.key: item.name for item in services.store.run(number).segments} for number in (first, third)]
    moved = sum(names[0][before[who]] != names[1][after[who]] for who in before.index)
    assert found["known"] - found["stayed"] == moved
    assert found["movers"] == moved + 100
    assert sum(flow["net"] for flow in found["net_flows"]) == 100
    assert set(found["rows"][:-1]) & set(found["columns"][:-1]), "names are kept by alignment"

    file = client.get(f"/api/v1/runs/{third}/movers.csv", params={"since": first})
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert len(rows) == found["movers"]
    assert "attachment" in file.headers["content-disposition"]
    assert not any(row["customer_id"].startswith(("=", "@", "-")) for row in rows), "no formulas"
    assert {row["from_segment"] for row in rows} <= {*found["rows"]}
    spent = services.store.snapshot_customers(services.store.run(third).snapshot_id).monetary.sum()
    assert sum(map(sum, found["money"])) == pytest.approx(spent)


def test_the_command_says_the_same(desk, tmp_path):
    services, client, (first, _, third), past, _ = desk

    def call(*words, code=0):
        environ = {"DATABASE_URL": services.config.database.url, "COLUMNS": "200"}
        done = CliRunner(env=environ).invoke(main, ["migration", *map(str, words)])
        assert done.exit_code == code, done.stderr
        return done

    told = client.get(f"/api/v1/runs/{third}/migration", params={"since": first}).json()
    file = tmp_path / "movers.csv"
    done = call(third, first, "--json", "--export", file)
    assert json.loads(done.stdout) == told
    assert done.stderr.startswith(f"{told['movers']} movers written to ")
    sent = client.get(f"/api/v1/runs/{third}/movers.csv", params={"since": first})
    assert file.read_bytes() == sent.content
    by_command, by_api = (services.store.exports()[place] for place in (1, 0))
    assert (by_command.about["list"], by_command.about["query"]) == (by_api.about["list"], by_api.about["query"])
    text = call(first, third).stdout
    assert "from 2011-10-01 to 2011-12-01" in text and "100 are new, 0 gone" in text
    flow = told["net_flows"][0]
    assert f"{flow['net']:+,}" in text and f"{flow['money_net']:+,.2f}" in text
    days = call(past, "--from", "2024-04-01", "--to", "2024-05-01", "--json")
    assert json.loads(days.stdout)["from"] == "2024-04-01"
    for kind in ("xlsx", "parquet"):
        call(first, third, "--export", tmp_path / f"movers.{kind}")
    assert len(pd.read_parquet(tmp_path / "movers.parquet")) == told["movers"]
    assert "Name another run" in call(third, code=2).stderr
    assert "not both" in call(third, first, "--from", "2024-04-01", code=2).stderr
    assert "different data sets" in call(third, past, code=2).stderr
    assert "movers.txt" in call(third, first, "--export", "movers.txt", code=2).stderr
    assert call(999, first, code=2).stderr.startswith("Error: ")


def test_segments_over_time_are_those_of_the_runs_where_there_is_no_timeline(desk):
    services, client, runs, _, _ = desk
    run = services.store.run(runs[0])
    data = sizes_of_runs(series(services.store, run.dataset, run.engine))
    assert data.dates.astype(str).tolist() == ["2011-10-01", "2011-11-01", "2011-12-01"]
    assert data.customers.sum(axis=0).tolist() == [300, 350, 400]
    for place, number in enumerate(runs):
        spent = services.store.snapshot_customers(services.store.run(number).snapshot_id).monetary.sum()
        assert data.revenue[:, place].sum() == pytest.approx(spent)
    said = over_time(client, runs[2])
    assert "Spent so far by segment" in said and "Each date by its own run." in said


def test_dates_of_the_past_are_worked_out_again_from_the_sales(desk):
    services, client, _, past, path = desk
    page = migration.layout(services, run=str(past))
    starts, start = chosen(page, "migration-from")
    ends, end = chosen(page, "migration-to")
    assert (starts[0], start) == ("2024-04-01", "2024-04-01")
    assert ends == ["2024-05-01", "2024-06-01", end] and starts == ["2024-04-01", *ends[:-1]]
    assert "From 1 Apr 2024 to" in drawn(client, past, start, end)
    found = client.get(f"/api/v1/runs/{past}/migration", params={"from": start, "to": end}).json()
    points = {point.as_of: point for point in services.store.drift(past)}
    recent, ever = points[end].customers, sum(map(sum, found["customers"]))
    assert 0 < recent < ever, "the timeline is of its windows, migration of everyone so far"
    said = over_time(client, past)
    assert "Spent so far by segment" in said
    by = {"rule": "by the rule of this run", "model": "by the model of this run"}
    assert by[found["by"]] in said and by[found["by"]] in drawn(client, past, start, end)
    assert found["customers"][-1], "whoever came since is new"
    now = {item.name: item.customers for item in services.store.run(past).segments}
    after = dict(zip(found["columns"], map(sum, zip(*found["customers"], strict=True)), strict=True))
    assert {name: size for name, size in after.items() if size and name != "Gone"} == now, "as on the segments page"

    def refused(**query):
        answer = client.get(f"/api/v1/runs/{past}/migration", params=query)
        assert answer.status_code in (400, 404, 422)
        return json.dumps(answer.json(), ensure_ascii=False)

    assert "before the second" in refused(**{"from": end, "to": start})
    assert "since=RUN" in refused()
    assert "known up to" in refused(**{"from": start, "to": "2030-01-01"})
    assert "different data sets" in refused(since=1)
    assert "Choose two runs, or two dates" in drawn(client, past, start, "run-1")
    path.unlink()
    asked = {"from": "2024-05-01", "to": end}
    assert client.get(f"/api/v1/runs/{past}/migration", params=asked).status_code == 200, "its sales are kept"
    (kept,) = path.parent.rglob("*/sales/*")
    kept.unlink()
    assert "are missing in" in refused(**{"from": "2024-04-01", "to": "2024-06-01"})


def test_a_run_without_an_earlier_date_says_so(desk):
    services, *_ = desk
    alone = services.store.save_snapshot(shop.new_snapshot("alone", date(2011, 10, 1)), shop.customers(50, seed=9))
    number = shop.run(services.store, services.config, alone, "rfm")
    assert "has no earlier date" in words(migration.layout(services, run=str(number)))
