"""A guess that decides people or money is asked for, and what is not used but could change a number is said."""

from __future__ import annotations

import pytest

from engines.errors import InputError
from engines.intake.schema.mapping import unused_status
from tests.engines.intake.seen_columns import fields, looks_of, mapped


def test_clock_times_dates_and_prices_are_never_customers():
    lines = [f"i{n}|2024-01-{n:02d}|1{n % 3}:00|{n}.50|{n % 4}.25" for n in range(1, 9)]
    with pytest.raises(InputError, match="no column looks like customer_id"):
        mapped("Invoice|Date|When|Total|Mark", *lines)
    with pytest.raises(InputError, match=r"customer_id may be column 'Customer'.*but its values are times of the day"):
        mapped("Invoice|Date|Customer|Total|Mark", *lines)


def test_a_guess_by_contents_is_a_question_with_the_option():
    lines = [f"k{n % 3}|2024-01-{n:02d}|{n}.50" for n in range(1, 9)]
    with pytest.raises(InputError, match=r"customer_id may be column 'Wer'.*--map customer_id=Wer .*--yes"):
        mapped("Wer|Datum|Betrag", *lines)
    assert fields(mapped("Wer|Datum|Betrag", *lines, trust_guesses=True))["customer_id"] == "Wer"
    assert fields(mapped("Wer|Datum|Betrag", *lines, customer_id="Wer"))["customer_id"] == "Wer"


def test_the_only_date_with_a_name_like_one_needs_no_question():
    lines = ["A|2024-01-05|5.00", "B|2024-01-06|6.00"]
    found = mapped("donor_id|gift_date|gift_amount", *lines)
    assert fields(found) == {"customer_id": "donor_id", "order_date": "gift_date", "amount": "gift_amount"}
    with pytest.raises(InputError, match=r"order_date may be column 'gift_date' .its name has 'date' in it"):
        mapped("donor_id|gift_date|gift_amount|thanked", *[f"{line}|2024-02-07" for line in lines])


def test_names_of_people_are_asked_for():
    with pytest.raises(
        InputError, match=r'people of one name would be one customer.*--map customer_id="Customer Name"'
    ):
        mapped("Order|Customer Name|Date|Amount", "1|Ann A|2024-01-05|20.00", "2|Bob B|2024-01-06|10.00")


def test_the_amount_is_never_guessed_where_a_price_is_known():
    lines = ["1|A|2024-01-05|10.90|8.72", "2|B|2024-01-06|11.90|9.72"]
    found = mapped("order_id|customer_id|order_date|price|freight_value", *lines)
    assert (fields(found)["amount"], "unit_price" in fields(found)) == ("price", False)
    assert "no quantity: each line is one item" in found.notes[0]


def test_a_status_is_found_by_its_words_whatever_it_is_called():
    lines = ["1|A|2024-01-05|5.0|paid", "2|B|2024-01-06|5.0|cancelled", "3|B|2024-01-06|5.0|paid"]
    assert fields(mapped("order|customer|date|amount|Vorgangslage", *lines))["status"] == "Vorgangslage"


def test_what_became_of_something_else_is_no_status_of_orders():
    lines = ["1|A|2024-01-05|5.0|approved", "2|B|2024-01-06|5.0|rejected", "3|B|2024-01-06|5.0|approved"]
    found = mapped("order|customer|date|amount|Review", *lines)
    assert "status" not in fields(found)
    assert "--map status=Review" in found.notes[0]  # but it is named


def test_of_several_statuses_the_one_that_says_something_is_used_and_the_others_are_named():
    header = "order|customer|date|amount|order_status|payment_status|is_deleted"
    found = mapped(header, "1|A|2024-01-05|5.0|shipped|paid|no", "2|B|2024-01-06|5.0|shipped|failed|yes")
    assert fields(found)["status"] == "payment_status"
    assert fields(found)["cancelled_at"] == "is_deleted"
    looks = looks_of(["paid|refunded|yes|blue", "cancelled|paid|no|red"])
    columns = ["order_status", "payment_status", "Returned", "colour"]
    assert unused_status(columns, looks, {0}) == ("payment_status", "Returned")
    found = mapped("customer|date|amount|status|Returned", "A|2024-01-05|5.0|paid|Yes", "B|2024-01-05|5.0|voided|No")
    assert found.notes == (
        "Column 'Returned' is not used, though its values say what became of orders. If they decide what was sold, "
        "say --map cancelled_at=Returned.",
    )


def test_words_in_products_are_no_status():
    lines = [
        "1|A|2024-01-05|5.0|Refund policy poster",
        "2|B|2024-01-06|5.0|Noise cancelling phones",
        "3|B|2024-01-06|5.0|Mug",
    ]
    found = mapped("order|customer|date|amount|product", *lines)
    assert "status" not in fields(found) and found.notes == ()


def test_a_discount_that_may_be_a_share_is_said_and_not_taken_off():
    lines = ["1|A|2024-01-05|2|50.00|0.2", "2|B|2024-01-06|1|50.00|0"]
    found = mapped("order|customer|date|quantity|unit price|Discount", *lines)
    assert "discount" not in fields(found)
    assert "it holds shares, and no money" in found.notes[0]
    found = mapped("order|customer|date|quantity|unit price|Discount", *[f"{line}5.00" for line in lines])
    assert "discount" not in fields(found)
    assert "--map discount=Discount" in found.notes[0]


def test_other_columns_of_money_are_said():
    lines = ["1|A|2024-01-05|100|120", "2|B|2024-01-06|50|60"]
    found = mapped("order|customer|date|Net Sales|Total Sales", *lines)
    assert f"{fields(found)['amount']!r} is taken for the money" in found.notes[0]
