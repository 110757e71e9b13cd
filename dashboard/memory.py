"""How much memory a piece of work needed at most, as the operating system counts it."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

_FORGET_PEAK = "5"  # what Linux takes in clear_refs as: begin the peak of the resident set anew
_PROC = Path("/proc/self")
_MMAP_THRESHOLD = -3  # what the GNU C library's mallopt calls the size from which memory is asked of the system


@contextmanager
def peak_memory(proc: Path = _PROC) -> Iterator[dict[str, int]]:
    """Measure this process while the context lasts; what is found is in the value given when it is left.

    ``peak``: the most memory that the whole process held, in bytes; ``before``: what it held when it began. Nothing
    where the system does not say (anything but Linux). What other threads do meanwhile is counted too.
    """
    usage: dict[str, int] = {}
    try:
        (proc / "clear_refs").write_text(_FORGET_PEAK)
        before = _bytes(proc, "VmRSS")
    except OSError:
        before = None
    yield usage
    peak = None if before is None else _bytes(proc, "VmHWM")
    if before is not None and peak is not None:
        usage |= {"peak": peak, "before": before}


def give_back() -> None:
    """Return what a large piece of work has freed to the operating system; nothing where that is not ours to ask.

    Freed memory is kept for the next allocation otherwise, by Arrow and, thread by thread, by the C library.
    """
    pa.default_memory_pool().release_unused()
    _c_library("malloc_trim", 0)


def give_back_at_once() -> None:
    """From now on return large pieces when they are freed, instead of keeping as many as were ever used by threads."""
    _c_library("mallopt", _MMAP_THRESHOLD, 4 << 20)


def _c_library(name: str, *arguments: int) -> None:
    """Call a function of the GNU C library, where there is one."""
    function = getattr(ctypes.CDLL(None), name, None) if os.name == "posix" else None
    if function is not None:
        function(*arguments)


def _bytes(proc: Path, name: str) -> int | None:
    for line in (proc / "status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return None
