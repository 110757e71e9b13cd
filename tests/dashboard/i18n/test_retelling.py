"""Finished English sentences are found again by the code they were made from, and said in another language."""

import pytest

from dashboard.i18n import sentences, texts
from dashboard.i18n.locales import speaking
from dashboard.i18n.retelling import retold
from engines.stated import stated

PO = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"

msgid "{first} is the one to work with: it scores {score:.2f}, the next, {second}, {score2:.2f}."
msgstr "Mit {first} ist zu arbeiten: {score:.2f} gegen {score2:.2f} von {second}."

msgid "Best in {title:stated} ({mine:.2f} against {theirs:.2f})."
msgstr "Am besten bei {title:stated} ({mine:.2f} gegen {theirs:.2f})."

msgid "balance of sizes"
msgstr "Ausgewogenheit"

msgid "{n:,} lines were left out ({share:.0%})."
msgstr "{n:,} Zeilen fielen weg ({share:.0%})."

msgid "A slip of {whose} hand."
msgstr "Ein Ausrutscher von {wessen}."

msgid "All is {adjective}."
msgstr "Alles ist {adjective}."
"""


@pytest.fixture
def german(tmp_path, monkeypatch):
    (tmp_path / "de.po").write_text(PO, encoding="utf-8")
    monkeypatch.setattr(texts, "FOLDER", tmp_path)
    with speaking("de_DE"):
        yield


def test_places_are_found_and_numbers_written_anew(german):
    english = "K-means, k = 5 is the one to work with: it scores 0.71, the next, RFM, 0.64."
    assert retold(english) == "Mit K-means, k = 5 ist zu arbeiten: 0,71 gegen 0,64 von RFM."
    assert retold("12,345 lines were left out (12%).") == "12.345 Zeilen fielen weg (12\u00a0%)."


def test_a_told_place_is_retold_and_no_other(german):
    assert retold("Best in balance of sizes (0.90 against 0.80).") == "Am besten bei Ausgewogenheit (0,90 gegen 0,80)."
    assert retold("All is balance of sizes.") == "Alles ist balance of sizes."


def test_several_sentences_are_retold_one_by_one_and_unknown_ones_stay(german):
    several = "All is well. Nobody knows this. 2 lines were left out (1%). All is odd."
    assert retold(several) == "Alles ist well. Nobody knows this. 2 Zeilen fielen weg (1\u00a0%). Alles ist odd."
    assert retold("What a customer is called") == "What a customer is called"
    assert retold("A slip of the hand.") == "A slip of the hand."
    assert retold("A slip of my hand.") == "A slip of my hand."
    assert retold("") == ""


def test_without_a_translation_nothing_changes():
    with speaking("fr_FR"):
        assert retold("All is well.") == "All is well."
    assert stated("All is well.") == "All is well."


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('stated("One.")', ["One."]),
        ('stated(f"{count:,} of {len(self.names)} {stated(kind)}s")', ["{count:,} of {names} {kind:stated}s"]),
        ('InputError(f"{a.x} and {b.x}, {a.x!r}" f" {y:>3}")', ["{x} and {x2}, {x} {y}"]),
        ('InputError("Run {x}" if a else f"No {{run}}" + "s")', ["Run {x}", "No {run}s"]),
        ('stated(f\'{n} {"line is" if n == 1 else "lines are"} left.\')', ["{n} line is left.", "{n} lines are left."]),
        ('InputError(f"{error}")', []),
        ('InputError(say("Choose another."))', ["Choose another."]),
    ],
)
def test_what_is_told_is_found_in_the_code(code, found):
    assert list(sentences.said_in(code)) == found
