"""Head of a large text file, cut at the end of a line, for a preview that need not read it all."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from engines.intake.sources.formats import format_of_file
from engines.intake.sources.locations import kind_of
from engines.settings import Reading

_ENOUGH = 1 << 20  # bytes
_PLAIN_TEXT = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")


def start_of(source: str, folder: Path, reading: Reading) -> Path | None:
    """A copy of the first whole lines of a large text file under its own name; None where it is to be opened itself."""
    path = Path(source)
    name = path.name.lower()
    if not name.endswith(_PLAIN_TEXT) or kind_of(source) != "file":
        return None
    packed = name.endswith(".gz")
    try:
        if not packed and format_of_file(path) != "text":
            return None
        with gzip.open(path) if packed else path.open("rb") as file:
            start = file.read(_ENOUGH)
            if len(start) < _ENOUGH:
                return None
    except (OSError, EOFError, zlib.error):
        return None  # opening it says what is wrong
    wide = start[:2] in (b"\xff\xfe", b"\xfe\xff") or reading.encoding.lower().startswith("utf-16")
    end = _last_line_end(start, wide)
    if end == 0:
        return None
    copy = folder / "start" / path.name
    copy.parent.mkdir()
    copy.write_bytes(gzip.compress(start[:end], 1) if packed else start[:end])
    return copy


def _last_line_end(start: bytes, wide: bool) -> int:
    """Where the last line ends that is whole: an even number of quotation marks stand before it. 0 for nowhere."""
    quotes, end = start.count(b'"'), len(start)
    newline = b"\n" if b"\n" in start else b"\r"
    while (found := start.rfind(newline, 0, end)) >= 0:
        quotes -= start.count(b'"', found, end)
        end = found
        after = found + 1 + (wide and start[found + 1 : found + 2] == b"\0")
        if quotes % 2 == 0 and (not wide or after % 2 == 0):
            return after
    return 0
