"""A first look at a source says what it holds and what has to be chosen, from its head alone."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path

import pytest

from engines.errors import InputError
from engines.intake import Reading, read_sales
from engines.intake.schema.preview import Preview, preview


def look(folder: Path, text: str, **options) -> Preview:
    path = folder / "a.csv"
    path.write_text(text, encoding="utf-8")
    found = preview(str(path), **options)
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["usable"] == found.usable
    return found


def guessed(found: Preview) -> dict[str, str]:
    return {guess.field: guess.column for guess in found.guesses}


def test_contents_tell_what_names_do_not(tmp_path):
    rows = "".join(f"k{i % 5};{i % 28 + 1}.1.2020;{i},5\n" for i in range(50))
    found = look(tmp_path, "Vevő;Nap;Összeg\n" + rows, lines=3, currency="HUF")
    assert guessed(found) == {"customer_id": "Vevő", "order_date": "Nap", "amount": "Összeg"}
    assert {guess.confidence for guess in found.guesses} == {0.5}
    assert "look like dates" in found.guesses[1].reason
    assert [(problem.kind, problem.field, problem.column) for problem in found.problems] == [
        *(("guess", "customer_id", "Vevő"), ("guess", "order_date", "Nap"), ("guess", "amount", "Összeg")),
    ]
    assert found.problems[0].options[0].value == "Vevő"
    assert not found.usable and found.whole
    assert (found.source.separator, found.source.encoding, found.source.kind) == (";", "utf-8", "text")
    assert found.lines == (("k0", "1.1.2020", "0,5"), ("k1", "2.1.2020", "1,5"), ("k2", "3.1.2020", "2,5"))
    assert found.columns[1].examples == ("1.1.2020", "2.1.2020", "3.1.2020")
    assert [column.kind for column in found.columns] == ["text", "date", "number"]
    with pytest.raises(InputError, match=r"order_date may be column 'Nap'.*--map order_date=Nap .*--yes"):
        read_sales(str(tmp_path / "a.csv"))
    trusting = Reading(trust_guesses=True)
    assert look(tmp_path, "Vevő;Nap;Összeg\n" + rows, reading=trusting).usable
    with read_sales(str(tmp_path / "a.csv"), reading=trusting) as sales:  # takes the same guesses, and says so
        assert dict(sales.mapping) == guessed(found)
        assert "Column 'Nap' was taken for order_date" in " ".join(sales.notes)


def test_a_name_that_its_values_belie_gives_way_to_another(tmp_path):
    text = "customer,date,invoice date,amount\n1,monday,2020-01-01,5\n2,friday,2020-01-02,6\n"
    found = look(tmp_path, text)
    assert guessed(found)["order_date"] == "invoice date"
    alone = look(tmp_path, text, mapping={"order_date": "date"})
    money, problem = alone.problems
    assert money.kind == "currency"
    assert (problem.kind, problem.needed, alone.usable) == ("unreadable", True, False)
    assert "cannot be read as a date on line 2 ('monday')" in problem.question


def test_undecided_dates_are_asked_for_with_both_readings(tmp_path):
    text = "customer,date,amount\n1,12/1/2010,5\n2,11/2/2010,6\n"
    found = look(tmp_path, text, currency="EUR")
    (problem,) = found.problems
    assert (problem.kind, problem.field, problem.column, problem.setting) == (
        *("date_order", "order_date", "date", "reading.date_order"),
    )
    assert [(option.value, option.example) for option in problem.options] == [
        ("day-first", "11/2/2010 is 11 February 2010"),
        ("month-first", "11/2/2010 is 02 November 2010"),
    ]
    assert not found.usable
    chosen = look(tmp_path, text, currency="EUR", reading=Reading(date_order="month-first"))
    assert chosen.usable
    assert chosen.notes[0] == "Dates were read as month/day/year, as date_order says."


def test_an_undecided_decimal_sign_is_offered_but_not_needed(tmp_path):
    found = look(tmp_path, 'customer,date,amount\n1,2020-01-01,"1,234"\n')
    problem, money = found.problems
    assert (problem.kind, problem.needed, found.usable) == ("decimal", False, True)
    assert (money.kind, money.needed) == ("currency", False)
    assert [option.example for option in problem.options] == ["1,234 = 1234", "1,234 = 1.234"]


@pytest.mark.parametrize(
    ("heading", "amount", "stated", "codes"),
    [
        ("amount", "5.00", "", ("EUR", "USD", "GBP")),
        ("amount", "$5.00", "", ("USD", "CAD", "AUD")),
        ("amount", "kr 5.00", "", ("SEK", "NOK", "DKK")),
        ("amount", "kr 5.00", "NOK", None),
        ("amount", "5.00", "CHF", None),
        ("amount", "€5.00", "", None),
        ("amount (EUR)", "5.00", "", None),
    ],
)
def test_the_currency_is_asked_for_where_the_source_does_not_say_it(tmp_path, heading, amount, stated, codes):
    found = look(
        tmp_path, f"customer,date,{heading}\n1,2020-01-01,{amount}\n", mapping={"amount": heading}, currency=stated
    )
    assert found.usable
    assert [(item.kind, item.setting, item.needed) for item in found.problems] == (
        [("currency", "currency", False)] if codes else []
    )
    if codes:
        assert tuple(option.value for option in found.problems[0].options)[:3] == codes


def test_several_currencies_are_said_before_all_is_read(tmp_path):
    found = look(tmp_path, "customer,date,amount\n1,2020-01-01,€5\n2,2020-01-01,$5\n")
    assert [(item.kind, item.needed, item.options) for item in found.problems] == [("currencies", False, ())]
    assert "several currencies: line 2 ('€'), line 3 ('$')" in found.problems[0].question
    column = look(tmp_path, "customer,date,amount,currency\n1,2020-01-01,5,EUR\n2,2020-01-01,5,USD\n")
    assert not column.problems


def test_what_is_missing_is_said_with_its_effect(tmp_path):
    found = look(tmp_path, "who,when,what\nx,y,5\n")
    assert [(problem.kind, problem.field) for problem in found.problems] == [
        *(("field", "customer_id"), ("field", "order_date"), ("field", "quantity"), ("field", "unit_price")),
    ]
    assert "--map customer_id=COLUMN" in found.problems[0].question
    assert {item.field for item in found.missing if not item.needed} == {
        *("order_id", "product_id", "description", "country"),
    }
    assert not found.usable


def test_wrong_choices_are_problems_and_not_errors(tmp_path):
    text = "customer,date,amount\n1,2020-01-01,5\n"
    found = look(
        tmp_path, text, mapping={"customer_id": "nobody", "colour": "date"}, reading=Reading(time_zone="Mars/Olympus")
    )
    assert [problem.kind for problem in found.problems] == ["time_zone", "mapping", "mapping", "currency"]
    assert guessed(found)["customer_id"] == "customer"
    both = look(tmp_path, text, mapping={"amount": "amount", "order_total": "amount"})
    assert [problem.kind for problem in both.problems] == ["mapping", "currency"]


def test_what_cannot_be_opened_is_an_error(tmp_path):
    with pytest.raises(InputError, match="There is no file"):
        preview(str(tmp_path / "none.csv"))
    with pytest.raises(InputError, match="is empty"):
        look(tmp_path, "")


def test_a_header_alone_is_a_look_at_nothing(tmp_path):
    found = look(tmp_path, "customer_id,date,amount\n")
    assert (found.lines, found.lines_seen, found.columns[0].kind) == ((), 0, "empty")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_only_the_start_of_a_large_file_is_looked_at(tmp_path, packed, encoding):
    text = "customer_id,date,amount,note\n" + '7,2020-01-31,5.25,"two\nlines ü"\n' * 200_000
    content = text.encode(encoding)
    path = tmp_path / ("a.csv.gz" if packed else "a.csv")
    path.write_bytes(gzip.compress(content, 1) if packed else content)
    began = time.process_time()
    found = preview(str(path))
    assert time.process_time() - began < 3
    assert found.usable and not found.whole
    assert found.lines[0] == ("7", "2020-01-31", "5.25", "two\nlines ü")
    assert found.notes[0] == f"Only the first {found.lines_seen:,} lines were looked at."
    assert 1_000 <= found.lines_seen <= 10_000
    assert found.source.name == path.name


@pytest.mark.parametrize(
    ("name", "kind", "fields"),
    [
        ("online_retail.csv.gz", "text", 8),
        ("online_retail_II_sample.xlsx", "workbook", 8),
        ("olist_transactions.csv.gz", "text", 7),
        ("retail_transactions_dd-Mon-yy.csv.gz", "text", 3),
    ],
)
def test_real_files_need_no_mapping(shared_data: Path, name, kind, fields):
    found = preview(str(shared_data / name))
    assert (found.source.kind, len(found.guesses), len(found.lines)) == (kind, fields, 20)
    assert found.usable and [problem.kind for problem in found.problems] == ["currency"]
    assert all(guess.confidence >= 0.9 for guess in found.guesses)


def test_an_embedded_data_set():
    found = preview("cdnow-sample")
    assert (found.source.kind, found.usable, found.lines_seen) == ("built in", True, 6_919)


def test_first_lines_are_given_as_they_are_read(tmp_path):
    found = look(
        tmp_path,
        "Customer;Order;Date;Quantity;Price;Status\n"
        "K1;R1;31/01/2024 10:20;2;1,50;completed\n"
        "K2;R2;01/02/2024;1;3,00;cancelled\n"
        ";R3;01/02/2024;1;3,00;completed\n"
        "K4;R4;01/02/2024;-1;3,00;completed\n"
        "K5;R5;noday;1;3,00;completed\n",
    )
    assert dict(found.read_lines[0]) == {
        **{"customer_id": "K1", "order_id": "R1", "order_date": "2024-01-31 10:20:00", "quantity": "2"},
        **{"amount": "3.00", "status": "completed", "outcome": "sale"},
    }
    outcomes = [line["outcome"] for line in found.read_lines]
    assert outcomes == ["sale", "not_a_sale", "no_customer", "return", "unreadable"]
    assert found.read_lines[4]["unreadable"] == "order_date"


def test_nothing_is_read_before_a_question_is_answered(tmp_path):
    found = look(tmp_path, "Customer;Date;Amount\nK1;01/02/2024;1,50\nK2;03/02/2024;2,50\n")
    assert [problem.kind for problem in found.problems if problem.needed] == ["date_order"]
    assert found.read_lines == ()
