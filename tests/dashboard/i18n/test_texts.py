"""A translation is one file: what is said comes from it, and the template has all that is said."""

from dashboard.i18n import sentences, texts
from dashboard.i18n.locales import speaking

PO = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "No filters: everyone is in view."
msgstr "Keine Filter: alle sind zu sehen."

msgid "Run {run} failed"
msgstr "Lauf {run} ist gescheitert"

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


def test_the_template_is_up_to_date():
    """Made anew by ``make texts``."""
    assert (texts.FOLDER / texts.TEMPLATE).read_bytes() == sentences.template()


def test_the_template_knows_what_is_said_in_every_way():
    template = (texts.FOLDER / texts.TEMPLATE).read_text(encoding="utf-8")
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
