"""What every test may use: the shared real data, a real PostgreSQL, and Debian's Chromium."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings

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
    with _database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_with_tables(postgres_server: str) -> Iterator[str]:
    """The name of a database with the tables and nothing in them, of which others are made as copies."""
    from tests.prepared import make_tables

    with _database(postgres_server) as url:
        make_tables(url)
        yield url.rpartition("/")[2]


@pytest.fixture
def postgres_store_url(postgres_server: str, postgres_with_tables: str) -> Iterator[str]:
    """The URL of a database on a real PostgreSQL that has the tables already, dropped afterwards."""
    with _database(postgres_server, f"template {postgres_with_tables}") as url:
        yield url


@contextmanager
def _database(server: str, kind: str = "") -> Iterator[str]:
    import psycopg

    name = f"test_{uuid4().hex}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"create database {name} {kind}")
    yield f"{server}/{name}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
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


#: Drawn examples are the same in every run: what fails is what was changed.
settings.register_profile("same", derandomize=True, database=None)
settings.load_profile("same")

#: What takes longest: it begins first, so that nothing long is still running alone at the end.
LONGEST = (
    "browser",
    "dashboard/api/test_uploads.py",
    "dashboard/commands/test_cli.py",
    "plugins",
    "test_kill.py",
    "test_readme.py",
    "storage/test_runs.py",
    "storage/test_jobs.py",
    "dashboard/worker/test_worker.py",
    "dashboard/worker/test_restart.py",
    "engines/intake/test_fuzz.py",
    "dashboard/commands/test_reproduce.py",
    "dashboard/commands/test_schedules.py",
    "storage/test_migrations.py",
    "dashboard/commands/test_predict.py",
)


def group_of(nodeid: str) -> str:
    """Tests of one group run in one process, which makes their fixtures once: a module, or what shares a server."""
    file = nodeid.partition("::")[0]
    if "/browser/" in file:
        return "browser"
    name = file.removeprefix("tests/")
    return "plugins" if name in ("test_plugins.py", "test_docs_plugins.py") else name


#: The parts that a CI service can run beside one another (``--part``), by where their tests are; "pages" is the rest.
PARTS = {
    "browser": ("browser/",),
    "engines": ("engines/",),
    "storage": ("storage/",),
    "commands": ("dashboard/commands/", "dashboard/worker/", "dashboard/pipeline/", "plugins/", "test_"),
    "pages": (),
}


def part_of(nodeid: str) -> str:
    """Which part a test belongs to; each belongs to one."""
    name = nodeid.removeprefix("tests/")
    return next((part for part, starts in PARTS.items() if starts and name.startswith(starts)), "pages")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--part``, for a CI service that runs several machines."""
    parser.addoption("--part", choices=sorted(PARTS), help="run this part of the tests alone")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest groups come first, and tests of one group stand together; otherwise the order stays."""
    part = config.getoption("--part")
    if part is not None:
        left = [item for item in items if part_of(item.nodeid) != part]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if part_of(item.nodeid) == part]
    places = {group: place for place, group in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(group_of(item.nodeid), len(LONGEST)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Hands out groups of tests to processes."""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return ByGroup(config, log)


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
