"""The comparison: which runs, what is marked best, and what the page answers through its callbacks."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.comparison import compare, cross_table, differing_settings, feature_space, metric_rows, space_words
from dashboard.frames import FrameCache
from dashboard.pages import compare as page
from dashboard.services import Services
from engines.errors import InputError
from storage.contract import NotFoundError
from tests.dashboard import shop
from tests.dashboard.test_app import callback

DRAWN = [
    "compare-lead.children",
    "compare-table.children",
    *(f"compare-{name}.figure" for name in ("sizes", "revenue", "agreement")),
    *(f"compare-{name}.{prop}" for name in ("one", "other") for prop in ("options", "value")),
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    settings = shop.config(tmp_path_factory.mktemp("compare"))
    store = shop.opened(settings)
    ids = shop.fill(store, settings)
    with TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1") as client:
        yield Services(settings, store, FrameCache(store)), client, ids
    store.close()


def test_agreement_is_the_adjusted_rand_index(desk):
    services, _, ids = desk
    chosen = [ids["rfm"], ids["kmeans"], ids["hierarchical"]]
    found = compare(services.frames, chosen)
    labels = [services.store.labels(run_id).to_numpy() for run_id in chosen]
    expected = [[adjusted_rand_score(a, b) for b in labels] for a in labels]
    np.testing.assert_allclose(found.agreement, expected, atol=1e-12)


def test_cross_table_counts_everyone_once(desk):
    services, _, ids = desk
    one, other = services.frames.get(ids["rfm"]), services.frames.get(ids["kmeans"])
    table = cross_table(one, other)
    assert table.sum() == 400
    assert table.sum(axis=1).tolist() == [segment.customers for segment in one.segments]
    assert table.sum(axis=0).tolist() == [segment.customers for segment in other.segments]


def test_what_cannot_be_compared(desk):
    services, _, ids = desk
    with pytest.raises(InputError, match="2 to 6"):
        compare(services.frames, [ids["rfm"]])
    with pytest.raises(InputError, match="same customers"):
        compare(services.frames, [ids["rfm"], ids["toys"]])
    with pytest.raises(NotFoundError, match="failed"):
        compare(services.frames, [ids["rfm"], ids["failed"]])


def test_best_is_marked_within_one_feature_space_only(desk):
    services, _, ids = desk
    kmeans, hierarchical, rfm = (services.store.run(ids[name]) for name in ("kmeans", "hierarchical", "rfm"))
    assert feature_space(kmeans) == feature_space(hierarchical) != feature_space(rfm)
    assert space_words(kmeans) == "recency_days, frequency, monetary · log1p"
    runs = [
        replace(
            kmeans, metrics={"silhouette": 0.4, "davies_bouldin": 0.9, "balance": 0.5, "inertia": 10.0, "own": 1.0}
        ),
        replace(hierarchical, metrics={"silhouette": 0.5, "davies_bouldin": 0.8, "balance": None, "inertia": 9.0}),
        replace(rfm, metrics={"silhouette": 0.9, "davies_bouldin": 0.1, "balance": 0.7}),
    ]
    rows = {row.name: row for row in metric_rows(runs)}
    assert (rows["silhouette"].best, rows["silhouette"].one_space) == ({1}, False)  # 0.9 is in another space
    assert rows["davies_bouldin"].best == {1}  # lower is better
    assert (rows["balance"].best, rows["balance"].one_space) == ({2}, True)
    assert rows["inertia"].best == {1}
    assert (rows["own"].title, rows["own"].better, rows["own"].best) == ("Own", "", set())
    other_k = replace(runs[1], settings={**runs[1].settings, "k": 5})
    assert {row.name: row for row in metric_rows([runs[0], other_k])}["inertia"].best == set()


def test_equal_settings_are_not_shown(desk):
    services, _, ids = desk
    kmeans = services.store.run(ids["kmeans"])
    other = replace(kmeans, settings={**kmeans.settings, "k": 7})
    assert differing_settings([kmeans, other]) == [("k", (4, 7))]


def test_begins_with_the_latest_of_each_engine(desk):
    services, _, ids = desk
    text = json.dumps(
        page.layout(services, run=str(ids["kmeans"])).to_plotly_json(), default=lambda item: item.to_plotly_json()
    )
    assert f'"value": [{ids["rfm"]}, {ids["kmeans"]}, {ids["hierarchical"]}]' in text
    named = page.layout(services, run=str(ids["kmeans"]), **{"with": [str(ids["rfm"]), str(ids["hierarchical"])]})
    assert f"value=[{ids['rfm']}, {ids['hierarchical']}]" in str(named)


def test_one_run_has_nothing_to_compare_with(desk):
    services, _, ids = desk
    assert "needs two finished runs" in str(page.layout(services, run=str(ids["toys"])))


def test_draws_what_is_chosen(desk):
    _, client, ids = desk
    chosen = [ids["hierarchical"], ids["rfm"]]
    state = [("compare-one.value", None), ("compare-other.value", None)]
    answer = callback(client, DRAWN, [("compare-runs.value", chosen), ("theme.data", "dark")], state)
    assert answer.status_code == 200, answer.text
    drawn = answer.json()["response"]
    assert drawn["compare-lead"]["children"].startswith(
        "RFM and Hierarchical k=4 agree with an adjusted Rand index of "
    )
    assert (drawn["compare-one"]["value"], drawn["compare-other"]["value"]) == (
        str(ids["rfm"]),
        str(ids["hierarchical"]),
    )
    bars = drawn["compare-sizes"]["figure"]["data"]
    assert {name for bar in bars for name in bar["y"]} == {"RFM", "Hierarchical k=4"}
    cells = json.dumps(drawn["compare-table"])
    assert "within one feature space only" in cells
    assert "Silhouette" in cells
    few = callback(client, DRAWN, [("compare-runs.value", chosen[:1]), ("theme.data", "light")], state)
    assert few.json()["response"] == {"compare-lead": {"children": "Choose 2 to 6 runs to compare."}}


def test_the_choice_is_in_the_address(desk):
    _, client, ids = desk

    def address(chosen, search):
        asked = [("compare-runs.value", chosen)], [("url.search", search)]
        answer = callback(client, ["compare-remembered.data"], *asked).json()
        return answer.get("sideUpdate", {}).get("url", {}).get("search")

    def chosen(search, before):
        answer = callback(client, ["compare-runs.value"], [("url.search", search)], [("compare-runs.value", before)])
        return answer.json()["response"]["compare-runs"]["value"] if answer.json()["response"] else None

    here = f"?run={ids['rfm']}&country=C%C3%B4te"
    two = f"&with={ids['rfm']}&with={ids['kmeans']}"
    all_three = [ids["rfm"], ids["kmeans"], ids["hierarchical"]]
    assert address(all_three[1::-1], here) == here + two
    assert address(all_three[:2], here + two) is None
    assert address(all_three, here + two) == here
    assert address(all_three, here) is None  # what is chosen without a word is not spelt out
    assert chosen(here, all_three[:2]) == all_three
    assert chosen(here + two, all_three) == all_three[:2]
    assert chosen(here + two, all_three[:2]) is None


def test_cross_table_of_two_runs(desk):
    _, client, ids = desk
    asked = [
        ("compare-one.value", str(ids["rfm"])),
        ("compare-other.value", str(ids["kmeans"])),
        ("theme.data", "light"),
    ]
    figure = callback(client, ["compare-cross.figure"], asked).json()["response"]["compare-cross"]["figure"]
    assert figure["layout"]["yaxis"]["title"]["text"] == "RFM"
    asked[1] = ("compare-other.value", str(ids["rfm"]))
    same = callback(client, ["compare-cross.figure"], asked).json()["response"]["compare-cross"]["figure"]
    assert same["layout"]["annotations"][0]["text"] == "Choose two different runs."
