"""The Data page: what is there with its ledger, the form as the file calls for it, and what was filled in."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from dashboard.config import load_config
from dashboard.frames.cache import FrameCache
from dashboard.layout.shell import create_shell
from dashboard.pages.data import form, page, questions
from dashboard.pages.data.words import ABSENT, NO_MONEY
from dashboard.services import Services
from engines.errors import InputError
from storage import open_store
from storage.contract.uploads import NewUpload
from tests.dashboard import shop
from tests.dashboard.answering import answering, worked
from tests.dashboard.headless import Visit, key_of, read, words
from tests.dashboard.uploading import MAPPING, export
from tests.prepared import prepared

LEDGER = {
    "in": {"lines": 10, "orders": 5, "customers": 4, "revenue": 100.0},
    "rules": [{"rule": "cancellation", "lines": 2, "orders": 1, "customers": 1, "revenue": -5.0}],
    "notes": [],
    "out": {"lines": 8, "orders": 4, "customers": 3, "revenue": 105.0},
}


@pytest.fixture
def services(tmp_path: Path):
    config = shop.config(tmp_path).replace(uploads={"folder": str(tmp_path)})
    store = open_store(prepared(config.database.url), clock=lambda: datetime.now(UTC))
    with answering(config, store):
        yield Services(config, store, FrameCache(store))
    store.close()


def uploaded(services: Services, content: bytes) -> str:
    (Path(services.config.uploads.folder) / "ab.csv").write_bytes(content)
    return str(services.store.add_upload(NewUpload("ab.csv", "sales.csv", len(content), "ab" * 32)).id)


def visit_of(services: Services, number: str) -> Visit:
    return Visit(create_shell(services).server.test_client(), "/data", {"upload": number})


def answer(setting: str) -> str:
    return key_of(questions.answer_id(setting)) + ".value"


def asked_words(visit: Visit) -> str:
    """What the page asks, of the file and of its columns."""
    parts = [visit.parts[name]["children"] for name in (page.FILE_QUESTIONS, page.QUESTIONS)]
    return " ".join(text for part in parts for _, text in read(part, shown=True))


def test_nothing_yet_and_the_limit(services):
    text = words(page.layout(services))
    assert "Nothing yet" in text and "up to 1,024 MB" in text


def test_every_snapshot_shows_its_ledger_in_words(services):
    new = shop.new_snapshot("shop", date(2011, 12, 10))
    services.store.save_snapshot(type(new)(**{**vars(new), "ledger": LEDGER}), shop.customers(10))
    text = words(page.layout(services))
    assert "In All that was read. 10 5 4 £100.00" in text
    assert "− cancellation" in text and "A cancelled invoice or written-off debt is no sale" in text
    assert "Out What customers are built from. 8 4 3 £105.00" in text


def test_the_form_asks_what_the_file_leaves_open(services):
    text = words(page.layout(services, upload=uploaded(services, export())))
    assert "Which comes first in the dates?" in text and "--date-order" not in text
    assert "No date in column Date decides it." in text


def test_a_guess_is_filled_in_and_marked_and_a_click_says_yes_to_it(services):
    number = uploaded(services, export().replace(b"Customer;", b"Wer;"))
    text = words(page.layout(services, upload=number))
    assert "Customer: column Wer is only a guess; look whether it is right." in text
    visit = Visit(create_shell(services).server.test_client(), "/data", {"upload": number})
    visit.change("data-date-order.value", "day-first")
    assert visit.parts["data-check"]["disabled"] is False
    visit.change("data-check.n_clicks", 1)
    assert services.store.upload(int(number)).asked["mapping"]["customer_id"] == "Wer"


def test_the_form_asks_for_the_currency_where_the_file_does_not_say_it(services):
    number = uploaded(services, export())
    text = words(page.layout(services, upload=number))
    assert "Which currency is the money in? Nothing says which currency the money is in." in text
    assert "--currency" not in text
    visit = visit_of(services, number)
    visit.change(answer("currency"), "PLN", follow=True)
    assert visit.parts["data-currency"]["value"] == "PLN"
    visit.change(answer("reading.date_order"), "day-first", follow=True)
    visit.change("data-check.n_clicks", 1)
    assert services.store.upload(int(number)).asked["currency"] == "PLN"


def test_a_file_that_says_its_currency_is_not_asked_for_it(services):
    number = uploaded(services, export().replace(b"Price", b"Price (EUR)"))
    visit = visit_of(services, number)
    assert "Which currency" not in asked_words(visit)
    visit.change("data-currency.value", "Euros")
    assert "ISO 4217" in asked_words(visit)
    visit.change("data-currency.value", "EUR")
    assert "ISO 4217" not in asked_words(visit)


def test_an_answer_without_a_currency_has_no_sign(services):
    new = shop.new_snapshot("shop", date(2011, 12, 10), currency=None)
    services.store.save_snapshot(replace(new, ledger=LEDGER), shop.customers(10))
    text = words(page.layout(services))
    assert "In All that was read. 10 5 4 100.00" in text
    assert "£" not in text and "None" not in text


def test_lines_stand_beside_what_they_will_be_read_as(services):
    content = export().replace(b"Price", b"Price (EUR)")
    visit = visit_of(services, uploaded(services, content))
    lines = " ".join(text for _, text in read(visit.parts[page.LINES]["children"], shown=True))
    assert "As it will be read" in lines and "Shown once what is asked above is answered." in lines
    visit.change(answer("reading.date_order"), "day-first", follow=True)
    lines = " ".join(text for _, text in read(visit.parts[page.LINES]["children"], shown=True))
    assert "What it is" in lines and " sale " in lines and "9.00" in lines
    assert visit.parts["data-check"]["disabled"] is False


def test_an_answer_stays_to_be_changed_and_goes_when_the_columns_change(services):
    visit = visit_of(services, uploaded(services, export()))
    assert visit.parts["data-check"]["disabled"] is True
    visit.change(answer("reading.date_order"), "day-first", follow=True)
    assert "Which comes first in the dates?" in asked_words(visit)
    visit.change(answer("reading.date_order"), "month-first", follow=True)
    assert visit.parts["data-date-order"]["value"] == "month-first"
    visit.change(key_of(form.field_id("country")) + ".value", ABSENT)
    assert "Which comes first in the dates?" not in asked_words(visit)


def test_a_file_read_with_another_separator_has_other_columns_to_choose_from(services):
    content = b"Customer,Date;Order|Amount\nK1,2024-02-03;R1|5\nK2,2024-02-04;R2|6\n"
    visit = visit_of(services, uploaded(services, content))
    field = key_of(form.field_id("customer_id"))
    visit.change("data-separator.value", "|")
    assert {item["value"] for item in visit.parts[field]["options"]} == {ABSENT, "Customer,Date;Order", "Amount"}
    visit.change("data-separator.value", ",")
    assert visit.parts[field]["value"] == "Customer"
    visit.change("data-separator.value", "")
    assert "separator" not in visit.parts[page.ASKED]["data"]["structure"]


def test_money_is_asked_for_until_somebody_says_that_there_is_none(services):
    content = b"Customer,Day,Points\nK1,2024-02-13,5\nK2,2024-02-14,6\nK1,2024-02-15,7\n"
    number = uploaded(services, content)
    visit = visit_of(services, number)
    assert "No column looks like money" in asked_words(visit)
    visit.change("data-time-zone.value", "Europe/London")
    assert "No column looks like money" in asked_words(visit)
    assert visit.parts["data-check"]["disabled"] is True
    visit.change(answer("mapping.amount"), NO_MONEY, follow=True)
    assert "No column looks like money" not in asked_words(visit)
    visit.change("data-check.n_clicks", 1)
    assert services.store.upload(int(number)).asked["mapping"]["amount"] == ""


def test_a_file_that_cannot_be_opened_still_has_its_settings(services):
    number = uploaded(services, b"\x00\x01\x02\xff" * 50)
    visit = visit_of(services, number)
    assert asked_words(visit) and visit.parts["data-check"]["disabled"] is True
    assert "data-separator" in visit.parts and "data-encoding" in visit.parts and "data-header-row" in visit.parts


def test_what_a_message_calls_an_option_the_page_calls_by_its_field():
    sentence = (
        "Say --header-row N or --map customer_id=Wer, --time-zone UTC; --unknown stays, and so does 'order_id'; "
        "date_order in [reading]."
    )
    said = questions.in_page_words(sentence)
    assert said == (
        "Say “Row with the column names” N or “Customer” = Wer, “Time zone of the shop” UTC; --unknown stays, "
        "and so does 'order_id'; “Order of day and month”."
    )


def test_a_mapping_that_was_used_before_is_filled_in(services):
    before = shop.new_snapshot("before", date(2011, 12, 10))
    new = replace(before, source="sales.csv", settings={"mapping": MAPPING}, ledger=LEDGER)
    services.store.save_snapshot(new, shop.customers(10))
    text = words(page.layout(services, upload=uploaded(services, export())))
    assert "Filled in as sales.csv was read before." in text


def test_a_file_that_is_gone_is_an_alert(services):
    number = uploaded(services, export())
    (Path(services.config.uploads.folder) / "ab.csv").unlink()
    assert "is not there any more; upload it again" in words(page.layout(services, upload=number))


def test_a_file_is_checked_by_a_click_and_not_by_a_button_that_appears(services):
    number = uploaded(services, export())
    visit = Visit(create_shell(services).server.test_client(), "/data", {"upload": number})
    visit.change("data-check.n_clicks", None)
    assert services.store.upload(int(number)).state == "received"
    visit.change("data-check.n_clicks", 1)
    assert services.store.upload(int(number)).task == "inspect"


def test_what_was_filled_in_is_there_again_and_a_guess_stays_a_question(services):
    number = uploaded(services, export().replace(b"Customer;", b"Wer;"))
    visit = visit_of(services, number)
    visit.change(answer("reading.date_order"), "day-first", follow=True)
    visit.change("data-name.value", "Tea shop")
    again = visit_of(services, number)
    assert (again.parts["data-date-order"]["value"], again.parts["data-name"]["value"]) == ("day-first", "Tea shop")
    assert "column Wer is only a guess" in asked_words(again)
    assert again.parts["data-check"]["disabled"] is False


def test_a_data_set_is_renamed(services):
    snapshot = services.store.save_snapshot(shop.new_snapshot("shop", date(2011, 12, 10)), shop.customers(10))
    services.store.save_snapshot(shop.new_snapshot("other", date(2011, 12, 10)), shop.customers(10))
    visit = Visit(create_shell(services).server.test_client(), "/data", {})
    name, save = (key_of(page.rename_id(part, snapshot.id)) for part in ("name", "save"))
    visit.change(f"{name}.value", "other")
    visit.change(f"{save}.n_clicks", 1)
    assert services.store.snapshot(snapshot.id).dataset == "shop"
    assert "There is a data set other already" in " ".join(
        text for _, text in read(visit.parts[page.SNAPSHOTS]["children"], shown=True)
    )
    visit.change(f"{name}.value", "Tea shop")
    visit.change(f"{save}.n_clicks", 2)
    assert services.store.snapshot(snapshot.id).dataset == "Tea shop"


def test_lines_left_out_are_written_to_a_file_by_a_click(services):
    number = uploaded(services, export())
    visit = visit_of(services, number)
    visit.change(answer("reading.date_order"), "day-first", follow=True)
    visit.change("data-check.n_clicks", 1)
    worked(services.config, services.store)
    visit.change("data-tick.n_intervals", 1)
    assert visit.parts["data-dropped"]["children"] == "Download the 1 line left out"
    visit.change("data-dropped.n_clicks", 1)
    assert visit.parts["data-leave"]["data"] == f"/api/v1/uploads/{number}/dropped.csv"


def test_an_address_that_names_nothing(services):
    with pytest.raises(InputError, match="upload must be the number"):
        page.layout(services, upload="abc")


def test_what_was_filled_in_is_what_is_asked():
    config = load_config(environ={})
    asked = form.form_request(
        config,
        mapping={"customer_id": "Kunde", "country": ABSENT},
        reading={"date_order": "day-first", "decimal": None},
        switches={"drop_cancellations": True, "returns": False, "drop_outliers": False},
        texts={"from_day": "2024-01-01", "only_customers": "a, b", "rates": "EUR = 0.85", "test_orders": "TEST*"},
        name=" Shop ",
        how="new",
    )
    assert asked.mapping == {"customer_id": "Kunde", "country": ""}
    assert asked.reading == {"date_order": "day-first"}
    expected = {"returns": "drop", "from_day": "2024-01-01", "only_customers": ["a", "b"], "rates": {"EUR": 0.85}}
    assert asked.cleaning == expected
    assert asked.name == "Shop"
    assert asked.configured(config).cleaning.returns == "drop"


@pytest.mark.parametrize("rates", ["EUR", "EUR = much"])
def test_a_rate_that_is_none(rates):
    with pytest.raises(InputError, match="is no rate"):
        form.form_request(
            load_config(environ={}),
            mapping={},
            reading={},
            switches={},
            texts={"rates": rates},
            name="",
            how="new",
        )
