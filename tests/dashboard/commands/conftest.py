"""``segmentry`` for tests of commands: in a folder of its own, with settings that cost little."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dashboard.calling import Call, call
from tests.quick import QUICK_ENVIRON


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in QUICK_ENVIRON.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def segmentry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Calls ``segmentry`` in a folder of its own; gives the result with its exit code and both streams."""
    monkeypatch.chdir(tmp_path)
    return call
