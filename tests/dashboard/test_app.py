"""The whole application: everything behind the door, pages and callbacks at work, nothing loaded from elsewhere."""

import base64
import hashlib
import re
from pathlib import Path

import httpx2
import pytest
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.pages import PAGES
from dashboard.queries.which_run import address, best_run, context, first_run, picked_run, run_labels
from engines.errors import InputError
from tests.dashboard import shop
from tests.dashboard.headless import KEY, PASSWORD, callback
from tests.serving import serving


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    settings = shop.config(tmp_path_factory.mktemp("app"))
    store = shop.opened(settings)
    yield settings, store, shop.fill(store, settings)
    store.close()


@pytest.fixture(scope="module")
def app(desk):
    return create_app(desk[0], desk[1], environ=PASSWORD)


@pytest.fixture(scope="module")
def client(app):
    with TestClient(app, base_url="http://segmentry.example") as made:
        yield made


def routes(app, prefix=""):
    for route in app.routes:
        if isinstance(route, Mount) and getattr(route, "routes", None):
            yield from routes(route, prefix + route.path)
        elif isinstance(route, Route):
            yield from ((method, prefix + route.path) for method in route.methods or ())


def concrete(path):
    return re.sub(r"{[^}]*}|<[^>]*>", "1", path)


def test_every_route_is_closed(app, client):
    inside = list(routes(app.app))
    assert ("GET", "/api/v1/runs/{run_id}/customers") in inside
    pages = app.app.routes[-1].app.app  # the Flask server below the WSGI bridge
    inside += [(method, str(rule)) for rule in pages.url_map.iter_rules() for method in rule.methods or ()]
    assert any("_dash-update-component" in path for _, path in inside)
    tried = {(method, concrete(path)) for method, path in inside if path != "/health"}
    assert len(tried) > 30
    for method, path in tried:
        assert client.request(method, path).status_code == 401, (method, path)


def test_the_key_opens_everything(client):
    for path in (
        "/",
        "/compare",
        "/assets/base.css",
        "/vendor/bootstrap.min.css",
        "/vendor/countries.geojson",
        "/_dash-layout",
        "/api/v1/runs",
    ):
        assert client.get(path, headers=KEY).status_code == 200, path


def test_health_says_that_it_lives(client):
    assert client.get("/health").json() == {"status": "ok"}


def test_refuses_to_be_open_to_the_network(desk):
    settings, store, _ = desk
    with pytest.raises(InputError, match="SEGMENTRY_PASSWORD"):
        create_app(settings.replace(server={"host": "0.0.0.0"}), store, environ={})


def test_open_on_this_machine_says_so(desk, caplog):
    with caplog.at_level("INFO", logger="segmentry"):
        app = create_app(desk[0], desk[1], environ={})
    assert "open, without a password" in caplog.text
    with TestClient(app, base_url="http://127.0.0.1:8050") as here:
        assert here.get("/").status_code == 200
        assert here.get("/", headers={"Host": "evil.example"}).status_code == 403


def test_nothing_is_loaded_from_elsewhere(client):
    text = client.get("/", headers=KEY).text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert "/vendor/bootstrap.min.css" in " ".join(loaded)
    assert len(loaded) > 10
    assert all(link.startswith("/") and not link.startswith("//") for link in loaded)
    for link in loaded:
        assert client.get(link, headers=KEY).status_code == 200, link


def test_theme_is_set_before_anything_is_painted(client):
    text = client.get("/", headers=KEY).text
    assert text.index("/assets/theme.js") < text.index("bootstrap.min.css") < text.index("<body>")
    assert text.count("theme.js") == 1


def test_inline_scripts_are_those_of_the_policy(client):
    answer = client.get("/", headers=KEY)
    policy = answer.headers["content-security-policy"]
    inline = re.findall(
        r"<script(?: id=\"_dash-renderer\" type=\"application/javascript\")?>(.*?)</script>", answer.text, re.S
    )
    assert inline
    for script in inline:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_bootstrap_is_the_real_one(client):
    css = client.get("/vendor/bootstrap.min.css", headers=KEY)
    assert "Bootstrap  v5.3" in css.text[:200]
    assert "max-age" in css.headers["cache-control"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.TITLE)
def test_pages_draw(client, desk, page):
    outputs = ["_pages_content.children", "_pages_store.data"]
    for search in ("", f"?run={desk[2]['kmeans']}", "?run=1&services=x&page=y&run_id=3&self=1"):
        answer = callback(
            client, outputs, [("_pages_location.pathname", page.PATH), ("_pages_location.search", search)]
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["response"]["_pages_store"]["data"] == {"title": f"{page.TITLE} · Segmentry"}


@pytest.mark.parametrize(
    ("search", "said"), [("?run=999", "999"), ("?run=abc", "abc"), ("?run=1&run=2", "number of a run")]
)
def test_an_address_that_leads_nowhere_says_why(client, search, said):
    outputs = ["_pages_content.children", "_pages_store.data"]
    answer = callback(client, outputs, [("_pages_location.pathname", "/compare"), ("_pages_location.search", search)])
    assert answer.status_code == 200
    assert said in answer.text


def test_pages_before_anything_is_loaded(tmp_path):
    settings = shop.config(tmp_path)
    store = shop.opened(settings)
    outputs = ["_pages_content.children", "_pages_store.data"]
    with TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1") as empty:
        for page in PAGES:
            answer = callback(empty, outputs, [("_pages_location.pathname", page.PATH), ("_pages_location.search", "")])
            assert answer.status_code == 200, answer.text
        filled = callback(empty, PICKERS, [("shell-run.data", None)])
    store.close()
    assert filled.json()["response"]["context-run"] == {"options": [], "value": None, "disabled": True}


def test_two_applications_in_one_process_keep_apart(desk, tmp_path):
    settings = shop.config(tmp_path)
    store = shop.opened(settings)
    full = TestClient(create_app(desk[0], desk[1], environ={}), base_url="http://127.0.0.1")
    empty = TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1")
    outputs = ["_pages_content.children", "_pages_store.data"]
    asked = [("_pages_location.pathname", "/runs"), ("_pages_location.search", "")]
    assert "No runs yet" in callback(empty, outputs, asked).text
    assert "No runs yet" not in callback(full, outputs, asked).text
    store.close()


def test_unknown_pages(client):
    answer = client.get("/nothing", headers=KEY)
    assert answer.status_code == 404
    assert (
        "There is no such page"
        in callback(
            client,
            ["_pages_content.children", "_pages_store.data"],
            [("_pages_location.pathname", "/nothing"), ("_pages_location.search", "")],
        ).text
    )


# --- pickers --------------------------------------------------------------------------------------------------------

PICKERS = [
    *(f"context-{name}.{prop}" for name in ("dataset", "snapshot", "run") for prop in ("options", "value", "disabled")),
    "shell-synthetic.hidden",
    "shell-shown-run.data",
]


def test_pickers_show_the_run_of_the_address(client, desk):
    ids = desk[2]
    filled = callback(client, PICKERS, [("shell-run.data", str(ids["hierarchical"]))]).json()["response"]
    assert filled["context-dataset"]["value"] == "shop"
    assert [option["label"] for option in filled["context-dataset"]["options"]] == ["Shop", "Toys"]
    assert [option["label"] for option in filled["context-snapshot"]["options"]] == ["10 Dec 2011", "1 Nov 2011"]
    assert filled["context-run"]["value"] == str(ids["hierarchical"])
    labels = {option["label"] for option in filled["context-run"]["options"]}
    assert labels == {"RFM", "K-means k=4", "Hierarchical k=4"}
    assert filled["shell-synthetic"]["hidden"] is True
    toys = callback(client, PICKERS, [("shell-run.data", str(ids["toys"]))]).json()["response"]
    assert toys["shell-synthetic"]["hidden"] is False


def turn(client, search, dataset, snapshot, run):
    inputs = [("context-dataset.value", dataset), ("context-snapshot.value", snapshot), ("context-run.value", run)]
    return callback(client, ["shell-go.data"], inputs, [("url.search", search)])


def test_turning_a_picker_leads_on(client, desk):
    _, store, ids = desk
    late, early = (str(store.run(ids[name]).snapshot_id) for name in ("rfm", "early"))
    here = f"?run={ids['rfm']}&country=France&segment=Champions"
    assert turn(client, here, "shop", late, str(ids["rfm"])).status_code == 204
    to_kmeans = turn(client, here, "shop", late, str(ids["kmeans"])).json()["response"]["shell-go"]["data"]
    assert to_kmeans == f"?run={ids['kmeans']}&country=France"
    earlier = turn(client, here, "shop", early, str(ids["rfm"])).json()["response"]["shell-go"]["data"]
    assert earlier == f"?run={ids['early']}&country=France"
    other = turn(client, here, "toys", late, str(ids["rfm"])).json()["response"]["shell-go"]["data"]
    assert other == f"?run={ids['toys']}"


def test_begins_with_real_data(desk):
    settings, store, ids = desk
    assert first_run(store, settings).id == ids["rfm"]
    shown = context(store, settings, "999")
    assert (shown.run, shown.synthetic) == (str(ids["rfm"]), False)


def test_moves_to_the_same_engine_where_there_is_one(desk):
    settings, store, ids = desk
    hierarchical = store.run(ids["hierarchical"])
    late = str(hierarchical.snapshot_id)
    assert picked_run(store, settings, hierarchical, snapshot=late).id == ids["hierarchical"]
    assert picked_run(store, settings, hierarchical, dataset="toys").id == ids["toys"]
    done = store.runs(snapshot_id=hierarchical.snapshot_id, state="done")
    assert best_run(done, settings, like="nothing").engine == "rfm"


def test_labels_tell_equal_runs_apart(desk):
    run = desk[1].run(desk[2]["kmeans"])
    assert run_labels([run], {"kmeans": "K-means"}) == ["K-means k=4"]
    assert run_labels([run, run], {}) == [f"kmeans k=4 #{run.id}"] * 2


def test_address_keeps_what_still_means_something(desk):
    _, store, ids = desk
    rfm, kmeans, early, toys = (store.run(ids[name]) for name in ("rfm", "kmeans", "early", "toys"))
    search = f"?run={rfm.id}&with=1&segment=A&country=C%C3%B4te&min_clv=5&q="
    assert address(search, rfm, kmeans) == f"?run={kmeans.id}&with=1&country=C%C3%B4te&min_clv=5&q="
    assert address(search, rfm, early) == f"?run={early.id}&country=C%C3%B4te&min_clv=5&q="
    assert address(search, rfm, toys) == f"?run={toys.id}"


# --- as a server ----------------------------------------------------------------------------------------------------


def test_assets_say_what_they_are():
    folder = Path(__file__).parents[2] / "assets"
    told = (folder / "README.md").read_text()
    for path in folder.iterdir():
        assert path.name == "README.md" or f"`{path.name}`" in told, path.name


@pytest.mark.slow
def test_several_workers_answer_callbacks(tmp_path):
    settings = shop.config(tmp_path).replace(database={"url": f"sqlite:///{tmp_path / 'segmentry.db'}"})
    store = shop.opened(settings)
    ids = shop.fill(store, settings)
    store.close()
    with serving(tmp_path, "--workers", "2", SEGMENTRY_PASSWORD="open sesame") as url:
        seen = set()
        for _ in range(12):
            with httpx2.Client(base_url=url, headers=KEY) as one:  # a new connection may reach another worker
                answer = callback(one, PICKERS, [("shell-run.data", str(ids["kmeans"]))])
                assert answer.status_code == 200, answer.text
                seen.add(answer.json()["response"]["context-run"]["value"])
                assert one.get(f"/api/v1/runs/{ids['kmeans']}").json()["engine"] == "kmeans"
        assert seen == {str(ids["kmeans"])}
        assert httpx2.get(url).status_code == 401
