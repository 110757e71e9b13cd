"""The commands in README.md are true: each is run, in order, in an empty folder."""

import re
import shlex
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from dashboard.cli import main
from tests.conftest import ROOT
from tests.quick import QUICK_ENVIRON
from tests.serving import serving

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_console_commands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, value in QUICK_ENVIRON.items():
        monkeypatch.setenv(name, value)
    commands = re.findall(r"^\$ segmentry (.+)$", TEXT, re.MULTILINE)
    assert len(commands) >= 5
    for command in commands:
        if command != "serve":
            done = CliRunner().invoke(main, shlex.split(command), catch_exceptions=False)
            assert done.exit_code == 0, done.output
            continue
        with serving(tmp_path) as address, urllib.request.urlopen(address, timeout=10) as page:
            assert b"Segmentry" in page.read()


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    texts = TEXT + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"`?make ([a-z-]+)`?", texts))
    assert targets >= {"demo", "test", "lint"}
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_links_lead_somewhere():
    for file in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))):
        for link in re.findall(r"\]\(([^)#:]+)\)", file.read_text(encoding="utf-8")):
            assert (file.parent / Path(link)).exists(), f"{file.name}: {link}"
