"""Snapshots of the version before: they open with their numbers and a sentence, and are read again with one click."""

import hashlib
import json
import shutil
from datetime import date

import pandas as pd
import pytest
from sqlalchemy import MetaData, Table, select, update
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.frames.cache import FrameCache
from dashboard.frames.filters import read_view
from dashboard.pages.migration import page as migration_page
from dashboard.pages.run import page as run_page
from dashboard.pages.segments.view import draw_parts
from dashboard.pipeline.run import run_again, run_sales
from dashboard.pipeline.sales import SalesRequest
from dashboard.pipeline.series import earlier_runs, run_before, under_other_rules
from dashboard.queries.audiences import save, sizes
from dashboard.queries.insights import insights_of
from dashboard.services import Services
from engines.errors import InputError
from engines.settings import RULES_VERSION
from storage import open_store
from storage.contract import NOBODY, Selection
from storage.migrations import downgrade
from storage.sql.database import Database
from tests.dashboard import shop
from tests.dashboard.answering import answering, worked
from tests.dashboard.headless import KEY, words

EARLY, LATE = date(1998, 4, 1), date(1998, 7, 1)
ENGINES = ("rfm", "kmeans")


def as_the_version_before(url, before):
    """The tables and rows of a store as the version before the rules were kept had them."""
    database = Database(url)
    downgrade(database, before)
    with database.begin() as connection:
        table = Table("snapshots", MetaData(), autoload_with=connection)
        for number, info, settings in connection.execute(select(table.c.id, table.c.info, table.c.settings)).all():
            info = {name: value for name, value in info.items() if name != "rules"}
            digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
            changed = update(table).where(table.c.id == number)
            connection.execute(changed.values(info=info, settings_digest=digest))
    database.close()


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """A store of the version before with two dates of the CDNOW sample, in a file that is there."""
    folder = tmp_path_factory.mktemp("before")
    settings = shop.config(folder)
    from engines.intake.sources.samples import EMBEDDED  # the file that lifetimes brings

    table = pd.read_csv(_cdnow(EMBEDDED["cdnow-sample"].file), sep=r"\s+", header=None, dtype=str)
    table.columns = ["customer_id", "sample", "order_date", "quantity", "amount"]
    table["order_date"] = pd.to_datetime(table["order_date"], format="%Y%m%d").dt.strftime("%Y-%m-%d")
    table.drop(columns="sample").to_csv(folder / "discs.csv", index=False)
    store = shop.opened(settings)
    for as_of in (EARLY, LATE):
        run_sales(SalesRequest(str(folder / "discs.csv"), ENGINES, k=3, as_of=as_of), settings, store)
    store.close()
    as_the_version_before(settings.database.url, "0018")
    return folder


def _cdnow(file):
    from importlib.util import find_spec
    from pathlib import Path

    return Path(find_spec("lifetimes").origin).parent / "datasets" / file


def reopened(settings):
    """The store of these settings as this version opens it, which brings its tables up to date."""
    return open_store(settings.database.url, clock=lambda: shop.NOW)


@pytest.fixture
def upgraded(before, tmp_path):
    """That store, opened by this version: its settings, the store, and the file of the sales."""
    folder = tmp_path / "shop"
    shutil.copytree(before, folder)
    settings = shop.config(folder)
    store = reopened(settings)
    yield settings, store, folder
    store.close()


def pressed(client, snapshot_id):
    """What comes of a click on the button of a snapshot."""
    parts = {part: {"snapshot": snapshot_id, "type": f"read-again-{part}"} for part in ("leave", "refused", "button")}
    whole = [f'{{"snapshot":["MATCH"],"type":"read-again-{part}"}}' for part in ("leave", "refused")]
    body = {
        "output": f"..{whole[0]}.data...{whole[1]}.children..",
        "outputs": [{"id": parts["leave"], "property": "data"}, {"id": parts["refused"], "property": "children"}],
        "inputs": [{"id": parts["button"], "property": "n_clicks", "value": 1}],
        "state": [{"id": parts["button"], "property": "id", "value": parts["button"]}],
        "changedPropIds": [f'{{"snapshot":{snapshot_id},"type":"read-again-button"}}.n_clicks'],
    }
    answer = client.post("/_dash-update-component", json=body, headers=KEY)
    assert answer.status_code == 200, answer.text
    (address,) = [part["data"] for part in answer.json()["response"].values() if "data" in part]
    return address


@pytest.mark.slow
def test_the_old_snapshots_open_with_their_numbers_and_the_sentence(upgraded):
    settings, store, _ = upgraded
    late, early = store.snapshots()
    assert (late.rules, early.rules) == (1, 1) and "rules" not in late.info
    assert [run.rules for run in store.runs()] == [1] * 4
    services = Services(settings, store, FrameCache(store))
    run = store.runs(engine="kmeans")[0]
    assert (run.as_of, sum(item.customers for item in run.segments)) == (LATE, late.customers)
    # among themselves they are compared as ever
    assert [other.as_of for other in earlier_runs(store, run)] == [EARLY]
    assert under_other_rules(store, run) == []
    page = words(run_page.layout(services, run=str(run.id)))
    assert "This was read by earlier rules (version 1; today's is version 2)" in page
    assert "Read again under today's rules" in page
    shown = draw_parts(services, read_view(f"?run={run.id}"), Selection(), "light", None, ())
    assert "This was read by earlier rules" in words(shown["notice"])
    with TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1") as client:
        assert client.get(f"/api/v1/snapshots/{late.id}").json()["rules"] == 1
        assert client.get(f"/api/v1/runs/{run.id}").json()["rules"] == 1
        assert client.get("/", params={"run": run.id}).status_code == 200


@pytest.mark.slow
def test_nothing_follows_from_the_old_to_the_new(upgraded):
    settings, store, folder = upgraded
    old = store.runs(engine="kmeans")
    outcome = run_sales(SalesRequest(str(folder / "discs.csv"), ENGINES, k=3, as_of=LATE), settings, store)
    assert outcome.snapshot.rules == RULES_VERSION and outcome.snapshot.id not in {run.snapshot_id for run in old}
    new = outcome.runs[1]
    assert (new.engine, new.rules) == ("kmeans", RULES_VERSION)
    # no change, no mover, no alert
    assert earlier_runs(store, new) == []
    assert run_before(store, new.dataset, new.engine, new.settings, new.as_of) is None
    assert new.id not in store.live_points(new.dataset, new.engine)
    assert [alert for alert in store.alerts() if alert.run_id == new.id and alert.kind == "live"] == []
    services = Services(settings, store, FrameCache(store))
    assert all(item.kind != "growth" for item in insights_of(store, services.frames, new.id))
    # what is left out is said
    assert [other.as_of for other in under_other_rules(store, new)] == [EARLY]
    for page in (run_page, migration_page):
        shown = words(page.layout(services, run=str(new.id)))
        assert "1 other date of this data set were read by earlier rules" in shown
    audience = save(services, "Everyone", Selection(), new)
    counted = sizes(services, audience, last=new)
    assert ([size.run.rules for size in counted.counted], counted.other_rules) == ([RULES_VERSION], 1)
    with (
        TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1") as client,
        answering(settings, store),
    ):
        early = next(run for run in old if run.as_of == EARLY)
        between = client.get(f"/api/v1/runs/{new.id}/migration", params={"since": early.id}).json()
        assert between["note"].startswith("These were read by different rules (version 1 and version 2)")
        assert between["movers"] == 0
        movers = client.get(f"/api/v1/runs/{new.id}/movers.csv", params={"since": early.id})
        assert movers.status_code == 422 and "no list of movers" in movers.json()["error"]
        live = client.get(f"/api/v1/runs/{new.id}/drift").json()["live"]
        assert live == []


@pytest.mark.slow
@pytest.mark.parametrize("source", ["there", "gone"])
def test_one_click_reads_it_again(upgraded, source):
    settings, store, folder = upgraded
    settings = settings.replace(cleaning={"returns": "net"})
    if source == "gone":
        (folder / "discs.csv").unlink()  # then the kept sales are read
    late, early = store.snapshots()
    with TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1") as client:
        address = pressed(client, late.id)
        queued = [run for run in store.runs() if run.state == "queued"]
        assert address == "/new?started=" + ",".join(str(run.id) for run in reversed(queued))
        worked(settings, store)
        made = store.snapshots()[0]
        assert (made.rules, made.as_of, made.dataset) == (RULES_VERSION, LATE, late.dataset)
        assert (made.customers, made.settings["mapping"]) == (late.customers, late.settings["mapping"])
        assert made.settings["cleaning"]["returns"] == "net"
        runs = store.runs(snapshot_id=made.id)
        assert {(run.engine, run.k, run.state) for run in runs} == {("rfm", None, "done"), ("kmeans", 3, "done")}
        assert store.snapshot(late.id) == late  # the old one stays as it was
        # the API does the same for the other date, and then the two are compared again
        answer = client.post(f"/api/v1/snapshots/{early.id}/read-again")
        assert answer.status_code == 202 and len(answer.json()["runs"]) == 2
        worked(settings, store)
        run = next(run for run in runs if run.engine == "kmeans")
        assert [other.as_of for other in earlier_runs(store, run)] == [EARLY]
        assert under_other_rules(store, run) != []  # the old ones are still there, and said to be
        refused = client.post(f"/api/v1/snapshots/{made.id}/read-again")
        assert refused.status_code == 422 and "under today's rules already" in refused.json()["error"]


@pytest.mark.slow
def test_the_command_line_reads_it_again_at_once(upgraded):
    settings, store, _ = upgraded
    late = store.snapshots()[0]
    outcome = run_again(late.id, settings, store, NOBODY)
    assert (outcome.snapshot.rules, [run.state for run in outcome.runs]) == (RULES_VERSION, ["done", "done"])
    assert run_again(late.id, settings, store, NOBODY).snapshot.id == outcome.snapshot.id  # not twice


def test_without_source_and_kept_sales_it_says_so(tmp_path):
    settings = shop.config(tmp_path).replace(objects={"keep": False})
    store = shop.opened(settings)
    (tmp_path / "x.csv").write_text("customer_id,order_date,quantity,price\n1,2024-01-01,1,5\n2,2024-02-01,1,6\n")
    made = run_sales(SalesRequest(str(tmp_path / "x.csv"), ("rfm",)), settings, store).snapshot
    store.close()
    as_the_version_before(settings.database.url, "0018")
    (tmp_path / "x.csv").unlink()
    store = reopened(settings)
    page = words(run_page.layout(Services(settings, store, FrameCache(store)), run=str(store.runs()[0].id)))
    assert "were not kept" in page and "Read again under" not in page
    with pytest.raises(InputError, match="were not kept"):
        run_again(made.id, settings, store, NOBODY)
    store.close()
