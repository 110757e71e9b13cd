"""Opening of delimited text: commas, semicolons, tabs, bars or blanks between the columns, in any encoding."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from engines.errors import InputError
from engines.intake.sources.encodings import NO_BREAK, QUOTE, TAB, rewrite
from engines.intake.sources.source import Source, header_of
from engines.messages import message
from engines.settings import Reading

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}
_LOOK, _LINES = 1 << 16, 25  # how much of a text says what parts its columns
_CHUNK = 1 << 20


def open_text(path: Path, name: str, folder: Path, reading: Reading) -> Source:
    """Open a text, packed or not; where it is no plain UTF-8, ``folder`` holds it as such until its lines are read.

    Raises:
        InputError: it is empty, damaged or no text, or its first line cannot be a header.
    """
    written = rewrite(path, folder / "lines.csv", reading.encoding, name)
    text = written.path
    sample = _sample(text)
    if not sample:
        raise InputError("{name} is empty. Give one with a header and lines.", name=name)
    separator = reading.separator or _separator(sample)
    if separator not in _SEPARATORS:
        raise InputError(
            "The separator {separator!r} is not known; say comma, semicolon, tab, pipe or space.", separator=separator
        )
    mark = separator
    if separator == " ":
        text, mark = _tabbed(text, folder / "tabbed.csv"), "\t"
    elif text == path:  # DuckDB takes *, ? and [ in the user's own path for wildcards
        text = folder / "lines.csv"
        text.symlink_to(path.resolve())
    try:
        first = next(_records(text, mark), (0, []))[1]
    except csv.Error as error:
        raise InputError("{name}: the first line cannot be read: {error}.", name=name, error=error) from None
    columns = header_of(first, reading.columns, name)
    header = not reading.columns
    types = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(columns)))
    location, delimiter = str(text).replace("'", "''"), mark.replace("\t", "\\t")
    newline = "\\n" if separator == " " else written.newline.replace("\r", "\\r").replace("\n", "\\n")
    quoted = QUOTE in written.marks
    tabs = TAB in written.marks and separator != " " and (separator != "\t" or quoted)
    blanks = " " + "\t" * tabs + "\n" * quoted + "\u00a0" * (NO_BREAK in written.marks)

    def locate(line: int) -> str:
        records = islice(_records(text, mark), line + header, None)
        try:
            return f"line {next(records)[0] + written.above}"
        except (csv.Error, StopIteration):
            return f"line {line + header + 1 + written.above}"

    plain = separator == "," and written.encoding in ("utf-8", "utf-8-sig")
    return Source(
        name=name,
        columns=columns,
        relation=f"read_csv('{location}', auto_detect = false, header = {str(header).lower()}, delim = '{delimiter}', "
        f"quote = '\"', escape = '\"', new_line = '{newline}', columns = {{{types}}})",
        fingerprint=written.fingerprint,
        locate=locate,
        notes=()
        if plain
        else (
            message(
                "Read as {encoding}, columns parted by {separators}.",
                encoding=written.encoding,
                separators=_SEPARATORS[separator],
            ),
        ),
        encoding=written.encoding,
        separator=separator,
        above=written.above,
        file=str(text),
        size=text.stat().st_size,
        lines=_about_lines(text),
        blanks=blanks,
    )


def _sample(text: Path) -> list[str]:
    """The first lines that are not blank, without what stands in quotation marks."""
    with text.open(encoding="utf-8-sig", newline="") as file:
        start = file.read(_LOOK)
    bare = re.sub(r'"[^"]*"', "", start)
    lines = [line for line in bare.split("\n") if line.strip()]
    whole = lines if len(start) < _LOOK or len(lines) == 1 else lines[:-1]
    return whole[:_LINES]


def _about_lines(text: Path) -> int:
    """How many lines there are if all are as long as the first ones."""
    with text.open("rb") as file:
        start = file.read(_LOOK)
    return round(text.stat().st_size * (start.count(b"\n") or 1) / (len(start) or 1))


def _separator(sample: Sequence[str]) -> str:
    """What parts the columns: the sign that is there, best equally often on every line; blanks where there is none."""
    header = sample[0]
    if not any(sign in header for sign in ",;\t|"):
        counts = {len(line.split()) for line in sample}
        return " " if len(sample) > 1 and counts != {1} and len(counts) == 1 else ","

    def fits(sign: str) -> tuple[bool, int]:
        counts = [line.count(sign) for line in sample]
        return counts[0] > 0 and len(set(counts)) == 1, counts[0]

    return max(",;\t|", key=fits)


def _tabbed(text: Path, target: Path) -> Path:
    """The same lines with a tab for every run of blanks, and none at their ends."""
    with text.open(encoding="utf-8-sig") as lines, target.open("w", encoding="utf-8", newline="") as out:
        while line := lines.readline(_CHUNK):
            out.write("\t".join(line.split()) + "\n")
    return target


def _records(text: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    with text.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=separator, strict=False)
        for record in reader:
            if record:  # DuckDB passes over blank lines as well
                yield reader.line_num, record
