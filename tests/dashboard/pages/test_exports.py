"""The page of exports, and the window of export choices."""

import json
from urllib.parse import parse_qsl, urlsplit

import dash
import pytest
from plotly.utils import PlotlyJSONEncoder
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.components import ids
from dashboard.frames.cache import FrameCache
from dashboard.pages.exports import page
from dashboard.pages.segments import dialogs
from dashboard.services import Services
from engines.errors import InputError
from storage.contract import Selection
from storage.contract.exports import ControlGroup
from tests.dashboard import shop
from tests.dashboard.answering import answering
from tests.dashboard.headless import callback_of
from tests.storage.samples import exported, unpublish

LONG = "Names that are typed in with great care " * 4


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    settings = shop.config(tmp_path_factory.mktemp("exports"))
    store = shop.opened(settings)
    yield Services(settings, store, FrameCache(store)), shop.fill_rfm(store, settings)
    store.close()


def drawn(services, **query):
    return json.dumps(page.layout(services, **query).to_plotly_json(), cls=PlotlyJSONEncoder)


def test_from_nothing_to_a_list_of_exports(services):
    made, runs = services
    store = made.store
    assert "Nothing has been exported yet" in drawn(made)
    whole = store.begin_export(
        runs["rfm"],
        "country=Germany&min_clv=20",
        format="csv",
        user=LONG,
        columns=["customer_id", "clv"],
        control=ControlGroup(0.1, 7, "campaign"),
        about={"list": "customers", "query": "columns=customer_id&columns=clv&control=0.1&seed=7&part=campaign"},
    )
    store.end_export(whole.id, rows=1234, size=56_789, sha256="0123456789abcdef" * 4)
    text = drawn(made)
    for seen in (
        *("Germany", "CLV ≥ £20.00", "1,234", "CSV", "56.8", "01234567", "0123456789abcdef" * 4),
        *("10.0", "left out of the list, seed 7", "10 Dec 2011", "RFM", LONG, "customer_id, clv"),
        *(f"/api/v1/exports/{whole.id}/manifest", f"/?run={runs['rfm']}&country=Germany&min_clv=20"),
        f"/api/v1/runs/{runs['rfm']}/export.csv?country=Germany&min_clv=20&{whole.about['query']}",
    ):
        assert seen in text or json.dumps(seen)[1:-1] in text, seen
    assert "Broken off" not in text
    cut = store.begin_export(runs["rfm"], "", format="xlsx")
    assert "Not finished" in drawn(made)
    store.end_export(cut.id, rows=3, size=9, sha256=None)
    assert "Broken off" in drawn(made)
    assert "Everyone" in drawn(made)


def test_an_export_outlasts_its_run(services):
    made, runs = services
    exported(made.store, runs["toys"])
    assert "Run deleted" not in drawn(made)
    unpublish(made.store)
    made.store.delete_run(runs["toys"])
    text = drawn(made)
    assert "Run deleted" in text
    assert f"runs/{runs['toys']}/export" not in text


def test_the_list_goes_on_page_by_page(services, monkeypatch):
    made, runs = services
    for _ in range(3):
        exported(made.store, runs["rfm"])
    newest = made.store.exports()
    monkeypatch.setattr(page, "PAGE_SIZE", 2)
    text = drawn(made, run=str(runs["rfm"]))
    assert f"/exports?before={newest[1].id}&run={runs['rfm']}" in text
    assert "Newest" not in text
    assert f"exports/{newest[2].id}/manifest" not in text
    text = drawn(made, before=str(newest[1].id))
    assert f"exports/{newest[2].id}/manifest" in text
    assert "Newest" in text
    assert "no earlier exports" in drawn(made, before="1")
    with pytest.raises(InputError, match="before must be"):
        page.layout(made, before="1; drop table")


def test_movers_are_on_record_as_what_they_are(services):
    made, runs = services
    with (
        answering(made.config, made.store),
        TestClient(create_app(made.config, made.store, environ={}), base_url="http://127.0.0.1/api/v1/") as client,
    ):
        answer = client.get(f"runs/{runs['rfm']}/movers.csv?since={runs['early']}")
        assert answer.status_code == 200
        slip = client.get(f"exports/{made.store.exports(limit=1)[0].id}/manifest").json()
        assert slip["list"] == "movers"
        assert client.get("http://127.0.0.1" + slip["again"]).content == answer.content
    assert "Customers that changed segment" in drawn(made)


def test_the_window_offers_the_columns_of_the_run(services):
    made, runs = services
    app = dash.Dash("choices", suppress_callback_exceptions=True)
    app.layout = dash.html.Div([dash.dcc.Location(id=ids.LOCATION), dialogs.export_dialog(), dialogs.export_entry()])
    dialogs.register_export(app, made, "drawn", "export", "table")
    client = app.server.test_client()
    values = {
        "segments-choices-open.n_clicks": 1,
        "drawn.data": {"run": runs["rfm"]},
        "segments-choices-ticked.value": ["clv", "x"],
    }
    shown = callback_of(client, "segments-choices.is_open", values, "segments-choices-open.n_clicks").json["response"]
    assert shown["segments-choices"]["is_open"] is True
    names = [option["value"] for option in shown["segments-choices-ticked"]["options"]]
    store_has = made.store.stream(runs["rfm"], Selection()).schema.names
    assert sorted(names) == sorted(store_has)
    assert names[:3] == ["customer_id", "segment", "recency_days"]
    assert shown["segments-choices-ticked"]["value"] == ["clv"]
    closed = callback_of(client, "segments-choices.is_open", values, "segments-choices-close.n_clicks").json["response"]
    assert closed == {"segments-choices": {"is_open": False}}


def test_the_address_again_is_one_that_the_api_takes(services):
    from dashboard.exports.choices import Choices
    from dashboard.exports.manifest import repeat_url

    made, runs = services
    group = ControlGroup(0.1, 7, "campaign")
    export = made.store.begin_export(
        runs["rfm"],
        "country=Germany&min_clv=20",
        format="csv",
        control=group,
        about={"list": "customers", "query": "columns=customer_id&columns=clv&control=0.1&seed=7&part=campaign"},
    )
    pairs = parse_qsl(urlsplit(repeat_url(export)).query)
    assert Choices.from_query(pairs) == Choices(("customer_id", "clv"), group)
    assert Selection.from_query(pairs) == Selection(countries=("Germany",), bounds={"clv": (20.0, None)})
