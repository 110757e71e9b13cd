"""``segmentry`` for tests of commands: in a folder of its own, with settings that cost little."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dashboard.calling import Call, call


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two refits in place of twenty say how far chance goes; tests/engines has those of what they say."""
    monkeypatch.setenv("SEGMENTRY_DRIFT_BOOTSTRAPS", "2")


@pytest.fixture
def segmentry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Calls ``segmentry`` in a folder of its own; gives the result with its exit code and both streams."""
    monkeypatch.chdir(tmp_path)
    return call
