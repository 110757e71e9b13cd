"""docs/plugins.md is true: its files make a package, which is installed and does what the page says."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.installing import install

TEXT = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w./]+)`[^\n]*\n\n```\w+\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))
COMMANDS = re.findall(r"^\$ (.+)$", TEXT, re.MULTILINE)


@pytest.fixture
def package(tmp_path):
    """The page's package, and how to call what is installed with it."""
    folder = tmp_path
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    # the folder itself is not on the path, so that what is imported is what was installed
    site = install(folder, folder / "site")
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)]), "PYTHONSAFEPATH": "1"}

    def call(*words):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", *words],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return folder, call


def test_every_file_and_command_is_there():
    assert set(FILES) == {
        "pyproject.toml",
        "corner_shop/regulars.py",
        "corner_shop/recent.py",
        "corner_shop/rest.py",
        "test_regulars.py",
        "test_rest.py",
        "mine.toml",
    }
    assert COMMANDS[0] == "pip install ."


@pytest.mark.slow
def test_the_commands_work_in_their_order(package):
    folder, call = package
    printed = {}
    for command in COMMANDS[1:]:
        program, *words = shlex.split(command)
        if program == "segmentry":
            printed[command] = call("-m", "dashboard.cli", *words)
        else:
            assert program == "python"
            printed[command] = call(*words, "-q", "-p", "no:cacheprovider")
    assert "Regulars" in printed["segmentry engines"] and "corner-shop 0.1.0" in printed["segmentry engines"]
    assert "recent_orders" in printed["segmentry features"]
    assert "Came once" in next(text for command, text in printed.items() if command.startswith("segmentry run"))
    assert "Like the rest" in printed["segmentry models"]
    for tests in ("test_regulars.py", "test_rest.py"):
        assert re.search(r"\d\d passed", printed[f"python -m pytest {tests}"])
    with (folder / "list.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["segment"] for row in rows} == {"Came once", "Come sometimes", "Regulars"}
    recent = [int(float(row["recent_orders"])) for row in rows]
    assert all((number > 0) == (int(row["recency_days"]) <= 90) for number, row in zip(recent, rows, strict=True))
    runs = {run["engine"]: run for run in json.loads(call("-m", "dashboard.cli", "runs", "--json"))}
    assert {name: run["state"] for name, run in runs.items()} == dict.fromkeys(("regulars", "birch", "kmeans"), "done")
    assert runs["kmeans"]["settings"]["features"] == ["recency_days", "monetary", "recent_orders"]


def test_the_last_example_runs():
    code = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)[-1]
    found: dict = {}
    exec(code, found)
    assert len(set(found["labels"])) == 3
