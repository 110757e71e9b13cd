"""The map of packages in CONTRIBUTING.md is the one that the import rules give, and the files it names are there."""

from __future__ import annotations

import re

from tests.package_map import BEGIN, END, PAGE, ROOT, layers, page_with_map


def test_the_map_is_up_to_date():
    """Made anew by ``make map``."""
    page = PAGE.read_text(encoding="utf-8")
    assert page.count(BEGIN) == page.count(END) == 1
    assert page == page_with_map(page)


def test_every_room_is_on_it():
    assert {name for name, _ in layers()} >= {"engines", "storage", "dashboard"}


def test_files_that_it_names_are_there():
    named = set(
        re.findall(r"`((?:dashboard|engines|storage|tests|docs)/[\w/]+(?:\.\w+)?/?)`", PAGE.read_text(encoding="utf-8"))
    )
    named -= {"engines/NAME.py", "dashboard/pages/NAME.py", "dashboard/commands/VERB.py"}
    assert len(named) > 20
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
