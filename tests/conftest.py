"""What every test may use: the shared real data, a real PostgreSQL, and Debian's Chromium."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.postgres import free_port, running_postgres

__all__ = ["free_port"]

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the project; tests of it are skipped where it does not exist."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no shared data at {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL of this session's own, run as an ordinary user; gives its URL without a database name."""
    with running_postgres("fsync=off") as server:
        yield server.url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database on a real PostgreSQL, dropped afterwards."""
    import psycopg

    name = f"test_{uuid4().hex}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f"create database {name}")
    yield f"{postgres_server}/{name}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f"drop database if exists {name} with (force)")


def pytest_setup_options():
    """Chromium as Debian ships it, without a screen, a sandbox or calls home."""
    from selenium.webdriver.chrome.options import Options

    options = Options()
    options.binary_location = shutil.which("chromium") or "/usr/bin/chromium"
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1400,1000",
        f"--user-data-dir={tempfile.mkdtemp(prefix='segmentry-chromium-')}",
    ):
        options.add_argument(flag)
    return options


#: Modules or folders that take longest: they begin first, so that none is still running alone at the end.
LONGEST = (
    "test_plugins.py",
    "browser",
    "test_kill.py",
    "test_cli.py",
    "test_readme.py",
    "test_store_contract.py",
    "test_intake_fuzz.py",
    "test_worker.py",
    "test_store_migrations.py",
    "test_api_uploads.py",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A module's tests run in one process, which makes its fixtures once; the longest modules come first."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))

    def place(item: pytest.Item) -> int:
        names = (item.path.name, item.path.parent.name)
        return next((place for place, name in enumerate(LONGEST) if name in names), len(LONGEST))

    items.sort(key=place)  # stable: what is not named keeps its order


NEVER_SKIPPED = ("browser", "postgres")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run in which a browser or a PostgreSQL test was skipped has failed, whatever the reason for the skip."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    names = [report.nodeid for report in skipped if any(mark in report.keywords for mark in NEVER_SKIPPED)]
    if names:
        reporter.write_line(f"Browser and PostgreSQL tests must not be skipped: {', '.join(names)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
