"""Files that are hard to read rightly, from a folder of cases beside the project, each with its right answer.

The folder has a program that judges the answers of ``segmentry``; here it asks the command line within this process.
"""

from __future__ import annotations

import importlib.util
import subprocess
import tomllib
import traceback
from contextlib import chdir
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from dashboard.cli import main
from tests.conftest import ROOT

CASES = ROOT.parent / "shared" / "cases" / "intake"
FOUND = tomllib.loads((CASES / "cases.toml").read_text(encoding="utf-8"))["case"] if CASES.is_dir() else []


def ask(program: str, folder: str, *words: str) -> subprocess.CompletedProcess[str]:
    """What the command line answers in a folder."""
    environ = {"DATABASE_URL": f"sqlite:///{folder}/store.db", "NO_COLOR": "1", "COLUMNS": "1000"}
    with chdir(folder):
        answer = CliRunner(env=environ).invoke(main, list(words))
    said = answer.stderr
    if answer.exception and not isinstance(answer.exception, SystemExit):
        said += "".join(traceback.format_exception(answer.exception))
    return subprocess.CompletedProcess(words, answer.exit_code, answer.stdout, said)


@pytest.fixture(scope="module")
def judge() -> ModuleType:
    loader = SourceFileLoader("judge_of_cases", str(CASES / "check"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    module.call = ask
    return module


@pytest.mark.skipif(not FOUND, reason=f"no cases at {CASES}")
@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=() if place % 24 == 0 else pytest.mark.slow) for place, case in enumerate(FOUND)],
    ids=[case["name"] for case in FOUND],
)
def test_a_case_is_read_rightly_or_refused_helpfully(judge: ModuleType, case: dict[str, object]):
    wrong = judge.judge("segmentry", Path(CASES), case)
    assert wrong is None, f"expected {wrong[0]}; got {wrong[1]}" if wrong else ""
