"""Where the table of a text begins: titles, frames, hints and a second row of names change nothing of the sales."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.errors import InputError
from engines.intake import Reading, read_sales
from engines.intake.schema.likeness import sales_judge
from engines.intake.schema.preview import preview
from engines.intake.sources.layout import is_rule, table_start
from tests.engines.intake.sales_files import HEADER, ROWS, lines, text

PLAIN = [[cell.replace("«", "").replace("»", "") for cell in row] for row in ROWS]


@pytest.fixture
def plain(tmp_path: Path) -> list[tuple]:
    path = tmp_path / "plain.csv"
    path.write_text(text(PLAIN), encoding="utf-8")
    return lines(path)


def notes_of(path: Path, **reading) -> str:
    with read_sales(str(path), reading=Reading(**reading)) as sales:
        return " ".join(sales.notes)


def framed(left: str, rule: str, right: str, end: str = "") -> str:
    rows = [f"{left}{' | '.join(row)}{right}" for row in (HEADER, *PLAIN)]
    return "\n".join(filter(None, [*rule.split("@")[:1], rows[0], rule.split("@")[-1], *rows[1:], end])) + "\n"


DRESSES = {
    "titles": "Sales by customer\n2024\n\n" + text(PLAIN),
    "a quoted title": '"Sales, by ""customer"""\n' + text(PLAIN),
    "a title of two lines": '"Sales\nby customer"\n\n' + text(PLAIN),
    "a title with an odd quotation mark": 'Screens of 17"\n' + text(PLAIN),
    "titles filled up with separators": "Sales,,,,\nFrom,2024-01-01,to,2024-12-31,\n,,,,\n" + text(PLAIN),
    "a hint": "sep=;\n" + text(PLAIN, ";"),
    "a hint of tabs": "sep=\t\n" + text(PLAIN, "\t"),
    "a box": framed("| ", "+---+---+@+---+---+", " |", "+---+---+"),
    "the lists of a database": framed(" ", "@------+------+------", ""),
    "a table of marks": framed("| ", "@|---|---|---|---|---|", " |"),
    "a ruled list": framed("|", "-" * 60 + "@" + "-" * 60, "|", "-" * 60),
    "the header again on every page": text(PLAIN[:20]) + text(PLAIN[20:]),
    "separators at the end": text([[*row, ""] for row in PLAIN]),
    "apostrophes": "\n".join(",".join(f"'{cell}'" for cell in row) for row in (HEADER, *PLAIN)) + "\n",
    "a second row of names": "Who,,When,Money,\n" + text(PLAIN),
}


@pytest.mark.parametrize("name", DRESSES)
def test_the_same_sales_in_any_dress(tmp_path, plain, name):
    path = tmp_path / "dressed.csv"
    path.write_bytes(DRESSES[name].encode())
    assert lines(path) == plain
    seen = preview(str(path))
    assert seen.usable and [column.name for column in seen.columns][:5] == HEADER
    assert seen.source.kind == "text"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_header_that_was_found_and_the_lines_above_it_are_noted(tmp_path, end):
    path = tmp_path / "a.csv"
    path.write_bytes(("Sales\n\nof 2024\n" + text(PLAIN) + "c9,o9,soon,9.25,\n").replace("\n", end).encode())
    notes = notes_of(path)
    assert "The header is on line 4; 2 lines above it were passed over." in notes
    assert "line 45 ('soon')" in notes
    assert preview(str(path)).source.header_row == 4


def test_the_user_says_where_the_table_begins(tmp_path, plain):
    path = tmp_path / "a.csv"
    path.write_text("customer_id,order_date\nx,y\n" + text(PLAIN), encoding="utf-8")
    assert lines(path, header_row=3) == lines(path, skip=2) == plain
    assert "passed over" not in notes_of(path, header_row=3)
    assert preview(str(path), reading=Reading(skip=2)).source.header_row == 3
    with pytest.raises(InputError, match=r"no more lines below line 98.*--header-row"):
        lines(path, header_row=99)
    names = tuple(f"my {name}" for name in HEADER)
    mapping = {"customer_id": names[0], "order_date": names[2], "order_id": names[1], "amount": names[3]}
    found = lines(path, mapping | {"description": names[4]}, columns=names, header_row=3)
    assert found == plain


def test_a_title_above_data_without_names_asks_for_names(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Sales of 2024\n" + text(PLAIN, header=None), encoding="utf-8")
    with pytest.raises(InputError, match=r"looks like data .*--columns"):
        lines(path)
    seen = preview(str(path))
    assert (seen.problems[0].kind, seen.problems[0].setting) == ("columns", "reading.columns")
    assert lines(path, columns=tuple(HEADER)) == lines(path, columns=tuple(HEADER), skip=1)
    assert "The lines above line 2 were passed over." in notes_of(path, columns=tuple(HEADER))
    assert len(seen.columns) == 5 and seen.lines


@pytest.mark.parametrize(
    ("rows", "names", "joined"),
    [
        (
            [["Customer", "", "Sale", ""], ["ID", "Name", "Date", "Amount"]],
            ["Customer ID", "Customer Name", "Date", "Amount"],
            True,
        ),
        ([["", "", "", "EUR"], ["Customer", "Name", "Date", "Amount"]], ["Customer", "Name", "Date", "Amount"], False),
        ([["Customer", "Name", "Date", "Amount"], ["", "", "", "EUR"]], ["Customer", "Name", "Date", "Amount"], False),
        ([["Report", "for", "Ann", "Lee"], ["Customer", "Name", "Date", "Amount"]], ["Customer"], False),
        ([["wer", "was", "wann", "wie viel"]], ["wer", "was", "wann", "wie viel"], False),
    ],
)
def test_names_of_columns_on_one_row_or_two(rows, names, joined):
    data = [["C1", "Ann", "2024-01-05", "9.50"], ["C2", "Bob", "2024-01-06", "8.00"]]
    place = table_start([*rows, *data], sales_judge({}))
    assert list(place.names)[: len(names)] == names
    assert place.joined == joined


def test_a_first_line_of_data_without_numbers_is_not_taken_for_the_header():
    rows = [
        ["who", "when", "note"],
        ["Ann", "", "called"],
        ["Bob", "2024-01-05", "5.00"],
        ["Eve", "2024-01-06", "5.00"],
    ]
    assert table_start(rows, sales_judge({})).row == 0


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("-----", True),
        ("+---+===+", True),
        ("|:---|---:|", True),
        ("-", False),
        ("a---", False),
        ("--,--", False),
        ("", False),
    ],
)
def test_a_line_that_is_drawn(line, rule):
    assert is_rule(line) == rule


def test_blank_names_without_cells_are_no_columns_and_numbers_are_names_where_the_user_says_so(tmp_path, plain):
    path = tmp_path / "a.csv"
    path.write_text(text(PLAIN).replace("\n", ",,\n", 1), encoding="utf-8")
    assert lines(path) == plain
    path.write_text("customer,date,2023,2024\n1,2024-01-05,8,5\n2,2024-01-06,8,6\n", encoding="utf-8")
    with pytest.raises(InputError, match="looks like data"):
        lines(path, {"amount": "2024"})
    assert [row[4] for row in lines(path, {"amount": "2024"}, header_row=1)] == [50_000, 60_000]


# --- quotation marks and backslashes ---------------------------------------------------------------------------------
ESCAPED = (
    'customer_id,order_date,amount,product\n"A","2024-01-02","5","17\\" screen, black"\n"B","2024-01-05","6","mug"\n'
)


def test_backslashes_before_quotation_marks(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(ESCAPED, encoding="utf-8")
    assert {row[6] for row in lines(path)} == {'17" screen, black', "mug"}
    assert "--escape double" in notes_of(path)
    assert "--escape" not in notes_of(path, escape="\\")
    seen = preview(str(path)).source
    assert (seen.quote, seen.escape) == ('"', "\\")
    late = ESCAPED.splitlines()
    path.write_text("\n".join([late[0], *[late[2]] * 9_000, late[1]]), encoding="utf-8")
    assert '17" screen, black' in {row[6] for row in lines(path)}


def test_marks_that_cannot_be_together(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(ESCAPED, encoding="utf-8")
    with pytest.raises(InputError, match="must be different signs"):
        lines(path, quote=",")
    problems = preview(str(path), reading=Reading(quote=",")).problems
    assert problems[0].setting == "reading.quote"


# --- old Macs --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("encoding", "found"), [("mac_roman", "mac_roman"), ("cp1252", "iso-8859-1"), ("utf-8", "utf-8")]
)
@pytest.mark.parametrize(
    "who", ["Jörg Groß", "Zoë Ångström", "André Peña", "Müller & Söhne", "Łódź".replace("Ł", "L").replace("ź", "z")]
)
def test_letters_of_a_text_with_line_ends_of_old_macs(tmp_path, encoding, found, who):
    path = tmp_path / "a.csv"
    path.write_bytes(f"customer,order_date,amount\rAnn,2024-01-05,5\r{who},2024-01-06,6\r".encode(encoding))
    assert {row[0] for row in lines(path)} == {"Ann", who}
    assert preview(str(path)).source.encoding == found
    assert ("--encoding" in notes_of(path)) == (found == "mac_roman")
