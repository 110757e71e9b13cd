"""A translation is one file: what is said comes from it, and the template has all that is said."""

import os
import shlex
import subprocess
import sys
from datetime import date
from pathlib import Path

from dashboard.i18n import texts
from dashboard.i18n.locales import speaking
from engines.messages import message, message_number

ROOT = Path(__file__).resolve().parents[3]

PO = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "No filters: everyone is in view."
msgstr "Keine Filter: alle sind zu sehen."

msgid "Run {run} failed"
msgstr "Lauf {run} ist gescheitert"

msgid "{first} is the one to work with: it scores {score:.2f}, {share:.0%} of {days:,}, since {day}: {why}"
msgstr "Mit {first} ist zu arbeiten: {score:.2f}, {share:.0%} von {days:,}, seit {day}: {why}"

msgid "balance of sizes"
msgstr "Ausgewogenheit"

msgid "{n:,} line fell."
msgid_plural "{n:,} lines fell."
msgstr[0] "{n:,} Zeile fiel weg."
msgstr[1] "{n:,} Zeilen fielen weg."

msgid "A slip of {whose} hand."
msgstr "Ein Ausrutscher von {wessen}."

msgid "{n} filter"
msgid_plural "{n} filters"
msgstr[0] "{n} Filter hier"
msgstr[1] "{n} Filter da"
"""


def test_a_file_in_the_folder_is_the_whole_translation(tmp_path, monkeypatch):
    (tmp_path / "de.po").write_text(PO, encoding="utf-8")
    monkeypatch.setattr(texts, "FOLDER", tmp_path)
    with speaking("de_DE"):
        assert texts.say("No filters: everyone is in view.") == "Keine Filter: alle sind zu sehen."
        assert texts.say("Run {run} failed", run=7) == "Lauf 7 ist gescheitert"
        assert texts.say_number("{n} filter", "{n} filters", 1, n=1) == "1 Filter hier"
        assert texts.say_number("{n} filter", "{n} filters", 3, n=3) == "3 Filter da"
        assert texts.say("Nobody has translated {this}", this="it") == "Nobody has translated it"
    assert texts.say("No filters: everyone is in view.") == "No filters: everyone is in view."
    with speaking("fr_FR"):
        assert texts.say("Run {run} failed", run=7) == "Run 7 failed"


def test_a_message_is_said_with_its_parts_in_the_language(tmp_path, monkeypatch):
    (tmp_path / "de.po").write_text(PO, encoding="utf-8")
    monkeypatch.setattr(texts, "FOLDER", tmp_path)
    said = message(
        "{first} is the one to work with: it scores {score:.2f}, {share:.0%} of {days:,}, since {day}: {why}",
        first="balance of sizes",
        score=0.714,
        share=0.12,
        days=12345,
        day=date(2011, 12, 9),
        why=message("balance of sizes"),
    )
    with speaking("de_DE"):
        assert texts.say(said) == (
            "Mit balance of sizes ist zu arbeiten: 0,71, 12\u00a0% von 12.345, seit 9. Dez. 2011: Ausgewogenheit"
        )
        assert texts.say(message_number("{n:,} line fell.", "{n:,} lines fell.", 1, n=1)) == "1 Zeile fiel weg."
        assert (
            texts.say(message_number("{n:,} line fell.", "{n:,} lines fell.", 1200, n=1200))
            == "1.200 Zeilen fielen weg."
        )
        assert texts.say(message("A slip of {whose} hand.", whose="my")) == "A slip of my hand."
        assert texts.say(message("{n:,} words nobody translated", n=1200)) == "1.200 words nobody translated"
        assert texts.say("balance of sizes") == "Ausgewogenheit"  # a fixed sentence of an earlier version
    assert texts.say(said).endswith("it scores 0.71, 12% of 12,345, since 9 Dec 2011: balance of sizes")
    assert texts.say_in("en_GB", said) is said
    assert texts.say_in("de_DE", message("balance of sizes")) == "Ausgewogenheit"


def test_the_template_is_up_to_date(tmp_path):
    """Made anew by ``make texts``."""
    tools, made = Path(sys.executable).parent, tmp_path / "segmentry.pot"
    asked = subprocess.run(
        ["make", "--dry-run", "texts", f"BIN={tools}", f"POT={made}"],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=True,
    )
    command = next(line for line in asked.stdout.splitlines() if "pybabel" in line)
    subprocess.run(shlex.split(command), cwd=ROOT, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert texts.TEMPLATE.read_bytes() == made.read_bytes()


def test_the_template_knows_what_is_said_in_every_way():
    template = texts.TEMPLATE.read_text(encoding="utf-8")
    said = (
        'msgid "Export {customers}"',  # say
        'msgid "Spent so far"',  # noted
        'msgid_plural "{n} customers"',  # plural
        'msgid "Migration"',  # the title of a page
        'msgid "Days since the last order: small is good."',  # the meaning of a column
        'msgid_plural "{customers} customers have ordered just once: {share}."',  # an insight
    )
    assert [words for words in said if words not in template] == []


def test_the_empty_text_stays_empty(tmp_path, monkeypatch):
    (tmp_path / "de.po").write_text(PO, encoding="utf-8")
    monkeypatch.setattr(texts, "FOLDER", tmp_path)
    with speaking("de_DE"):
        assert texts.say("") == ""
