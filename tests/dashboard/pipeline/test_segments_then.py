"""One number for a segment and a date: who went where, and sizes from date to date, agree with the runs themselves."""

from __future__ import annotations

import csv
import random
from datetime import date, timedelta

import pytest

from dashboard.config import load_config
from dashboard.pipeline.migrate import between_dates, between_runs, compute_migration
from dashboard.pipeline.run import run_sales
from dashboard.pipeline.sales import SalesRequest
from dashboard.pipeline.segments_then import dates_of, history_for_job, history_question, segments_then
from storage import open_store
from storage.contract import Job
from tests.dashboard import shop
from tests.prepared import prepared
from tests.quick import QUICK

LAST = date(2024, 1, 1)
pytestmark = pytest.mark.slow  # six runs of whole sales


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A store with runs of two engines on one file of sales, at its end and at two random earlier dates."""
    folder = tmp_path_factory.mktemp("then")
    draw = random.Random(5)
    with (folder / "sales.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["customer_id", "date", "order_id", "amount"])
        for number in range(1500):
            day = LAST - timedelta(days=1 + int(draw.triangular(0, 700, 200)))
            customer = f"c{int(draw.paretovariate(0.7)) % 220:03d}"
            writer.writerow([customer, day, f"o{number}", f"{draw.lognormvariate(3, 0.8):.2f}"])
    config = load_config(environ={}).replace(**QUICK, database={"url": f"sqlite:///{folder / 'shop.db'}"})
    store = open_store(prepared(config.database.url), clock=lambda: shop.NOW)
    days = sorted(LAST - timedelta(days=draw.randrange(30, 300)) for _ in range(2))
    runs = {}
    for day in (*days, LAST):
        request = SalesRequest(str(folder / "sales.csv"), engines=("rfm", "kmeans"), as_of=day, name="Shop")
        for run in run_sales(request, config, store).runs:
            runs[run.engine, day] = run.id
    yield store, config, runs, days
    store.close()


def totals(run) -> dict[str, int]:
    return {item.known_by: item.customers for item in run.segments}


@pytest.mark.parametrize("engine", ["rfm", "kmeans"])
def test_from_run_to_run_both_dates_are_those_of_the_segments_page(desk, engine):
    store, config, runs, days = desk
    for start, end in ((days[0], days[1]), (days[0], LAST), (days[1], LAST)):
        early, late = store.run(runs[engine, start]), store.run(runs[engine, end])
        found = compute_migration(between_runs(early.id, late.id, store), config, store)
        assert found.by == "runs"
        moves = found.migration
        assert sorted(moves.customers[:-1].sum(axis=1).tolist()) == sorted(totals(early).values())
        names = [item.name for item in late.segments]
        assert dict(zip(moves.columns[:-1], moves.customers[:, :-1].sum(axis=0).tolist(), strict=True)) == {
            item.name: item.customers for item in late.segments
        }
        assert list(moves.columns[:-1]) == names


@pytest.mark.parametrize("engine", ["rfm", "kmeans"])
def test_between_days_the_runs_own_date_is_that_of_its_segments(desk, engine):
    store, config, runs, days = desk
    late = store.run(runs[engine, LAST])
    found = compute_migration(between_dates(late.id, days[0], LAST, store), config, store)
    assert found.by == {"rfm": "rule", "kmeans": "model"}[engine]
    after = found.migration.customers[:, : len(late.segments)].sum(axis=0).tolist()
    assert after == [item.customers for item in late.segments]


def test_a_rule_at_an_earlier_date_is_the_run_of_that_date(desk):
    store, config, runs, days = desk
    late = store.run(runs["rfm", LAST])
    for day, side in segments_then(late, days, config, store).items():
        labels = store.labels(runs["rfm", day])
        assert side.labels.sort_index().equals(labels.sort_index())
        assert all(item.name for item in side.segments)


@pytest.mark.parametrize("engine", ["rfm", "kmeans"])
def test_segments_from_date_to_date_end_with_the_run(desk, engine):
    store, config, runs, _ = desk
    run = store.run(runs[engine, LAST])
    question = history_question(run, store, config)
    assert question is not None
    job = question.ask(store)
    assert isinstance(job, Job)
    history = question.read(history_for_job(job, config, store, lambda stage, share: None))
    assert history.dates == tuple(dates_of(run, store))
    assert history.dates[-1] == LAST
    last = dict(zip((item.known_by for item in history.segments), history.customers[:, -1].tolist(), strict=True))
    assert {known: size for known, size in last.items() if size} == totals(run)
    everyone = history.customers.sum(axis=0)
    assert (everyone[1:] >= everyone[:-1]).all(), "whoever has bought stays a customer"
    # under another name it is the same line
    item = run.segments[0]
    store.edit_segment(run.id, item.key, revision=item.revision, name="Anew")
    named = history_question(store.run(run.id), store, config).read(
        history_for_job(job, config, store, lambda s, p: None)
    )
    assert [each.known_by for each in named.segments] == [each.known_by for each in history.segments]
    assert "Anew" in [each.name for each in named.segments]


def test_the_frozen_model_of_the_timeline_has_no_names_of_the_playbook(desk):
    store, config, runs, _ = desk
    named = store.run(runs["kmeans", LAST]).info["drift"]["segments"]
    assert named
    assert not {item["name"] for item in named} & {play.name for play in config.plays}
