"""Packages really installed, for tests of plug-ins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def install(package: Path, site: Path) -> Path:
    """Build and install a package into a folder of its own, without asking anyone else for anything; the folder."""
    options = ("--no-build-isolation", "--no-deps", "--no-index", "--disable-pip-version-check", "--quiet")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", str(site), str(package)],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return site
