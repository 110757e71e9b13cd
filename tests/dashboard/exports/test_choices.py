"""A list as it is wanted: chosen columns, a control group drawn by lot, and the same file when asked for again."""

import asyncio
import csv
import hashlib
import io
import json
import re
from urllib.parse import parse_qsl

import fastexcel
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.exports.choices import Choices, lots, lowest
from engines.intake.schema.customers import read_customers
from storage.contract import Selection
from storage.contract.exports import ControlGroup
from tests.dashboard import shop

#: Lots of three ids under the seed 7.
GOLDEN = [16156829667284836387, 184605486417348027, 1855043520077525558]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    settings = shop.config(tmp_path_factory.mktemp("choices"))
    store = shop.opened(settings)
    yield store, settings, shop.fill_rfm(store, settings)
    store.close()


@pytest.fixture(scope="module")
def client(store):
    with TestClient(create_app(store[1], store[0], environ={}), base_url="http://127.0.0.1/api/v1/") as client:
        yield client


@pytest.fixture(scope="module")
def path(store):
    return f"runs/{store[2]['rfm']}/export"


def rows(answer):
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


# --- the draw ---------------------------------------------------------------------------------------------------------


def test_the_lots_are_the_same_for_ever():
    found = lots(pa.array(["17850", "=1+1", "ünï"]), 7)
    assert found.tolist() == GOLDEN
    assert lots(pa.array(["ünï"]), 7).tolist() == GOLDEN[2:]
    assert not set(lots(pa.array(["17850", "=1+1", "ünï"]), 8).tolist()) & set(GOLDEN)


@given(st.integers(0, 400), st.integers(1, 50), st.integers(0, 2**31 - 1))
def test_exactly_the_share_is_drawn(number, percent, seed):
    ids = pa.array([f"C{place}" for place in range(number)], pa.string())
    chosen = lowest(lots(ids, seed), percent / 100)
    assert len(chosen) == number
    assert chosen.sum() == int(percent / 100 * number + 0.5)


def test_equal_lots_fall_to_the_first():
    assert lowest(np.array([5, 5, 5, 1], np.uint64), 0.5).tolist() == [True, False, False, True]


def test_the_draw_is_even():
    """Of 20,000 customers a tenth; among any tenth of them by id, near a tenth."""
    chosen = lowest(lots(pa.array([f"{place:05d}" for place in range(20_000)]), 1), 0.1)
    assert chosen.sum() == 2000
    assert all(140 < part.sum() < 260 for part in np.split(chosen, 10))


# --- what may be asked ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "choices",
    [
        Choices(),
        Choices(("customer_id", "share_a,b", "clv")),
        Choices(None, ControlGroup(0.125, 2**31 - 1, "control")),
        Choices(("clv",), ControlGroup(0.5, 0)),
    ],
)
def test_choices_are_read_back(choices):
    assert Choices.from_query(choices.to_query()) == choices


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("columns=", "columns names no column"),
        ("columns=customer_id,credit_card", "columns names 'credit_card'.*it has customer_id, segment, recency_days"),
        ("control=0.6", "control must be a share from 0.01 to 0.5, as 0.1, not '0.6'"),
        ("control=10%25", "not '10%'"),
        ("control=nan", "control must be a share"),
        ("control=0.1&control=0.2", "control may be given once"),
        ("control=0.1&seed=-1", "seed must be a whole number from 0 to 2147483647, not '-1'"),
        ("control=0.1&seed=9999999999", "seed must be"),
        ("control=0.1&part=half", "part must be all, campaign or control, not 'half'"),
        ("seed=1", "seed belongs to a control group; name its share as well"),
        ("contol=0.1", "no query parameter 'contol' here"),
    ],
)
def test_what_cannot_be_is_one_clear_sentence(client, path, store, query, said):
    before = store[0].exports()
    answer = client.get(f"{path}.csv?{query}")
    assert 400 <= answer.status_code < 500
    assert list(answer.json()) == ["error"]
    assert re.search(said, answer.json()["error"])
    assert store[0].exports() == before


# --- the files --------------------------------------------------------------------------------------------------------


def test_the_chosen_columns_and_no_others(client, path):
    everything = rows(client.get(f"{path}.csv"))
    some = rows(client.get(f"{path}.csv?columns=country,customer_id&columns=clv&columns=clv"))
    assert list(some[0]) == ["customer_id", "clv", "country"]
    assert some == [{name: row[name] for name in some[0]} for row in everything]
    table = pq.read_table(io.BytesIO(client.get(f"{path}.parquet?columns=clv").content))
    assert table.column_names == ["clv"]
    sheet = fastexcel.read_excel(client.get(f"{path}.xlsx?columns=segment,clv").content).load_sheet(0)
    assert [column.name for column in sheet.available_columns()] == ["segment", "clv"]


def test_a_control_group_is_drawn_and_its_parts_are_the_whole(client, path):
    query = "country=United Kingdom&control=0.1&seed=3"
    everyone = rows(client.get(f"{path}.csv?{query}"))
    control = {row["customer_id"] for row in everyone if row["control_group"] == "true"}
    assert {row["control_group"] for row in everyone} == {"true", "false"}
    assert len(control) == int(len(everyone) / 10 + 0.5)
    assert list(everyone[0])[:4] == ["customer_id", "segment", "control_group", "recency_days"]
    campaign = rows(client.get(f"{path}.csv?{query}&part=campaign"))
    alone = rows(client.get(f"{path}.csv?{query}&part=control"))
    assert {row["customer_id"] for row in alone} == control
    assert sorted(campaign + alone, key=str) == sorted(everyone, key=str)
    other = rows(client.get(f"{path}.csv?country=United Kingdom&control=0.1&seed=4"))
    assert {row["customer_id"] for row in other if row["control_group"] == "true"} != control


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_a_list_with_a_control_group_is_read_back(client, path, store, tmp_path, kind):
    file = tmp_path / f"list.{kind}"
    file.write_bytes(client.get(f"{path}.{kind}?columns=customer_id,monetary&control=0.2&seed=1").content)
    back = read_customers(str(file), ["monetary", "control_group"])
    expected = store[0].stream(store[2]["rfm"], Selection(), ["monetary"]).read_all()
    assert list(back.index) == expected["customer_id"].to_pylist()
    assert "=1+1" in back.index
    assert back["monetary"].tolist() == pytest.approx(expected["monetary"].to_pylist(), rel=1e-15)
    assert back["control_group"].tolist() == lowest(lots(expected["customer_id"], 1), 0.2).astype(float).tolist()


def test_again_is_the_same_file(client, path, store):
    query = "segment=Champions&segment=Lost&min_clv=1&columns=customer_id,segment,clv&control=0.25&seed=9"
    first = client.get(f"{path}.csv?{query}", auth=("anna", "x"))
    record = client.get("exports?limit=1").json()[0]
    assert record["control"] == {"share": 0.25, "seed": 9, "part": "all"}
    assert record["columns"] == ["customer_id", "segment", "control_group", "clv"]
    manifest = client.get(f"exports/{record['id']}/manifest")
    assert "manifest.json" in manifest.headers["content-disposition"]
    slip = manifest.json()
    sha256 = hashlib.sha256(first.content).hexdigest()
    assert slip["file"] == {
        "name": f"shop-2011-12-10-rfm-run{store[2]['rfm']}-selection.csv",
        "format": "csv",
        "rows": len(rows(first)),
        "bytes": len(first.content),
        "sha256": sha256,
        "columns": record["columns"],
    }
    assert slip["selection"]["conditions"] == ["Champions", "Lost", "CLV ≥ £1.00"]
    assert (slip["user"], slip["state"], slip["run"]["engine"]) == ("anna", "complete", "rfm")
    snapshot = store[0].snapshot(store[0].run(store[2]["rfm"]).snapshot_id)
    assert slip["snapshot"]["fingerprint"] == snapshot.fingerprint
    again = client.get("http://127.0.0.1" + slip["again"])
    assert hashlib.sha256(again.content).hexdigest() == sha256
    latest = client.get(f"exports/{record['id'] + 1}").json()
    assert (latest["sha256"], latest["id"]) == (sha256, record["id"] + 1)
    assert dict(parse_qsl(latest["selection"]))["min_clv"] == "1"
    assert client.get("exports/99999/manifest").status_code == 404
    assert json.loads(manifest.text)["control_group"]["rule"].startswith("Customers are ranked by SipHash")


def test_the_record_is_read_page_by_page(client):
    numbers = [item["id"] for item in client.get("exports?limit=10000").json()]
    assert numbers == sorted(numbers, reverse=True)
    assert [item["id"] for item in client.get(f"exports?limit=2&before={numbers[1]}").json()] == numbers[2:4]


# --- broken off -------------------------------------------------------------------------------------------------------


def test_a_download_that_breaks_off_is_not_on_record_as_whole(store):
    """The other side goes away after the first bytes; what flows is closed, and the record says so."""
    app = create_app(store[1], store[0], environ={})
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": f"/api/v1/runs/{store[2]['rfm']}/export.csv",
        "raw_path": b"/",
        "root_path": "",
        "query_string": b"control=0.5",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }

    async def talk():
        gone = asyncio.Event()
        asked = False

        async def receive():
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            if message["type"] == "http.response.body":
                gone.set()
                await asyncio.Event().wait()  # nobody takes any more

        await app(scope, receive, send)

    asyncio.run(talk())
    record = store[0].exports(limit=1)[0]
    assert (record.state, record.sha256) == ("broken off", None)
    assert record.size > 0
    assert record.rows < 400
