"""A line that does not fit the header is set aside and listed; it neither refuses a file nor moves another line."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import InputError
from engines.intake import Reading, read_sales
from engines.intake.schema.preview import preview
from tests.engines.intake.sales_files import ROWS, lines, text

GOOD = text([[cell.replace("«", "").replace("»", "") for cell in row] for row in ROWS])
BROKEN = {
    "1,2": "2 columns where the header has 5: '1,2'",
    "1,2,2024-01-01,4,5,6,7": "7 columns where the header has 5",
    'c1,"o1,2024-01-01,5,six': "a quotation mark that is not closed or not doubled",
    'c1,"o"1",2024-01-01,5,six': "a quotation mark that is not closed or not doubled",
    "End of report": "1 columns where the header has 5: 'End of report'",
}


def put(path: Path, line: str, at: int) -> Path:
    good = GOOD.splitlines()
    path.write_text("\n".join([*good[:at], line, *good[at:]]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("at", [1, 20, 41])
@pytest.mark.parametrize("line", BROKEN)
def test_one_broken_line_is_set_aside_and_the_others_are_read(tmp_path, line, at):
    (tmp_path / "good.csv").write_text(GOOD, encoding="utf-8")
    path = put(tmp_path / "sales.csv", line, at)
    assert lines(path) == lines(tmp_path / "good.csv")
    with read_sales(str(path), keep_dropped=True) as sales:
        ledger, notes = sales.ledger.to_dict(), " ".join(sales.notes)
        (dropped,) = sales.dropped().read_all().to_pylist()
    assert (ledger["in"]["lines"], ledger["out"]["lines"]) == (41, 40)
    assert ledger["rules"][0]["rule"] == "unreadable" and ledger["rules"][0]["lines"] == 1
    assert f"does not fit the header: line {at + 1} ({BROKEN[line]}" in notes
    assert (dropped["line"], dropped["rule"], dropped["customer_id"]) == (at + 1, "unreadable", None)
    assert BROKEN[line] in dropped["reason"]
    seen = preview(str(path))
    assert seen.usable and BROKEN[line] in " ".join(seen.notes)


@pytest.mark.parametrize("packed", [False, True])
def test_a_broken_line_beyond_the_first_ones(tmp_path, packed):
    many = GOOD + "".join(f"c{n % 9},x{n},2024-03-{n % 28 + 1:02d},5,mug\n" for n in range(30_000))
    content = (many + "1,2\n" + "c1,last,2024-03-01,x,mug\n").encode()
    path = tmp_path / ("a.csv.gz" if packed else "a.csv")
    path.write_bytes(gzip.compress(content, 1) if packed else content)
    with read_sales(str(path)) as sales:
        notes, ledger = " ".join(sales.notes), sales.ledger.to_dict()
    assert "line 30042 (2 columns where the header has 5: '1,2')" in notes
    assert "line 30043 ('x')" in notes
    assert (ledger["in"]["lines"], ledger["out"]["lines"]) == (30_042, 30_040)


def test_too_many_broken_lines_refuse_the_file_and_name_what_to_say(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(re.sub(r",[^,\n]*\n", "\n", GOOD).replace("\n", ",more\n", 1), encoding="utf-8")
    says = r"line 2 \(4 columns where the header has 5: .*and 37 more.*--separator.*--header-row.*40 of 40 are more"
    with pytest.raises(InputError, match=says):
        lines(path)
    problems = preview(str(path)).problems
    assert ("separator", "reading.separator") in [(problem.kind, problem.setting) for problem in problems]
    path.write_text(GOOD + "a,b\n" * 40_000, encoding="utf-8")
    with pytest.raises(InputError, match=r"most lines do not fit the header, the last one on line \d+"):
        lines(path)


def test_a_long_text_in_quotes_survives_a_broken_line_beside_it(tmp_path):
    text_of_lines = "\n".join(f"line {n}, with a comma" for n in range(50))
    path = tmp_path / "a.csv"
    good = f'7,2024-01-01,5,"{text_of_lines}"\n8,2024-01-02,6,short\n'
    path.write_text(f"customer,date,amount,note\n1,2\n{good}", encoding="utf-8")
    found = lines(path, {"description": "note"})
    assert [(row[0], row[6]) for row in found] == [("7", text_of_lines), ("8", "short")]


def test_in_many_files_each_broken_line_is_named_with_its_file(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for number in range(6):
        put(folder / f"{number}.csv", "1,2", number + 1)
    other = GOOD.splitlines()
    (folder / "9.csv").write_text("\n".join(",".join(reversed(line.split(","))) for line in [*other, "x,y"]) + "\n")
    with read_sales(str(folder)) as sales:
        notes, ledger = " ".join(sales.notes), sales.ledger.to_dict()
    assert "line 2 of 0.csv (2 columns" in notes and "7 lines were set aside" in notes
    assert (ledger["in"]["lines"], ledger["rules"][0]["lines"]) == (7 * 41, 7)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(1, 40), st.sampled_from(list(BROKEN))), min_size=1, max_size=4))
def test_several_broken_lines_anywhere_leave_the_others_alone(tmp_path_factory, places):
    folder = tmp_path_factory.mktemp("broken")
    good = GOOD.splitlines()
    for at, line in sorted(places, reverse=True):
        good.insert(at, line)
    path = folder / "a.csv"
    path.write_text("\n".join(good) + "\n", encoding="utf-8")
    (folder / "good.csv").write_text(GOOD, encoding="utf-8")
    assert lines(path) == lines(folder / "good.csv")
    with read_sales(str(path)) as sales:
        assert sales.ledger.to_dict()["rules"][0]["lines"] == len(places)
        assert sales.ledger.to_dict()["in"]["lines"] == 40 + len(places)


def test_limits_are_settings(tmp_path):
    path = put(tmp_path / "a.csv", "1,2", 5)
    with pytest.raises(InputError, match="unreadable_lines in"):
        lines(path, unreadable_lines=0)
    assert Reading().unreadable_lines == 20
