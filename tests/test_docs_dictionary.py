"""The data dictionary says what the code does: every column, field and rule, in the code's own words."""

from __future__ import annotations

import pytest

from engines.columns import CANONICAL_FIELDS, DICTIONARY, describe
from engines.intake import NOTES, RULES
from engines.intake.cleaning.cleaning import SALES_COLUMNS
from tests.conftest import ROOT
from tests.derived import texts


@pytest.fixture(scope="module")
def rows() -> list[list[str]]:
    """The cells of every table row of the page."""
    lines = (ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8").splitlines()
    rows = [line.replace("\\|", "\0").strip("|").split("|") for line in lines if line.startswith("|")]
    return [[cell.strip().replace("\0", "|") for cell in row] for row in rows]


@pytest.mark.parametrize("column", [*DICTIONARY.values(), describe("share_CATEGORY")], ids=lambda c: c.name)
def test_every_customer_column_stands_there_word_for_word(rows, column):
    assert [f"`{column.name}`", column.title, column.unit, column.formula, column.meaning] in rows


@pytest.mark.parametrize("reason", [*RULES.values(), *NOTES.values()], ids=lambda r: r.name)
def test_every_rule_and_note_stands_there_with_its_reason(rows, reason):
    assert [f"`{reason.name}`", reason.catches, reason.because] in rows


def test_rules_stand_in_the_order_in_which_they_are_asked(rows):
    heads = [index for index, row in enumerate(rows) if row[0] == "rule"]
    assert len(heads) == 1
    start = heads[0] + 2
    assert [row[0] for row in rows[start : start + len(RULES)]] == [f"`{name}`" for name in RULES]


@pytest.mark.parametrize("field", CANONICAL_FIELDS)
def test_every_field_that_can_be_mapped_is_explained(rows, field):
    assert any(row[0] == f"`{field}`" and len(row) == 3 and len(row[2]) > 10 for row in rows)


@pytest.mark.parametrize("column", SALES_COLUMNS)
def test_every_column_of_clean_sales_is_explained(rows, column):
    start = next(index for index, row in enumerate(rows) if row == ["column", "type", "what it holds"])
    end = next(index for index, row in enumerate(rows) if row[0] == "rule")
    assert any(f"`{column}`" in row[0] for row in rows[start:end])


def test_no_column_is_described_that_does_not_exist(rows):
    described = {row[0].strip("`") for row in rows if len(row) == 5 and row[0].startswith("`")}
    assert described == {*DICTIONARY, "share_CATEGORY"}


def test_settings_stand_in_config_toml_and_in_the_documentation_as_they_are_declared():
    for file, wanted in texts().items():
        assert file.read_text(encoding="utf-8") == wanted, f"{file.name} is out of date; make texts writes it anew"
