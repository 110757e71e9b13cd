"""How much memory a piece of work needed at most, as the operating system counts it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FORGET_PEAK = "5"  # what Linux takes in clear_refs as: begin the peak of the resident set anew
_PROC = Path("/proc/self")


@contextmanager
def peak_memory(proc: Path = _PROC) -> Iterator[dict[str, int]]:
    """Measure this process while the context lasts; what is found is in the value given when it is left.

    ``peak``: the most memory that the whole process held, in bytes; ``before``: what it held when it began. Nothing
    where the system does not say (anything but Linux). What other threads do meanwhile is counted too.
    """
    found: dict[str, int] = {}
    try:
        (proc / "clear_refs").write_text(_FORGET_PEAK)
        before = _bytes(proc, "VmRSS")
    except OSError:
        before = None
    yield found
    peak = None if before is None else _bytes(proc, "VmHWM")
    if before is not None and peak is not None:
        found |= {"peak": peak, "before": before}


def _bytes(proc: Path, name: str) -> int | None:
    for line in (proc / "status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return None
