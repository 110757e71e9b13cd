"""Workbooks: the sheet that holds the sales, rows above its header, and merged cells."""

from __future__ import annotations

from pathlib import Path

import pytest
import xlsxwriter

from engines.errors import InputError
from engines.intake import Reading, read_sales
from engines.intake.schema.preview import preview
from tests.engines.intake.sales_files import HEADER, ROWS, lines, text


def book(
    path: Path, sheets: dict[str, list[list]], merged: dict[str, list[tuple]] | None = None, first: int = 0
) -> Path:
    """A workbook whose tables begin in the column ``first``; merged: (top, left, bottom, right, value) by sheet."""
    made = xlsxwriter.Workbook(path)
    for name, rows in sheets.items():
        sheet = made.add_worksheet(name)
        for number, row in enumerate(rows):
            for place, value in enumerate(row, start=first):
                if value is not None:
                    sheet.write(number, place, value)
        for top, left, bottom, right, value in (merged or {}).get(name, []):
            sheet.merge_range(top, left + first, bottom, right + first, value)
    made.close()
    return path


@pytest.fixture
def plain(tmp_path: Path) -> list[tuple]:
    path = tmp_path / "plain.csv"
    path.write_text(text(), encoding="utf-8")
    return lines(path)


SUMS = [["date", "amount"], ["2024-01-01", 5], ["2024-01-02", 6]]
SHEETS = {"Read me": [["The sales of 2024"], ["see Orders"]], "Sums": SUMS, "Orders": [HEADER, *ROWS]}


def test_the_sheet_that_looks_like_sales_is_read_and_the_others_are_noted(tmp_path, plain):
    path = book(tmp_path / "a.xlsx", SHEETS)
    assert lines(path) == plain == lines(path, sheets=("Orders",))
    with read_sales(str(path)) as sales:
        assert sales.notes[:2] == (
            "Sheet 'Orders' was read, as its columns look most like sales.",
            "Sheets with other columns were not read: Read me, Sums.",
        )
    seen = preview(str(path)).source
    assert (seen.sheets, [sheet.name for sheet in seen.all_sheets]) == (("Orders",), list(SHEETS))
    assert {sheet.name: sheet.columns for sheet in seen.all_sheets}["Sums"] == ("date", "amount")


def test_where_no_sheet_has_sales_all_are_named_with_their_columns(tmp_path):
    path = book(tmp_path / "a.xlsx", {"A": [["x", "y"], [1, 2]], "B": [["u", "v"], [1, 2]]})
    with pytest.raises(
        InputError, match=r"columns are x, y\. Name another sheet with --sheet: 'A' \(x, y\); 'B' \(u, v\)"
    ):
        lines(path)
    asked = [problem for problem in preview(str(path)).problems if problem.kind == "sheets"]
    assert [(problem.setting, [option.value for option in problem.options]) for problem in asked] == [
        ("reading.sheets", ["A", "B"])
    ]


def test_a_wrong_sheet_is_a_question_in_the_preview(tmp_path):
    path = book(tmp_path / "a.xlsx", SHEETS)
    for sheets in (("May",), ("Sums", "Orders")):
        with pytest.raises(InputError, match="--sheet"):
            lines(path, sheets=sheets)
        seen = preview(str(path), reading=Reading(sheets=sheets))
        assert (seen.problems[0].kind, len(seen.problems[0].options)) == ("sheets", 3)
        assert seen.source.sheets == ("Orders",) and seen.lines


@pytest.mark.parametrize("first", [0, 2])
def test_rows_above_the_header_and_the_rows_that_messages_name(tmp_path, plain, first):
    rows = [["Sales"], ["of", "2024"], [], HEADER, *ROWS, ["Report", "ends", "here", "x", None]]
    path = book(tmp_path / "a.xlsx", {"S": rows}, first=first)
    assert lines(path) == plain == lines(path, header_row=4) == lines(path, skip=3)
    with read_sales(str(path)) as sales:
        notes = " ".join(sales.notes)
    assert "The header of sheet 'S' is on row 4; 2 rows above it were passed over." in notes
    assert "row 45 of sheet 'S'" in notes
    with pytest.raises(InputError, match=r"no sheet has so many rows.*--header-row"):
        lines(path, header_row=400)


@pytest.mark.parametrize("first", [0, 3])
def test_merged_cells_are_filled_down_and_noted(tmp_path, first):
    rows = [list(row) for row in ROWS[:6]]
    for row in (1, 2, 4, 5):
        rows[row][0] = None
    merged = {"S": [(0, 0, 0, 4, "All sales"), (2, 0, 4, 0, "Ann"), (5, 0, 7, 0, "Bob")]}
    path = book(tmp_path / "a.xlsx", {"S": [["All sales"], HEADER, *rows]}, merged, first)
    assert sorted(row[0] for row in lines(path)) == ["Ann"] * 3 + ["Bob"] * 3
    with read_sales(str(path)) as sales:
        assert "merged were filled with their value, in the columns 'customer_id' (4)." in " ".join(sales.notes)


def test_a_sum_over_merged_rows_counts_once(tmp_path):
    rows = [list(row) for row in ROWS[:9]]
    rows[1][3] = rows[2][3] = None
    path = book(tmp_path / "a.xlsx", {"S": [HEADER, *rows]}, {"S": [(1, 3, 3, 3, "12.50")]})
    with read_sales(str(path)) as sales:
        notes, ledger = " ".join(sales.notes), sales.ledger.to_dict()
    assert "'amount' hold numbers with a fraction; these count once" in notes
    assert (ledger["out"]["lines"], ledger["out"]["revenue"]) == (7, 12.5 + sum(n + 0.25 for n in range(3, 9)))


@pytest.mark.parametrize(
    ("formats", "currency"),
    [
        (["#,##0.00 [$€-407]"], "EUR"),
        (['_-"£"* #,##0.00_-;-"£"* #,##0.00_-;_-"£"* "-"??_-;_-@_-'], "GBP"),
        (["[$$-1009]#,##0.00"], "CAD"),
        (["#,##0.00 [$kr-41D]", None], "SEK"),
        (["[$CHF-807] #,##0.00"], "CHF"),
        (['0.00 "pcs"', "[$-409]0.00", "0.00"], None),
    ],
)
def test_the_currency_of_number_formats_is_seen(tmp_path, formats, currency):
    with read_sales(str(formatted(tmp_path / "a.xlsx", formats))) as sales:
        assert sales.currency == currency and sales.ledger.left.units == 12 * 80_000
        assert bool(currency) == any(f"All money is in {currency}" in note for note in sales.notes)


def test_prices_in_formats_of_two_currencies_are_refused(tmp_path):
    path = formatted(tmp_path / "a.xlsx", ["#,##0.00 [$€-407]", '"£"#,##0.00'])
    with pytest.raises(InputError, match=r"several currencies: row 4 of sheet 'S' and 5 more \('€'\), row 5 of sheet"):
        read_sales(str(path))


def formatted(path: Path, formats: list[str | None]) -> Path:
    """A workbook whose table begins two rows and columns in, with prices shown in these formats by turns."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("S")
        shown = [book.add_format({"num_format": code} if code else {}) for code in formats]
        for column, name in enumerate(("customer_id", "order_date", "quantity", "unit_price")):
            sheet.write(2, 2 + column, name)
        for row in range(12):
            sheet.write_row(3 + row, 2, [f"C{row % 4}", f"2024-03-{row + 10}", 2])
            sheet.write_number(3 + row, 5, 4.0, shown[row % len(shown)])
    return path
