"""A real PostgreSQL of one's own, run as an ordinary user: for the tests, and for the benchmark of the store."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


def free_port() -> int:
    """A port on the loopback that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    program = str(found[-1]) if found else shutil.which(name)
    if program is None:
        raise FileNotFoundError(f"PostgreSQL's {name} is not installed; `make test` installs it")
    return program


@dataclass(frozen=True)
class Server:
    """A running server. ``url`` names no database yet; ``folder`` is its owner's, and goes with it."""

    url: str
    folder: Path
    owner: str

    def call(self, name: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as the owner of the server."""
        as_owner = ["runuser", "-u", self.owner, "--"] if os.geteuid() == 0 else []
        command = [*as_owner, _program(name), *arguments]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, timeout=600)

    def control(self, *arguments: str) -> None:
        """Start, stop or restart it, and wait until that is done."""
        self.call("pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-w", *arguments)


@contextmanager
def running_postgres(*settings: str) -> Iterator[Server]:
    """A server with an empty cluster and these settings (``fsync=off``), stopped and removed at the end."""
    owner = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    folder = Path(tempfile.mkdtemp(prefix="segmentry-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, owner)
    port = free_port()
    server = Server(f"postgresql://segmentry@127.0.0.1:{port}", folder, owner)
    own = (f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", *settings)
    try:
        access = ("-U", "segmentry", "-A", "trust", "-E", "UTF8", "--no-sync")
        server.call("initdb", "-D", str(folder / "data"), *access)
        server.control("-o", " ".join(f"-c {setting}" for setting in own), "start")
        try:
            yield server
        finally:
            server.control("-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
