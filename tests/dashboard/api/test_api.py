"""The REST API: the same answers as the pages, as JSON, and one sentence when something is wrong."""

import csv
import io
import json

import fastexcel
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from dashboard.api.answers import jsonable
from dashboard.api.selection import SELECTION_PARAMETERS
from dashboard.app import create_app
from dashboard.exports.choices import Choices
from storage.contract import Selection
from tests.dashboard import shop


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A client of the application on a filled store, the store, and the runs by name."""
    settings = shop.config(tmp_path_factory.mktemp("api"))
    store = shop.opened(settings)
    runs = shop.fill(store, settings)
    with TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1/api/v1") as client:
        yield client, store, runs
    store.close()


def get(desk, path, status=200, **params):
    answer = desk[0].get(path, params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


def no_constant(text):
    raise AssertionError(f"{text} is not JSON")


def test_engines_with_their_knobs(desk):
    found = {item["name"]: item for item in get(desk, "/engines")}
    assert {"rfm", "kmeans", "gmm", "hierarchical"} <= set(found)
    assert set(found["kmeans"]) == {"name", "title", "summary", "knobs", "origin", "error"}
    assert "k" in {knob["name"] for knob in found["kmeans"]["knobs"]}


def test_snapshots(desk):
    found = get(desk, "/snapshots")
    assert [(item["name"], item["as_of"], item["customers"]) for item in found] == [
        ("shop", "2011-12-10", 400),
        ("toys", "2011-12-10", 200),
        ("shop", "2011-11-01", 300),
    ]
    assert get(desk, f"/snapshots/{found[0]['id']}") == found[0]
    assert set(found[0]["ledger"]) == {"in", "rules", "notes", "out"}


def test_runs(desk):
    _, store, ids = desk
    found = {item["id"]: item for item in get(desk, "/runs")}
    assert set(found) == set(ids.values())
    assert found[ids["failed"]]["state"] == "failed"
    assert found[ids["failed"]]["error"].startswith("K-means: it did not work out")
    late = store.run(ids["kmeans"]).snapshot_id
    assert {item["snapshot"] for item in get(desk, "/runs", snapshot=late)} == {late}
    one = get(desk, f"/runs/{ids['kmeans']}")
    assert (one["k"], one["seed"], one["engine"], one["seconds"]) == (4, 0, "kmeans", 1.25)
    assert sum(item["customers"] for item in one["segments"]) == 400


def test_segments(desk):
    segments = get(desk, f"/runs/{desk[2]['rfm']}/segments")
    assert sum(item["customers"] for item in segments) == 400
    assert sum(item["revenue_share"] for item in segments) == pytest.approx(1)
    assert all(item["colour"].startswith("#") for item in segments)
    clv = shop.customers()["clv"].sum()
    assert sum(item["total_clv"] for item in segments) == pytest.approx(clv)
    assert {item["clv_range"] for item in segments} == {None}  # these customers came with their values


def test_customers_page_by_page(desk):
    path = f"/runs/{desk[2]['rfm']}/customers"
    everyone = []
    offset = 0
    while offset is not None:
        page = get(desk, path, limit=150, offset=offset)
        assert page["total"] == 400
        everyone += page["customers"]
        offset = page["next_offset"]
    ids = [row["customer_id"] for row in everyone]
    assert ids == sorted(shop.customers().index)
    table = shop.customers()
    row = everyone[ids.index("00010")]
    assert list(row)[:7] == ["customer_id", "segment", "recency_days", "frequency", "monetary", "clv", "country"]
    assert row["monetary"] == table.loc["00010", "monetary"]
    assert row["country"] == table.loc["00010", "country"]
    assert row["last_purchase"] == table.loc["00010", "last_purchase"].date().isoformat()
    assert everyone[ids.index("00007")]["clv"] is None


def test_selection_is_the_stores(desk):
    client, store, ids = desk
    params = [
        ("country", "Germany"),
        ("country", "France"),
        ("min_monetary", "50"),
        ("max_recency", "200"),
        ("min_clv", "5"),
    ]
    selection = Selection.from_query(params)
    page = client.get(f"/runs/{ids['kmeans']}/customers", params=params).json()
    assert 0 < page["total"] == store.count(ids["kmeans"], selection) < 400
    text = client.get(f"/runs/{ids['kmeans']}/export.csv", params=params).text
    exported = [row["customer_id"].removeprefix("'") for row in csv.DictReader(io.StringIO(text))]
    assert exported == [row["customer_id"] for row in page["customers"]]


def test_every_field_of_a_selection_is_a_parameter(desk):
    assert set(SELECTION_PARAMETERS) == set(Selection.parameters())
    written = {"min_share": "bags:0.25"}
    pairs = [(name, written.get(name, "1")) for name in SELECTION_PARAMETERS]
    assert dict(Selection.from_query(pairs).to_query()) == dict(pairs)
    documented = get(desk, "/openapi.json")["paths"]["/runs/{run_id}/customers"]["get"]["parameters"]
    assert set(SELECTION_PARAMETERS) <= {item["name"] for item in documented}


def test_a_drawn_shape_is_refused_instead_of_selecting_everyone(desk):
    answer = get(desk, f"/runs/{desk[2]['rfm']}/customers", 400, area="recency_days,frequency,1,1,5,1,5,9")
    assert "give a range of each column instead" in answer["error"]


def test_customers_have_the_columns_of_the_export(desk):
    client, _, ids = desk
    row = get(desk, f"/runs/{ids['rfm']}/customers", limit=1)["customers"][0]
    head = client.get(f"/runs/{ids['rfm']}/export.csv").text.partition("\n")[0].split(",")
    assert sorted(row) == sorted(head)
    whole = get(desk, f"/runs/{ids['rfm']}/customers", min_average_order_value="20")
    assert 0 < whole["total"] < 400
    assert all(item["average_order_value"] >= 20 for item in whole["customers"])


def test_exports_in_three_formats(desk):
    client, _, ids = desk
    path = f"/runs/{ids['rfm']}/export"
    answers = {kind: client.get(f"{path}.{kind}") for kind in ("csv", "xlsx", "parquet")}
    assert {answer.status_code for answer in answers.values()} == {200}
    names = [answer.headers["content-disposition"] for answer in answers.values()]
    assert names[0] == f'attachment; filename="shop-2011-12-10-rfm-run{ids["rfm"]}.csv"'
    rows = list(csv.DictReader(io.StringIO(answers["csv"].text)))
    assert list(rows[0])[:7] == ["customer_id", "segment", "recency_days", "frequency", "monetary", "clv", "country"]
    assert rows[0]["customer_id"] == "'-5"
    assert fastexcel.read_excel(answers["xlsx"].content).load_sheet(0).height == 400
    table = pq.read_table(io.BytesIO(answers["parquet"].content))
    assert table.num_rows == 400
    assert table["customer_id"].to_pylist()[0] == "-5"
    filtered = client.get(f"{path}.csv", params={"q": "0001"}).headers["content-disposition"]
    assert filtered.endswith('-selection.csv"')


def test_file_names_are_plain_whatever_the_data_set_is_called(desk):
    from dashboard.api.exports import _list_name

    run = desk[1].run(desk[2]["rfm"])
    for name, start in (('Käse "&\r\n/../x', "k-se-x"), ("客户", "customers")):
        object.__setattr__(run, "dataset", name)
        assert _list_name(run, Selection(), Choices(), "csv") == f"{start}-2011-12-10-rfm-run{run.id}.csv"


def test_drift(desk):
    found = get(desk, f"/runs/{desk[2]['kmeans']}/drift")
    assert found["threshold"] == 0.8
    assert [point["as_of"] for point in found["points"]] == ["2011-05-01", "2011-06-01", "2011-07-01"]
    assert found["points"][2]["moved_share"] is None
    assert get(desk, f"/runs/{desk[2]['rfm']}/drift")["points"] == []


def test_compare(desk):
    ids = desk[2]
    three = [ids["rfm"], ids["kmeans"], ids["hierarchical"]]
    found = get(desk, "/compare", run=three)
    assert found["customers"] == 400
    assert [run["id"] for run in found["runs"]] == three
    assert [(pair["a"], pair["b"]) for pair in found["agreement"]] == [
        tuple(three[:2]),
        (three[0], three[2]),
        tuple(three[1:]),
    ]
    assert all(-1 <= pair[index] < 1 for pair in found["agreement"] for index in ("ari", "ami"))
    assert found["sizes"]["reference"] == ids["rfm"]
    assert {row["name"] for row in found["metrics"]} >= {"silhouette", "balance"}
    assert set(found["recommendation"]["best"]) <= set(three)
    assert found["recommendation"]["headline"]
    assert [item["run"] for item in found["captured"]] == three


def test_customers_about_whom_two_runs_disagree(desk):
    client, store, ids = desk
    two = [ids["rfm"], ids["kmeans"]]
    found = get(desk, "/compare/customers", run=two, segment="Champions", limit=1)
    cross = found["cross"]
    row, column = cross["rows"].index("Champions"), cross["columns"].index(found["other"])
    assert found["total"] == cross["customers"][row][column]
    assert sum(map(sum, cross["customers"])) == 400
    most = max(range(len(cross["columns"])), key=lambda place: cross["customers"][row][place])
    asked = {"run": two, "segment": "Champions", "other": cross["columns"][most]}
    answer = client.get("/compare/customers.csv", params=asked)
    assert answer.headers["content-disposition"] == f'attachment; filename="disagreement-run{two[0]}-run{two[1]}.csv"'
    lines = answer.text.splitlines()
    assert lines[0].startswith("customer_id,segment,recency_days")
    assert len(lines) == 1 + cross["customers"][row][most]
    record = store.exports(limit=1)[0]
    assert (record.rows, record.format) == (len(lines) - 1, "csv")
    listed = get(desk, "/compare/customers", **asked, limit=10_000)["customers"]
    assert [item["customer_id"] for item in listed] == sorted(item["customer_id"] for item in listed)
    assert {item["other_segment"] for item in listed} == {cross["columns"][most]}
    assert client.get("/compare/customers", params={"run": two, "segment": "Nobodies"}).status_code == 422
    assert client.get("/compare/customers", params={"run": [*two, ids["hierarchical"]]}).status_code == 422


def test_parts_of_a_comparison_as_files(desk):
    client, _, ids = desk
    two = {"run": [ids["rfm"], ids["kmeans"]]}
    heads = {
        "metrics": "Figure,Better,RFM,K-means k=4",
        "sizes": "Row,Run,Segment,Customers,Share of customers,Share of revenue,Shared with the reference",
        "agreement": "Run,Other run,Adjusted Rand index,Adjusted mutual information",
        "cross": "RFM,K-means k=4,Customers,Share of the row,Spent so far",
        "captured": "Run,Share of customers,Share of later revenue,Note",
        "projection": "customer_id,First component,Second component,RFM,K-means k=4",
    }
    for name, head in heads.items():
        assert client.get(f"/compare/{name}.csv", params=two).text.splitlines()[0].replace('"', "") == head
    assert "'=1+1" in client.get("/compare/projection.csv", params=two).text  # a customer id that looks like a formula
    assert client.get("/compare/nothing.csv", params=two).status_code == 422


def test_queue_a_run(desk):
    client, store, ids = desk
    late = store.run(ids["rfm"]).snapshot_id
    answer = client.post("/runs", json={"snapshot": late, "engine": "kmeans", "settings": {"k": 5}})
    assert answer.status_code == 202
    run = answer.json()
    assert answer.headers["location"] == f"/api/v1/runs/{run['id']}"
    assert (run["state"], run["k"], run["seed"]) == ("queued", 5, 0)
    assert store.run(run["id"]).settings["k"] == 5
    store.delete_run(run["id"])


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"snapshot": 1, "engine": "magic"}, 422, "no engine 'magic'"),
        ({"snapshot": 1, "engine": "kmeans", "settings": {"k": 0}}, 422, "k = 0"),
        ({"snapshot": 1, "engine": "kmeans", "settings": {"speed": 1}}, 422, "speed"),
        ({"snapshot": 999, "engine": "kmeans"}, 404, "999"),
        ({"engine": "kmeans"}, 422, "snapshot"),
        ({"snapshot": "1", "engine": "kmeans"}, 422, "snapshot"),
        ({"snapshot": 1, "engine": "kmeans", "extra": 1}, 422, "extra"),
        ([], 422, ""),
    ],
)
def test_bad_runs_are_refused(desk, body, status, said):
    client, store, _ = desk
    before = len(store.runs())
    answer = client.post("/runs", json=body)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}
    assert said in answer.json()["error"]
    assert len(store.runs()) == before


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/runs/999", 404, "999"),
        ("/runs/999/customers", 404, "999"),
        ("/runs/999/export.csv", 404, "999"),
        ("/runs/999/drift", 404, "999"),
        ("/snapshots/999", 404, "999"),
        ("/runs?snapshot=999", 404, "999"),
        ("/runs/one", 422, "run_id"),
        ("/runs/{queued}/customers", 404, "queued"),
        ("/runs/{failed}/segments", 404, "failed"),
        ("/runs/{failed}/export.csv", 404, "failed"),
        ("/runs/{rfm}/export.pdf", 422, "csv"),
        ("/runs/{rfm}/customers?min_clv=lots", 422, "min_clv"),
        ("/runs/{rfm}/customers?min_clv=nan", 422, "min_clv"),
        ("/runs/{rfm}/customers?limit=0", 422, "limit"),
        ("/runs/{rfm}/customers?limit=1000000", 422, "limit"),
        ("/runs/{rfm}/customers?countries=France", 400, "'countries'"),
        ("/runs/{rfm}/export.csv?segmnet=Champions", 400, "'segmnet'"),
        ("/engines?x=1", 400, "'x'"),
        ("/compare?run={rfm}", 422, "2 to 6"),
        ("/compare?run={rfm}&run={rfm}", 422, "different"),
        ("/compare?run={rfm}&run={early}", 422, "same customers"),
        ("/compare?run={rfm}&run={queued}", 404, "queued"),
        ("/compare", 422, "run"),
        ("/nothing", 404, ""),
    ],
)
def test_errors_are_one_sentence(desk, path, status, said):
    client, _, ids = desk
    answer = client.get(path.format(**ids))
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    assert said in answer.json()["error"]


def test_wrong_method_and_unknown_version(desk):
    client = desk[0]
    assert client.delete("/runs").status_code == 405
    assert set(client.delete("/runs").json()) == {"error"}
    other = client.get("http://127.0.0.1/api/v2/runs")
    assert (other.status_code, set(other.json())) == (404, {"error"})


def test_numbers_are_numbers(desk):
    ids = desk[2]
    for path in ("/engines", "/snapshots", "/runs", f"/runs/{ids['rfm']}/customers", f"/runs/{ids['kmeans']}/drift"):
        json.loads(desk[0].get(path).text, parse_constant=no_constant)
    assert jsonable({"a": float("nan"), "b": [float("inf"), 1.5], "c": None}) == {
        "a": None,
        "b": [None, 1.5],
        "c": None,
    }


def test_a_lost_database_is_not_the_users_fault(tmp_path):
    settings = shop.config(tmp_path)
    store = shop.opened(settings)
    with TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1/api/v1") as client:
        assert client.get("/runs").json() == []
        (tmp_path / "shop.db").unlink()
        (tmp_path / "shop.db").write_bytes(b"not a database" * 1000)
        for leftover in tmp_path.glob("shop.db-*"):
            leftover.unlink()
        store.close()
        answer = client.get("/runs")
    store.close()
    assert answer.status_code == 503
    assert "shop.db" in answer.json()["error"]
