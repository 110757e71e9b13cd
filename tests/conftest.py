"""What every test may use: the shared real data, a real PostgreSQL, and Debian's Chromium."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the project; tests of it are skipped where it does not exist."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no shared data at {SHARED_DATA}")
    return SHARED_DATA


def free_port() -> int:
    """A port on the loopback that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _postgres_program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    program = str(found[-1]) if found else shutil.which(name)
    if program is None:
        pytest.fail(f"PostgreSQL's {name} is not installed; `make test` installs it")
    return program


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL of this session's own, run as an ordinary user; gives its URL without a database name."""
    owner = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    as_owner = ["runuser", "-u", owner, "--"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="segmentry-pg-"))
    shutil.chown(folder, owner) if os.geteuid() == 0 else None
    data, port = folder / "data", free_port()
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"

    def call(*command: str) -> None:
        subprocess.run([*as_owner, *command], check=True, cwd="/", stdout=subprocess.DEVNULL, timeout=120)

    call(_postgres_program("initdb"), "-D", str(data), "-U", "segmentry", "-A", "trust", "-E", "UTF8", "--no-sync")
    log = str(folder / "log")
    call(_postgres_program("pg_ctl"), "-D", str(data), "-l", log, "-w", "-o", options, "start")
    try:
        yield f"postgresql://segmentry@127.0.0.1:{port}"
    finally:
        call(_postgres_program("pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


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
