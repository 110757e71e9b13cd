"""docs/operations.md is true: every command in it is understood, every setting exists; and no command is left out."""

import json
import os
import re
import shlex
import sqlite3
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from dashboard.cli import main
from dashboard.config import load_config
from storage import open_store
from tests.conftest import ROOT
from tests.storage.samples import finished_run, sample_customers, unpublish

TEXT = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def commands() -> list[list[str]]:
    """The words after ``segmentry`` of every command: on a line of its own, in a table, or as a list in YAML."""
    text = TEXT.replace("{{ ds }}", "2026-11-01")  # as Airflow fills it in
    found = [shlex.split(line) for line in re.findall(r"(?<![\w-])segmentry ((?:[a-z-]+)(?: [^`>\n&;]*)?)", code(text))]
    found += [json.loads(item)[1:] for item in re.findall(r"\[\"segmentry\",[^\]]*\]", text)]
    return found


def code(text: str) -> str:
    """What stands in code: fenced blocks without their comments, and inline."""
    blocks = re.findall(r"^```\w+\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if not line.startswith(("#", "Description"))]
    lines = [re.sub(r"^\s*bash_command=\"(.*)\",$", r"\1", line) for line in lines]
    return "\n".join(
        [*lines, *re.findall(r"`(segmentry [^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))]
    )


def understood(words: list[str]) -> None:
    command: click.Command = main
    while isinstance(command, click.Group):
        name, *words = words
        command = command.commands[name]
    command.make_context(command.name, words)


def test_every_command_is_understood():
    found = commands()
    shown = {" ".join(words[:2]) for words in found}
    assert len(found) >= 20, found
    assert shown >= {
        "migrate",
        "worker",
        "schedule add",
        "schedule list",
        "schedule resume",
        "reproduce 1",
        "prune --keep",
    }
    assert sum(words[0] == "run" for words in found) >= 4, "cron, systemd, Kubernetes, Airflow"
    for words in found:
        understood(words)


def test_every_command_stands_in_the_documentation():
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    assert [name for name in main.commands if not re.search(rf"\bsegmentry {name}\b", text)] == []


def test_a_command_that_is_not_there_would_be_noticed():
    for words in (["run", "--engnie", "rfm", "x.csv"], ["schedule", "add", "x.csv"]):
        with pytest.raises(click.UsageError):
            understood(words)
    with pytest.raises(KeyError):
        understood(["refresh"])


def test_the_settings_it_names_exist():
    known = load_config(environ={"SEGMENTRY_WORKER_LEASE_SECONDS": "30"}).model_dump()
    for section, key in (("worker", "lease_seconds"), ("worker", "in_server"), ("retention", "keep_snapshots")):
        assert key in known[section]
        assert key in TEXT or f"[{section}]" in TEXT
    procfile = (ROOT / "Procfile").read_text(encoding="utf-8")
    for line in procfile.splitlines():
        process, _, command = line.partition(": ")
        assert f"| {process} | `{command}` |" in TEXT


@pytest.mark.postgres
def test_the_backup_of_postgresql_is_restored_as_it_was(tmp_path, postgres_url, monkeypatch):
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parts[-2]))
    if programs:
        monkeypatch.setenv("PATH", str(programs[-1]), prepend=os.pathsep)
    lines = re.findall(r"^pg_(?:dump|restore) .*$", TEXT, re.MULTILINE)
    store = open_store(postgres_url, clock=lambda: datetime.now(UTC))
    _, run, _ = finished_run(store, sample_customers(50))
    labels = store.labels(run.id)
    for line in lines:
        call = {"shell": True, "cwd": tmp_path, "check": True, "timeout": 60}
        subprocess.run(line, env={**os.environ, "DATABASE_URL": postgres_url}, **call)
        if "dump" in line.split()[0]:
            unpublish(store)
            store.delete_run(run.id)
    assert len(lines) == 2
    assert store.run(run.id) == run
    assert store.labels(run.id).equals(labels)
    store.close()


def test_the_backup_of_sqlite_is_whole_while_the_program_runs(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'segmentry.db'}", clock=lambda: datetime.now(UTC))
    _, run, _ = finished_run(store, sample_customers(50))
    statement = re.search(r"\"(VACUUM INTO ')backup/segmentry-\$\(date \+%F\)\.db'\"", TEXT).group(1)
    with sqlite3.connect(tmp_path / "segmentry.db") as connection:
        connection.execute(f"{statement}{tmp_path / 'backup.db'}'")
    copy = open_store(f"sqlite:///{tmp_path / 'backup.db'}", clock=lambda: datetime.now(UTC))
    assert copy.run(run.id) == run
    assert copy.labels(run.id).equals(store.labels(run.id))
    copy.close()
    store.close()
