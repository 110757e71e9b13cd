"""The comparison: which runs, what is marked best, and what the page answers through its callbacks."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.frames.cache import FrameCache
from dashboard.pages.compare import page
from dashboard.queries.comparison import (
    aligned_segments,
    compare,
    comparison_rows,
    cross_table,
    differing_settings,
    feature_space,
    memory_meaning,
    metric_rows,
    places,
    revenue_capture,
    space_words,
    value_text,
)
from dashboard.queries.disagreement import default_segments, disagreement
from dashboard.services import Services
from engines.errors import InputError
from storage.contract import NotFoundError
from tests.dashboard import shop
from tests.dashboard.headless import callback

DRAWN = [
    "compare-lead.children",
    "compare-body.children",
    *(f"compare-{name}.{prop}" for name in ("one", "other") for prop in ("options", "value")),
]
PAIR = [
    "compare-pair.children",
    *(f"compare-{name}.{prop}" for name in ("from", "to") for prop in ("options", "value")),
]
PICKERS = ("one", "other", "from", "to")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    settings = shop.config(tmp_path_factory.mktemp("compare"))
    store = shop.opened(settings)
    ids = shop.fill(store, settings)
    with TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1") as client:
        yield Services(settings, store, FrameCache(store)), client, ids
    store.close()


def test_agreement_is_that_of_scikit_learn(desk):
    services, _, ids = desk
    chosen = [ids["rfm"], ids["kmeans"], ids["hierarchical"]]
    found = compare(services.frames, chosen)
    labels = [services.store.labels(run_id).to_numpy() for run_id in chosen]
    np.testing.assert_allclose(found.ari, [[adjusted_rand_score(a, b) for b in labels] for a in labels], atol=1e-12)
    expected = [[adjusted_mutual_info_score(a, b) for b in labels] for a in labels]
    np.testing.assert_allclose(found.ami, expected, atol=1e-9)


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
    graphs = {item["id"]: item for item in walked(drawn["compare-body"]["children"]) if "figure" in item}
    assert {name for bar in graphs["compare-customers"]["figure"]["data"] for name in bar["y"]} == {
        "RFM",
        "Hierarchical k=4",
    }
    planes = [graphs[f"compare-plane-{ids[name]}"]["figure"]["layout"] for name in ("rfm", "hierarchical")]
    assert planes[0]["xaxis"] == planes[1]["xaxis"]
    assert "of the variance" in planes[0]["xaxis"]["title"]["text"]
    text = json.dumps(drawn["compare-body"])
    for words in (
        "within one feature space only",
        "Silhouette",
        "Show as table",
        "All 400 customers",
        "Not weighed, as no run has it: stability.",
    ):
        assert words in text, words
    assert "older than this figure" in text  # the shop's runs have no peak memory, and say why
    files = {item["href"] for item in walked(drawn["compare-body"]["children"]) if "href" in item}
    assert all(client.get(href).status_code == 200 for href in files)
    few = callback(client, DRAWN, [("compare-runs.value", chosen[:1]), ("theme.data", "light")], state)
    assert few.json()["response"] == {"compare-lead": {"children": "Choose 2 to 6 runs to compare."}}


def walked(part):
    """The properties of all components of an answer."""
    if isinstance(part, list):
        for item in part:
            yield from walked(item)
    elif isinstance(part, dict) and "props" in part:
        yield part["props"]
        yield from walked(part["props"].get("children"))


def test_the_choice_is_in_the_address(desk):
    services, client, ids = desk
    all_three = [ids["rfm"], ids["kmeans"], ids["hierarchical"]]
    first, second = services.frames.get(ids["rfm"]), services.frames.get(ids["kmeans"])
    usual_segments = default_segments(first, second)
    start = [str(ids["rfm"]), str(ids["kmeans"]), *usual_segments]

    def address(chosen, pickers, search):
        values = [(f"compare-{name}.value", value) for name, value in zip(PICKERS, pickers, strict=True)]
        asked = [("compare-runs.value", chosen), *values], [("url.search", search)]
        answer = callback(client, ["compare-remembered.data"], *asked).json()
        return answer.get("sideUpdate", {}).get("url", {}).get("search")

    here = f"?run={ids['rfm']}&country=C%C3%B4te"
    two = f"&with={ids['rfm']}&with={ids['kmeans']}"
    assert address(all_three[1::-1], start, here) == here + two
    assert address(all_three[:2], start, here + two) is None
    assert address(all_three, start, here + two) == here
    assert address(all_three, start, here) is None  # what is chosen without a word is not spelt out
    last = first.segments[-1].name
    there = address(all_three, [str(ids["hierarchical"]), str(ids["rfm"]), "", last], here)
    assert f"rows={ids['hierarchical']}" in there
    assert "columns=" not in there  # the first of the others, as usual
    shown = page.layout(services, run=str(ids["rfm"]), rows=str(ids["hierarchical"]), to=usual_segments[1])
    assert f"value='{ids['hierarchical']}'" in str(shown)


def test_the_address_is_followed(desk):
    services, client, ids = desk
    all_three = [ids["rfm"], ids["kmeans"], ids["hierarchical"]]
    start = [
        str(ids["rfm"]),
        str(ids["kmeans"]),
        *default_segments(*(services.frames.get(run) for run in all_three[:2])),
    ]
    names = ["compare-runs.value", *(f"compare-{name}.value" for name in PICKERS)]

    def followed(search, chosen, pickers):
        state = list(zip(names, [chosen, *pickers], strict=True))
        outputs = json.loads(client.get("/_dash-dependencies").text)
        recall = next(item for item in outputs if item["output"].startswith("..compare-runs.value@"))
        outs = [
            dict(zip(("id", "property"), text.rsplit(".", 1), strict=True))
            for text in recall["output"].strip(".").split("...")
        ]
        body = {
            "output": recall["output"],
            "outputs": outs,
            "inputs": [{"id": "url", "property": "search", "value": search}],
            "state": [
                dict(zip(("id", "property"), name.rsplit(".", 1), strict=True), value=value) for name, value in state
            ],
            "changedPropIds": ["url.search"],
        }
        answer = client.post("/_dash-update-component", json=body)
        return {} if answer.status_code == 204 else answer.json()["response"]

    here = f"?run={ids['rfm']}"
    assert followed(here, all_three, start) == {}
    assert followed(here, all_three[:2], start) == {"compare-runs": {"value": all_three}}
    found = followed(f"{here}&rows={ids['hierarchical']}", all_three, start)
    assert found["compare-one"]["value"] == str(ids["hierarchical"])


def test_a_pair_of_runs(desk):
    services, client, ids = desk
    asked = [
        ("compare-one.value", str(ids["rfm"])),
        ("compare-other.value", str(ids["kmeans"])),
        ("theme.data", "light"),
    ]
    state = [("compare-from.value", None), ("compare-to.value", None)]
    drawn = callback(client, PAIR, asked, state).json()["response"]
    cross, sankey = (item["figure"] for item in walked(drawn["compare-pair"]["children"]) if "figure" in item)
    assert cross["layout"]["yaxis"]["title"]["text"] == "RFM"
    assert sankey["data"][0]["type"] == "sankey"
    one, other = services.frames.get(ids["rfm"]), services.frames.get(ids["kmeans"])
    assert len(sankey["data"][0]["node"]["label"]) == len(one.segments) + len(other.segments)
    assert drawn["compare-from"]["value"] == "Champions"
    asked[1] = ("compare-other.value", str(ids["rfm"]))
    same = callback(client, PAIR, asked, state).json()["response"]
    assert "Choose two different runs." in json.dumps(same)


def test_disagreements_are_counted_and_listed(desk):
    services, client, ids = desk
    one, other = services.frames.get(ids["rfm"]), services.frames.get(ids["kmeans"])
    table = cross_table(one, other)
    row, column = np.unravel_index(np.argmax(table), table.shape)
    segment, elsewhere = one.segments[row].name, other.segments[column].name
    asked = [("compare-from.value", segment), ("compare-to.value", elsewhere)]
    state = [("compare-one.value", str(ids["rfm"])), ("compare-other.value", str(ids["kmeans"]))]
    shown = json.dumps(callback(client, ["compare-rows.children"], asked, state).json())
    assert f"{table[row, column]} customers, who have spent" in shown
    found = disagreement(services.frames, [ids["rfm"], ids["kmeans"]], segment, elsewhere)
    both = (one.segment_codes == row) & (other.segment_codes == column)
    assert found.revenue == pytest.approx(one.values("monetary")[both].sum())
    listed = found.reader().read_all()
    assert listed["customer_id"].to_pylist() == sorted(one.customers.ids.filter(pa.array(both)).to_pylist())
    spent = found.top_spenders(3)["monetary"].to_pylist()
    assert spent == sorted(listed["monetary"].to_pylist(), reverse=True)[:3]
    empty = np.argwhere(table == 0)
    if len(empty):
        names = one.segments[empty[0][0]].name, other.segments[empty[0][1]].name
        nobody = callback(
            client, ["compare-rows.children"], [(n, v) for (n, _), v in zip(asked, names, strict=True)], state
        )
        assert "Nobody is in" in nobody.text
    with pytest.raises(InputError, match="has no segment 'Nobodies'"):
        disagreement(services.frames, [ids["rfm"], ids["kmeans"]], "Nobodies")


def test_segments_are_aligned_to_the_run_with_most_of_them(desk):
    services, _, ids = desk
    frames = [services.frames.get(ids[name]) for name in ("kmeans", "rfm", "hierarchical")]
    found = aligned_segments(frames)
    assert found.reference == 1
    assert len(found.rows) == len(frames[1].segments)
    for place, frame in enumerate(frames):
        named = [row[place].segment.name for row in found.rows if row[place] is not None]
        assert sorted(named) == sorted(item.name for item in frame.segments)  # each once, none lost
        table = cross_table(frames[1], frame)
        rows, columns = linear_sum_assignment(-table)
        shared = sum(
            row[place].shared * table[at].sum() for at, row in enumerate(found.rows) if row[place] and place != 1
        )
        assert place == 1 or shared == pytest.approx(table[rows, columns].sum())


def test_places_on_the_plane_are_those_of_everyone(desk):
    services, _, ids = desk
    frame = services.frames.get(ids["rfm"])
    few, all_of_them = places(frame, 50), places(frame, 400)
    assert (len(few.drawn), few.total) == (50, 400)
    at = np.searchsorted(all_of_them.drawn, few.drawn)
    np.testing.assert_allclose(few.places, all_of_them.places[at])
    np.testing.assert_array_equal(few.drawn, places(services.frames.get(ids["kmeans"]), 50).drawn)


def test_later_revenue_says_why_it_is_missing(desk):
    services, _, ids = desk
    run = services.store.run(ids["rfm"])
    assert "too short" in revenue_capture(run).why
    noted = replace(run, notes=("There is no holdout revenue and no drift timeline: gone.",))
    assert revenue_capture(noted).why == noted.notes[0]
    old = replace(run, metrics={**run.metrics, "holdout_revenue": 0.6})
    assert (revenue_capture(old).top, revenue_capture(old).customers) == (0.6, ())
    assert "before curves" in revenue_capture(old).why
    new = replace(
        old,
        info={
            "holdout_curve": {"customers": [0, 0.5, 1], "revenue": [0, 0.8, 1]},
            "memory": {"peak": 3 << 20, "before": 1 << 20},
        },
    )
    assert (revenue_capture(new).revenue, revenue_capture(new).why) == ((0, 0.8, 1), "")
    rows = {row.name: row for row in comparison_rows([new, old])}
    assert value_text(rows["memory"], rows["memory"].values[0]) == "3\u00a0MB"
    assert "2 MB of it new" in memory_meaning(new)
    assert rows["memory"].best == set(), "one alone is not the best"
