"""Uploads over the API: what is taken, what is refused and leaves nothing behind, and what becomes of a file."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.config import load_config
from dashboard.pipeline.request import starter_words
from dashboard.pipeline.uploads import sweep
from storage import open_store
from storage.contract import Starter
from tests.dashboard.answering import answering, worked
from tests.dashboard.uploading import ASKED, MAPPING, export, lines_of
from tests.prepared import prepared
from tests.quick import QUICK
from tests.storage.samples import unpublish


@pytest.fixture
def desk(tmp_path: Path):
    config = load_config(environ={}).replace(
        database={"url": f"sqlite:///{tmp_path / 'shop.db'}"},
        uploads={"folder": str(tmp_path / "files"), "limit_mb": 1},
        engines={"use": ["rfm"]},
        **QUICK,
    )
    store = open_store(prepared(config.database.url), clock=lambda: datetime.now(UTC))
    with TestClient(create_app(config, store, environ={}), base_url="http://127.0.0.1/api/v1") as client:
        yield client, config, store
    store.close()


def files(config) -> list[str]:
    folder = Path(config.uploads.folder)
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def send(client, content: bytes, name: str = "sales.csv"):
    return client.post("/uploads", files={"file": (name, content)})


def form(*parts: tuple[str, bytes]) -> tuple[bytes, dict[str, str]]:
    body = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n%s\r\n' % (name.encode(), content)
        for name, content in parts
    )
    return body + b"--x--\r\n", {"content-type": "multipart/form-data; boundary=x"}


def stored(desk, content: bytes, name: str = "sales.csv", **asked):
    client, config, store = desk
    upload = send(client, content, name).json()["id"]
    assert client.post(f"/uploads/{upload}/snapshot", json={**ASKED, **asked}).status_code == 202
    worked(config, store)
    found = client.get(f"/uploads/{upload}").json()
    assert (found["state"], found["error"]) == ("done", None)
    return found


def inspected(desk, content: bytes, **asked):
    client, config, store = desk
    upload = send(client, content).json()["id"]
    assert client.post(f"/uploads/{upload}/inspect", json={**ASKED, **asked}).status_code == 202
    worked(config, store)
    return client.get(f"/uploads/{upload}").json()


@pytest.mark.slow
def test_the_currency_is_null_until_somebody_says_it(desk):
    client, config, store = desk
    assert inspected(desk, export())["found"]["currency"] is None
    told = stored(desk, export(), currency="sek")
    snapshot = client.get(f"/snapshots/{told['snapshot_id']}").json()
    assert snapshot["info"]["currency"] == "SEK"
    upload = send(client, export()).json()["id"]
    refused = client.post(f"/uploads/{upload}/inspect", json={**ASKED, "currency": "crowns"})
    assert (refused.status_code, "ISO 4217" in refused.json()["error"]) == (422, True)
    with answering(config, store):
        unknown = client.post(f"/uploads/{upload}/preview", json=ASKED).json()
        known = client.post(f"/uploads/{upload}/preview", json={**ASKED, "currency": "SEK"}).json()
    assert [(item["kind"], item["setting"], item["needed"]) for item in unknown["problems"]] == [
        ("currency", "currency", False)
    ]
    assert {"value": "EUR", "words": "EUR", "example": "Price"} in unknown["problems"][0]["options"]
    assert known["problems"] == []


# --- what is taken, and what is not -----------------------------------------------------------------------------------


def test_a_file_is_kept_under_a_name_of_our_own(desk):
    client, config, _ = desk
    body, headers = form(("../../etc/Über uns 平 'x';.CSV", export()))
    answer = client.post("/uploads", content=body, headers=headers)
    assert answer.status_code == 201
    assert answer.json()["name"] == "Über uns 平 'x';.CSV"
    assert "file" not in answer.json()
    assert [name.endswith(".csv") and "ber" not in name for name in files(config)] == [True]


@pytest.mark.parametrize("name", ["..", "C:\\Users\\me\\sales.csv", "/abs/sales.csv", "a/b/../../sales.csv", ".csv"])
def test_nothing_is_written_outside_the_folder(desk, tmp_path, name):
    client, config, _ = desk
    body, headers = form((name.replace("\\", "\\\\"), export()))
    client.post("/uploads", content=body, headers=headers)
    there = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")}
    assert {name for name in there if not name.startswith("shop.db")} <= {"files"}
    assert len(files(config)) <= 1


def test_more_than_the_limit_is_413_and_leaves_nothing(desk):
    client, config, _ = desk
    answer = send(client, b"a,b\n" + b"1,2\n" * 2**18)
    assert answer.status_code == 413
    assert "larger than the 1 MB" in answer.json()["error"]
    assert (files(config), client.get("/uploads").json()) == ([], [])


def test_exactly_the_limit_is_taken(desk):
    assert send(desk[0], b"a" * 2**20).status_code == 201
    assert send(desk[0], b"a" * (2**20 + 1)).status_code == 413


@pytest.mark.parametrize(
    ("request_of", "words"),
    [
        (lambda: form(("x.exe", b"MZ")), "files of this kind cannot be read"),
        (lambda: form(("x.csv", b"")), "is empty"),
        (lambda: form(("a.csv", b"a"), ("b.csv", b"b")), "one file at a time"),
        (form, "has no file"),
        (lambda: (form(("x.csv", b"a,b\n" * 99))[0][:-60], form()[1]), "cut off"),
        (lambda: (b"zz", form()[1]), "damaged or was cut off"),
        (lambda: (b"a,b\n1,2\n", {"content-type": "text/csv"}), "multipart/form-data"),
    ],
)
def test_what_is_no_file_of_sales_is_refused_and_leaves_nothing(desk, request_of, words):
    client, config, _ = desk
    body, headers = request_of()
    answer = client.post("/uploads", content=body, headers=headers)
    assert answer.status_code == 422
    assert words in answer.json()["error"]
    assert (files(config), client.get("/uploads").json()) == ([], [])


def test_a_rule_cannot_name_a_file_of_the_server(desk, tmp_path):
    client, _, _ = desk
    (tmp_path / "secret.txt").write_text("K001\n", encoding="utf-8")
    upload = send(client, export()).json()["id"]
    cleaning = {"only_customers": str(tmp_path / "secret.txt")}
    answer = client.post(f"/uploads/{upload}/inspect", json={**ASKED, "cleaning": cleaning})
    assert answer.status_code == 422
    assert "cleaning only_customers: give a list" in answer.json()["error"]


@pytest.mark.parametrize(
    "asked", [{"cleaning": {"nonsense": 1}}, {"reading": {"decimal": "x"}}, {"engines": ["astrology"]}, {"how": "up"}]
)
def test_what_cannot_be_asked_is_refused_at_once(desk, asked):
    client, _, _ = desk
    upload = send(client, export()).json()["id"]
    assert client.post(f"/uploads/{upload}/inspect", json={**ASKED, **asked}).status_code == 422
    assert client.get(f"/uploads/{upload}").json()["state"] == "received"


# --- what becomes of it -----------------------------------------------------------------------------------------------


def test_preview_asks_what_the_file_does_not_say(desk):
    client, config, store = desk
    upload = send(client, export()).json()["id"]
    with answering(config, store):
        seen = client.post(f"/uploads/{upload}/preview", json={}).json()
        usable = client.post(f"/uploads/{upload}/preview", json=ASKED).json()["usable"]
    asks = {problem["kind"]: problem for problem in seen["problems"]}
    assert [each["value"] for each in asks["date_order"]["options"]] == ["day-first", "month-first"]
    assert (seen["usable"], seen["source"]["separator"], seen["source"]["name"]) == (False, ";", "sales.csv")
    assert usable


def test_an_undecided_date_is_an_error_in_the_owners_words(desk):
    found = inspected(desk, export(), reading={})
    assert found["state"] == "failed"
    assert "sales.csv: the dates in column 'Date'" in found["error"]
    assert desk[2].snapshots() == []


def test_a_guess_is_a_question_that_a_field_answers(desk):
    content = export().replace(b"Customer;", b"Wer;")
    found = inspected(desk, content)
    assert (found["state"], "column 'Customer'" in found["error"]) == ("failed", True)
    rest = {name: column for name, column in MAPPING.items() if name != "customer_id"}
    found = inspected(desk, content, mapping=rest)
    assert "customer_id may be column 'Wer'" in found["error"] and "--map customer_id=Wer" in found["error"]
    found = inspected(desk, content, mapping=rest, reading={"date_order": "day-first", "trust_guesses": True})
    assert (found["state"], found["found"]["ledger"]["out"]["customers"]) == ("done", 30)


def test_the_ledger_accounts_for_every_line_and_nothing_is_stored(desk):
    content = export()
    found = inspected(desk, content)["found"]
    assert found["ledger"]["in"]["lines"] == lines_of(content)
    assert found["ledger"]["out"]["lines"] == lines_of(content) - 1
    assert found["ledger"]["out"]["customers"] == 30
    assert found["effect"] == {
        "how": "new",
        "after": {"as_of": found["as_of"], **found["ledger"]["out"]},
        "before": None,
        "removed": None,
        "stays": None,
    }
    assert desk[2].snapshots() == []


@pytest.mark.slow
def test_a_snapshot_is_called_as_its_owner_calls_it(desk):
    found = stored(desk, export(), "My sales.csv")
    snapshot = desk[2].snapshot(found["snapshot_id"])
    assert (snapshot.dataset, snapshot.source, snapshot.customers) == ("Shop", "My sales.csv", 30)
    assert [desk[2].run(run).state for run in found["runs"]] == ["done"]
    assert [item.source for item in desk[2].snapshots()] == ["My sales.csv"]


@pytest.mark.slow
def test_append_reads_both_and_says_what_changes(desk):
    first, second = export(), export(10, start=31)
    stored(desk, first)
    effect = inspected(desk, second, how="append")["found"]["effect"]
    assert (effect["before"]["customers"], effect["after"]["customers"], effect["removed"]) == (30, 40, None)
    assert effect["after"]["lines"] == lines_of(first) + lines_of(second) - 2
    found = stored(desk, second, how="append")
    assert [item.customers for item in desk[2].snapshots()] == [40, 30]
    assert desk[2].snapshot(found["snapshot_id"]).dataset == "Shop"


@pytest.mark.slow
def test_replace_says_what_goes_and_then_it_goes(desk):
    client, _, store = desk
    old = stored(desk, export())
    unpublish(store)
    effect = inspected(desk, export(12), how="replace")["found"]["effect"]
    assert effect["before"]["snapshot"] == old["snapshot_id"]
    assert (effect["after"]["customers"], effect["removed"]) == (12, {"snapshots": 1, "runs": 1})
    assert [item.customers for item in store.snapshots()] == [30]
    stored(desk, export(12), how="replace")
    assert [item.customers for item in store.snapshots()] == [12]
    assert client.get(f"/runs/{old['runs'][0]}").status_code == 404


@pytest.mark.slow
def test_replace_leaves_the_published_run_and_says_so(desk):
    client, _, store = desk
    old = stored(desk, export())
    effect = inspected(desk, export(12), how="replace")["found"]["effect"]
    published = old["runs"][0]
    assert (effect["removed"], effect["stays"]) == (None, {"snapshot": old["snapshot_id"], "published": published})
    stored(desk, export(12), how="replace")
    assert sorted(item.customers for item in store.snapshots()) == [12, 30]
    assert client.get("/datasets/Shop/live").json()["run"]["id"] == published


def test_append_to_what_is_not_there_is_an_error(desk):
    found = inspected(desk, export(), how="append")
    assert found["state"] == "failed"
    assert "There is no data set 'Shop' to append" in found["error"]


@pytest.mark.slow
def test_the_same_content_is_recognised(desk):
    client, _, store = desk
    first = stored(desk, export())
    again = send(client, export(), "other name.csv").json()
    assert again["same_as"]["upload"] == first["id"]
    assert again["same_as"]["snapshot"]["id"] == first["snapshot_id"]
    assert stored(desk, export(), "other name.csv")["snapshot_id"] == first["snapshot_id"]
    assert len(store.snapshots()) == 1


@pytest.mark.slow
def test_whoever_uploaded_it_has_started_its_runs(desk):
    client, _, store = desk
    client.auth = ("ann", "tea")  # nobody asks for a password here, and the name is taken as it is
    (run,) = stored(desk, export())["runs"]
    assert (store.run(run).dataset, store.run(run).starter) == ("Shop", Starter("upload", "ann"))
    assert starter_words(store.run(run).starter) == "ann (upload)"
    assert starter_words(Starter("upload")) == "upload"


def test_cancel_takes_back_what_was_asked_for(desk):
    client, config, store = desk
    upload = send(client, export()).json()["id"]
    client.post(f"/uploads/{upload}/inspect", json=ASKED)
    assert client.post(f"/uploads/{upload}/cancel").json()["state"] == "cancelled"
    worked(config, store)
    assert client.get(f"/uploads/{upload}").json()["found"] == {}


# --- letting go -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_file_is_parsed_once(desk):
    client, config, store = desk
    checked = inspected(desk, export())
    (upload,) = [path for path in Path(config.uploads.folder).iterdir() if path.suffix == ".csv"]
    upload.write_text("nobody,can\nread,this\n", encoding="utf-8")
    assert client.post(f"/uploads/{checked['id']}/snapshot", json=ASKED).status_code == 202
    worked(config, store)
    assert client.get(f"/uploads/{checked['id']}").json()["state"] == "done"
    (snapshot,) = store.snapshots()
    assert dict(snapshot.ledger) == checked["found"]["ledger"]
    assert store.has_sales(snapshot.id)
    assert files(config) == [upload.name], "what was read of it is with the snapshot now"


def test_removing_an_upload_removes_its_file_and_what_was_read_of_it(desk):
    client, config, store = desk
    used, checked = stored(desk, export())["id"], inspected(desk, export(5))["id"]
    assert len(files(config)) == 4
    for upload in (used, checked):
        assert client.delete(f"/uploads/{upload}").status_code == 204
    assert files(config) == []
    assert store.has_sales(store.snapshots()[0].id), "which are the snapshot's"
    assert client.get("/uploads").json() == []


@pytest.mark.slow
def test_old_uploads_go_and_used_ones_stay(desk):
    client, config, store = desk
    used, old = stored(desk, export())["id"], send(client, export(5)).json()["id"]
    waiting = send(client, export(6)).json()["id"]
    client.post(f"/uploads/{waiting}/inspect", json=ASKED)
    part = Path(config.uploads.folder) / "0123.part"
    part.write_bytes(b"half")
    os.utime(part, (0, 0))
    now = datetime.now(UTC)
    assert sweep(config, store, now + timedelta(days=config.uploads.keep_days, minutes=-5)) == []
    assert sweep(config, store, now + timedelta(days=config.uploads.keep_days, minutes=5)) == [old]
    assert {item["id"] for item in client.get("/uploads").json()} == {used, waiting}
    assert len(files(config)) == 2
    store.delete_snapshot(store.snapshots()[0].id)
    client.post(f"/uploads/{waiting}/cancel")
    assert set(sweep(config, store, now + timedelta(days=99))) == {used, waiting}
    assert files(config) == []


@pytest.mark.slow
def test_a_data_set_is_renamed_by_one_of_its_snapshots(desk):
    client = desk[0]
    snapshot = stored(desk, export())["snapshot_id"]
    renamed = client.patch(f"/snapshots/{snapshot}", json={"name": "Tea shop"})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "Tea shop")
    assert client.get(f"/snapshots/{snapshot}").json()["info"]["title"] == "Tea shop"
    assert client.patch(f"/snapshots/{snapshot}", json={"name": ""}).status_code == 422
    assert client.patch("/snapshots/99", json={"name": "x"}).status_code == 404


def test_the_lines_that_a_check_left_out_are_a_file(desk):
    client, config, store = desk
    upload = send(client, export()).json()["id"]
    assert client.get(f"/uploads/{upload}/dropped.csv").status_code == 422
    assert client.post(f"/uploads/{upload}/inspect", json=ASKED).status_code == 202
    worked(config, store)
    with answering(config, store):
        answer = client.get(f"/uploads/{upload}/dropped.csv")
    assert 'filename="sales-dropped.csv"' in answer.headers["content-disposition"]
    lines = answer.text.splitlines()
    assert len(lines) == 2 and "missing_customer_id" in lines[1] and "R0" in lines[1]
    client.delete(f"/uploads/{upload}")
    assert files(config) == []


def test_a_preview_gives_the_lines_as_they_are_read_and_the_settings_that_answer(desk):
    client, config, store = desk
    upload = send(client, export()).json()["id"]
    with answering(config, store):
        asked = client.post(f"/uploads/{upload}/preview", json={}).json()
        told = client.post(f"/uploads/{upload}/preview", json=ASKED).json()
        wrong = client.post(f"/uploads/{upload}/preview", json={"reading": {"header_row": 900}}).json()
    question = next(item for item in asked["problems"] if item["kind"] == "date_order")
    assert (question["setting"], question["needed"]) == ("reading.date_order", True)
    assert [option["value"] for option in question["options"]] == ["day-first", "month-first"]
    assert asked["read_lines"] == []
    assert told["read_lines"][0] == {
        **{"customer_id": "K001", "order_id": "R1-0", "order_date": "2024-06-02", "quantity": "2"},
        **{"amount": "5.00", "country": "DE", "outcome": "sale"},
    }
    assert [item["setting"] for item in wrong["problems"] if item["kind"] == "header_row"] == ["reading.header_row"]


ASKING = {
    "date_order": "Customer;Day;Amount (EUR)\nK1;01/02/2024;5,50\nK2;03/02/2024;6,50\n",
    "decimal": "Customer;Day;Amount (EUR)\nK1;2024-02-13;1,500\nK2;2024-02-14;2,500\n",
    "currency": "Customer;Day;Amount\nK1;2024-02-13;5,50\nK2;2024-02-14;6,50\n",
    "time_zone": "Customer;Day;Amount (EUR)\nK1;2024-02-13T23:30:00Z;5.50\nK2;2024-02-14T10:00:00Z;6.50\n",
    "guess": "Wer;Day;Amount (EUR)\nK1;2024-02-13;5,50\nK2;2024-02-14;6,50\nK1;2024-02-15;7,50\n",
    "header_row": "Customer;Day;Amount (EUR)\nK1;2024-02-13;5,50\nK2;2024-02-14;6,50\n",
}


@pytest.mark.parametrize("kind", ASKING)
def test_a_question_is_answered_by_its_setting(desk, kind):
    client, config, store = desk
    upload = send(client, ASKING[kind].encode()).json()["id"]
    request = {"reading": {"header_row": 900}} if kind == "header_row" else {}

    def problems() -> dict[str, dict]:
        with answering(config, store):
            seen = client.post(f"/uploads/{upload}/preview", json=request).json()
        return {item["kind"]: item for item in seen["problems"]}

    asked = problems()[kind]
    section, _, key = asked["setting"].partition(".")
    value = asked["options"][0]["value"] if asked["options"] else 1
    if section == "mapping":
        request["mapping"] = {asked["field"]: value}
    elif key:
        request[section] = {key: value}
    else:
        request[section] = value
    assert kind not in problems()
