"""A finished store on the CDNOW sample, made once for all processes of a test run and copied where it is used."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from tests.dashboard.calling import call
from tests.prepared import copy_store
from tests.quick import QUICK_ENVIRON


@pytest.fixture(scope="session")
def cdnow_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``segmentry.db`` (run 1: RFM, run 2: K-means, k = 3) and ``printed.txt``, what that printed."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # which the processes have in common
    folder, before = root / "cdnow", Path.cwd()
    with (root / "cdnow.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            making = root / "cdnow being made"
            making.mkdir()
            os.chdir(making)
            try:
                words = ("run", "cdnow-sample", "--engine", "rfm", "--engine", "kmeans", "--k", 3)
                printed = call(*words, **QUICK_ENVIRON).stdout
            finally:
                os.chdir(before)
            (making / "printed.txt").write_text(printed, encoding="utf-8")
            making.rename(folder)
    return folder


@pytest.fixture
def cdnow(cdnow_folder: Path, tmp_path: Path) -> Path:
    """A copy of that store as ``segmentry.db`` in the test's own folder."""
    return copy_store(cdnow_folder / "segmentry.db", tmp_path / "segmentry.db")
