"""Skipping a browser or a PostgreSQL test fails the run."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

TEST = """
import pytest

@pytest.mark.{mark}
def test_it():
    pytest.skip("nothing to talk to")
"""


@pytest.mark.parametrize(("mark", "code"), [("browser", 1), ("postgres", 1), ("slow", 0)])
def test_a_skipped_test_fails_the_run(tmp_path, mark, code):
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_sessionfinish\n", encoding="utf-8")
    (tmp_path / "test_it.py").write_text(TEST.format(mark=mark), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  browser\n  postgres\n  slow\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "pytest", "-p", "no:cacheprovider", str(tmp_path)],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == code, done.stdout
