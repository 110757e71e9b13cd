"""A large file goes to disk as it comes in: the memory of the server does not grow with it."""

import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.serving import serving

pytestmark = pytest.mark.slow
SIZE_MB = 500
GROWTH_MB = 60
SERVER_MB = 600

PROGRAM = """
import asyncio, resource, sys
from pathlib import Path
from dashboard.pipeline.receive import Limits, receive

HEAD = b'--x\\r\\nContent-Disposition: form-data; name="file"; filename="sales.csv"\\r\\n\\r\\n'
PIECE = b"K1;R1;2024-01-02;1;9.90\\n" * 2621

async def pieces(megabytes):
    yield HEAD
    for _ in range(megabytes * 2**20 // len(PIECE)):
        yield PIECE
    yield b"\\r\\n--x--\\r\\n"

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def take(megabytes):
    limits = Limits(Path(sys.argv[1]), 2**30)
    return asyncio.run(receive("multipart/form-data; boundary=x", pieces(megabytes), limits))

take(1)
before = peak()
size = take(int(sys.argv[2])).size
print(peak() - before, size)
"""


def test_receiving_does_not_grow_with_the_file(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), str(SIZE_MB)],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    growth, size = map(float, done.stdout.split())
    assert size > 0.99 * SIZE_MB * 2**20
    assert growth < GROWTH_MB


class _Body:
    """A form of ``SIZE_MB`` that is never in memory as a whole."""

    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="sales.csv"\r\n\r\n'
    tail = b"\r\n--x--\r\n"
    piece = b"K1;R1;2024-01-02;1;9.90\n" * 2621

    def __init__(self) -> None:
        self.count = SIZE_MB * 2**20 // len(self.piece)

    def __len__(self) -> int:
        return len(self.head) + self.count * len(self.piece) + len(self.tail)

    def __iter__(self):
        yield self.head
        for _ in range(self.count):
            yield self.piece
        yield self.tail


def _peaks(stop: threading.Event, port: str, found: list[float]) -> None:
    """The largest resident memory of the server's processes together, in MB, until told to stop."""
    while not stop.wait(0.1):
        total = 0.0
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes()
                if b"serve" in words and port.encode() in words:
                    total += int((folder / "statm").read_text().split()[1]) * 4096 / 2**20
            except OSError:  # it has ended
                continue
        found.append(total)


def test_the_server_stays_small(tmp_path):
    with serving(tmp_path) as address:
        stop, found = threading.Event(), [0.0]
        watcher = threading.Thread(target=_peaks, args=(stop, address.rsplit(":", 1)[1], found))
        watcher.start()
        try:
            body = _Body()
            headers = {"content-type": "multipart/form-data; boundary=x", "content-length": str(len(body))}
            request = urllib.request.Request(f"{address}/api/v1/uploads", data=iter(body), headers=headers)
            with urllib.request.urlopen(request, timeout=300) as answer:
                assert answer.status == 201
        finally:
            stop.set()
            watcher.join()
    print(f"peak of the server at {SIZE_MB} MB: {max(found):.0f} MB")
    assert 0 < max(found) < SERVER_MB
