"""Encoding of a text file (UTF-8, UTF-16, ISO-8859-1, cp1252, Mac Roman): found out, and converted to UTF-8."""

from __future__ import annotations

import codecs
import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

from engines.errors import InputError
from engines.intake.sources.archives import PACKED, Readable, unpacked
from engines.intake.sources.source import OptionError

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CHUNK = 1 << 20
#: What decides which blanks cells may begin or end with.
TAB, QUOTE, NO_BREAK = b"\t", b'"', b"\xc2\xa0"
_LOOK = 4096  # bytes at the start that say whether every other byte is zero
#: What old Macs wrote, with CR alone at the end of a line.
MAC = "mac_roman"
_BEFORE = 1 << 20  # bytes at the start whose letters tell Mac Roman from cp1252
#: Between 80 and 9F, cp1252 has letters and marks, and ISO-8859-1 nothing that is ever printed.
_ONLY_CP1252 = re.compile(rb"[\x80-\x9f]")


@dataclass(frozen=True)
class Rewritten:
    """How a text was written, and where it can be read as UTF-8.

    ``above``: blank lines that stood above its first line. ``fingerprint``: of its bytes. ``newline``: what ends its
    lines now. ``marks``: which of TAB, QUOTE and NO_BREAK are in it.
    """

    path: Path
    encoding: str
    above: int
    fingerprint: str
    marks: frozenset[bytes]
    newline: str = "\n"


class _OtherEncodingError(Exception):
    """A text cannot be in the encoding it was taken for. ``line``: where; ``mixed``: it was, up to there."""

    def __init__(self, line: int, mixed: bool) -> None:
        super().__init__(line, mixed)
        self.line, self.mixed = line, mixed


def rewrite(path: Path, target: Path, told: str, name: str) -> Rewritten:
    """A text, packed or not, as UTF-8 with one kind of line ends, for DuckDB knows no other encoding.

    A plain file that is so already is read where it lies; anything else is written to ``target``, a piece at a time.

    Raises:
        InputError: zero bytes, an encoding that is not known or does not fit, or two in one file.
    """
    with unpacked(path, name) as file:
        start = file.read(_LOOK)
        candidates = _candidates(start, told)
        if candidates[-1] == "cp1252" and b"\r" in start and b"\n" not in start:
            candidates = ("utf-8", _of_old_mac(start + file.read(_BEFORE)))
    begins = start.removeprefix(codecs.BOM_UTF8)[:1]
    kinds = ("utf-8", "utf-8-sig")
    if (
        codecs.lookup(candidates[0]).name in kinds
        and path.suffix.lower() not in PACKED
        and begins not in (b"\n", b"\r")
    ):
        as_it_is = _as_it_is(path, candidates[0], name)
        if as_it_is is not None:
            return as_it_is
    for encoding in candidates:
        try:
            with unpacked(path, name) as file, target.open("wb") as out:
                return _copied(file, encoding, out, name, told=bool(told))
        except _OtherEncodingError as error:
            if told:
                raise OptionError(
                    "encoding",
                    InputError(
                        "{name} is not in {told}: line {line} cannot be read so. Give another --encoding, or none.",
                        name=name,
                        told=told,
                        line=error.line,
                    ),
                ) from None
            if error.mixed and encoding == "utf-8":
                raise OptionError(
                    "encoding",
                    InputError(
                        "{name} mixes encodings: it is UTF-8 up to line {line}, and that line is not. Save it in "
                        "one, or say which one to read all of it in, as --encoding cp1252.",
                        name=name,
                        line=error.line,
                    ),
                ) from None
    raise OptionError(
        "encoding",
        InputError(
            "{name} is in an unknown encoding: neither UTF-8, UTF-16, ISO-8859-1 nor cp1252. Save it "
            "in UTF-8, or say what it is with --encoding.",
            name=name,
        ),
    )


def _as_it_is(path: Path, encoding: str, name: str) -> Rewritten | None:
    """A plain file where it lies, if it is UTF-8 and its lines end alike; by CR LF only if nothing is quoted."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    digest, marks = hashlib.sha256(), _Marks()
    feeds = returns = both = 0
    last = pending = b""
    fed_before = False
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            if b"\0" in chunk:
                raise _zero_bytes(name)
            if not (chunk.isascii() and pending == b""):
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    return None
                pending = decoder.getstate()[0]
            marks.look_at(chunk)
            both += last == b"\r" and chunk.startswith(b"\n")
            last = chunk[-1:]
            returned = chunk.count(b"\r") if b"\r" in chunk else 0  # to look for one is faster than to count none
            if returned:
                returns += returned
                both += chunk.count(b"\r\n")
            if returned or returns:
                feeds += chunk.count(b"\n")
                if both + (last == b"\r") < returns or both < feeds or fed_before or QUOTE in marks.seen:
                    return None
            else:
                fed_before = fed_before or b"\n" in chunk
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return None
    if returns and not returns == both == feeds:
        return None
    return Rewritten(path, encoding, 0, digest.hexdigest(), marks.seen, "\r\n" if returns else "\n")


class _Marks:
    """Which marks are in a text that comes in pieces."""

    def __init__(self) -> None:
        self.seen: frozenset[bytes] = frozenset()
        self._last = b""

    def look_at(self, chunk: bytes) -> None:
        """Take note of the next piece."""
        marks = {TAB, QUOTE} if chunk.isascii() else {TAB, QUOTE, NO_BREAK}
        edge = self._last + chunk[:1]
        self.seen |= {mark for mark in marks - self.seen if mark in chunk or mark == edge}
        self._last = chunk[-1:]


def _candidates(start: bytes, told: str) -> tuple[str, ...]:
    if told:
        try:
            "".encode(told)
            codecs.getincrementaldecoder(told)
        except (LookupError, UnicodeError, ValueError):
            raise OptionError(
                "encoding",
                InputError(
                    "There is no encoding {told!r}; write --encoding utf-8, utf-16, iso-8859-1 or cp1252.", told=told
                ),
            ) from None
        return (told,)
    marked = next((encoding for bom, encoding in _BOMS if start.startswith(bom)), None)
    if marked:
        return (marked,)
    pairs = len(start) // 2
    even, odd = start[0 : 2 * pairs : 2].count(0), start[1 : 2 * pairs : 2].count(0)
    if pairs and min(even, odd) == 0 and max(even, odd) > pairs * 0.4:
        return ("utf-16-be" if even else "utf-16-le",)
    return ("utf-8", "cp1252")


def _of_old_mac(start: bytes) -> str:
    """Mac Roman, unless cp1252 makes more words of the letters of a text whose lines end in CR."""
    return max((MAC, "cp1252"), key=lambda encoding: _words(start.decode(encoding, "replace")))


def _words(text: str) -> int:
    """How many letters that are not ASCII stand as letters do: no capital one among small ones of a word."""
    around = zip(" " + text, text, text[1:] + " ", strict=False)
    return sum(
        letter.isalpha()
        and letter not in "ªºﬁﬂƒµΩπ"
        and not (letter.isupper() and (before.islower() or (before.isalpha() and after.islower())))
        for before, letter, after in around
        if not letter.isascii()
    )


def _zero_bytes(name: str) -> InputError:
    return InputError("{name} is not text: it holds zero bytes. Save it as CSV in UTF-8.", name=name)


def _copied(file: Readable, encoding: str, out: io.BufferedWriter, name: str, *, told: bool) -> Rewritten:
    inner = codecs.getincrementaldecoder(encoding)()
    decoder = io.IncrementalNewlineDecoder(inner, translate=True)
    digest, wide = hashlib.sha256(), codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))
    lines, above, started, beyond, cp1252 = 0, 0, False, False, False
    marks = _Marks()
    while True:
        chunk = file.read(_CHUNK)
        digest.update(chunk)
        if not wide and b"\0" in chunk:
            raise _zero_bytes(name)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            good = error.object[: error.start]
            ends = good.replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n")
            raise _OtherEncodingError(lines + ends + 1, beyond or not good.isascii()) from None
        except UnicodeError:  # a UTF-16 without its mark
            raise _OtherEncodingError(lines + 1, False) from None
        if "\0" in text:
            raise _zero_bytes(name)
        lines += text.count("\n")
        beyond = beyond or not text.isascii()
        cp1252 = cp1252 or (encoding == "cp1252" and _ONLY_CP1252.search(chunk) is not None)
        if not started:  # blank lines above the header would be taken for it
            bare = text.removeprefix("\ufeff").lstrip("\n")
            above += text.count("\n") - bare.count("\n")
            text, started = bare, bool(bare)
        written = text.encode("utf-8", "replace")
        marks.look_at(written)
        out.write(written)
        if not chunk:
            break
    known = "iso-8859-1" if encoding == "cp1252" and not told and not cp1252 else encoding
    return Rewritten(Path(out.name), known, above, digest.hexdigest(), marks.seen)
