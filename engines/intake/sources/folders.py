"""Many files as one source: a folder, a pattern, or a zip, in any order."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import duckdb

from engines.errors import InputError
from engines.intake.sources.source import BROKEN, Source, picked
from engines.messages import message

_SEVERAL = 3  # files with broken lines, after which they are looked for in all


@dataclass(frozen=True)
class Many(Source):
    """Several sources of one shape, in the order of their names."""

    parts: tuple[Source, ...] = ()
    #: The relation of all lines; one that was put in its place is loaded as it is.
    whole: str = ""
    #: How many lines each part has; known once they are loaded.
    sizes: list[int] = field(default_factory=list, compare=False)
    #: Makes one source of these parts as this one was made.
    again: Callable[[Sequence[Source]], Source] | None = field(default=None, compare=False)

    def in_memory(self) -> Sequence[Source]:
        """The files that are in memory."""
        return [part for part in self.parts if part.arrow is not None]

    def part_of(self, error: str) -> Source:
        """The file that an error of the database names; all of them where it names none."""
        return next((part for part in self.parts if part.file and part.file in error), self)

    def mended(self, part: Source) -> Source:
        """The same source with the broken lines of a part set apart; of all parts, once several have had some."""
        if self.again is None:
            return self
        every = sum(each.broken for each in self.parts) >= _SEVERAL
        return self.again([each.mended(each) if every or each is part else each for each in self.parts])

    def scan(self, connection: duckdb.DuckDBPyConnection, needed: Sequence[int]) -> str:
        """SQL of the lines of one part after the other, so that a line's number and part tell its file."""
        if self.relation != self.whole:
            return super().scan(connection, needed)
        types = self._types(connection)
        cast = ", ".join(f"cast(c{index} as {kind}) as c{index}" for index, kind in enumerate(types))
        lines = (
            picked(
                f"(select {cast}{f', {BROKEN}' if part.broken else ''} from {part.relation})",  # noqa: S608 - our names
                types,
                needed,
                number,
                header=part.header,
                broken=part.broken,
            )
            for number, part in enumerate(self.parts)
        )
        return " union all ".join(lines)

    def count_parts(self, counts: Mapping[int, int]) -> None:
        """Take note of how many lines each file has."""
        self.sizes[:] = [counts.get(number, 0) for number in range(len(self.parts))]

    def _types(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """The type of each column that holds what all parts have."""
        columns = ", ".join(f"c{index}" for index in range(len(self.columns)))
        every = " union all ".join(f"(select {columns} from {part.relation} limit 0)" for part in self.parts)  # noqa: S608
        return [row[1] for row in connection.execute(f"describe {every}").fetchall()]


def combined(name: str, opened: Sequence[Source], notes: Sequence[str] = ()) -> Source:
    """One source of the lines of several; the order in which they are given does not matter.

    Raises:
        InputError: they have not the same columns; the odd one is named with what it lacks and has.
    """
    flat = [part for one in opened for part in (one.parts if isinstance(one, Many) else (one,))]
    parts = sorted(flat, key=lambda part: part.name)
    if len(parts) == 1:
        return replace(parts[0], notes=(*parts[0].notes, *notes))
    usual = Counter(tuple(sorted(part.columns)) for part in parts).most_common(1)[0][0]
    first = next(part for part in parts if tuple(sorted(part.columns)) == usual)
    parts = [_in_order(part, first, f"arrow_lines_{number}") for number, part in enumerate(parts)]
    sizes: list[int] = []

    def locate(line: int) -> str:
        for part, size in zip(parts, sizes, strict=False):
            if line < size:
                place, bracket, why = part.locate(line).partition(" (" if part.broken else "\n")
                return f"{place} of {part.name}{bracket}{why}"
            line -= size
        return f"line {line + 1}"

    prints = sorted(part.fingerprint for part in parts)
    every = ", ".join(f"c{index}" for index in range(len(first.columns)))
    relation = "(" + " union all ".join(f"select {every} from {part.relation}" for part in parts) + ")"  # noqa: S608
    return Many(
        name=name,
        columns=first.columns,
        relation=relation,
        fingerprint=hashlib.sha256("".join(prints).encode()).hexdigest(),
        locate=locate,
        notes=(message("{parts:,} files were read as one.", parts=len(parts)), *_said(parts), *notes),
        encoding=parts[0].encoding if len({part.encoding for part in parts}) == 1 else "",
        separator=parts[0].separator if len({part.separator for part in parts}) == 1 else "",
        typed=all(part.typed for part in parts),
        size=sum(part.size for part in parts),
        lines=sum(part.lines for part in parts),
        blanks="".join(sorted({*"".join(part.blanks for part in parts)})),
        parts=tuple(parts),
        whole=relation,
        sizes=sizes,
        again=lambda changed: combined(name, changed, notes),
        kind=parts[0].kind if len({part.kind for part in parts}) == 1 else "",
        quote=parts[0].quote if len({part.quote for part in parts}) == 1 else "",
        escape=parts[0].escape if len({part.escape for part in parts}) == 1 else "",
    )


def _in_order(part: Source, first: Source, name: str) -> Source:
    """The part with its columns in the order of the first one's; what is in memory gets a name of its own."""
    if part.arrow is not None:
        part = replace(part, relation=name, arrow_name=name)
    if part.columns == first.columns:
        return part
    if sorted(part.columns) != sorted(first.columns):
        lacks = [name for name in first.columns if name not in part.columns]
        extra = [name for name in part.columns if name not in first.columns]
        what = " and ".join(
            f"{verb} {', '.join(names[:12])}" for verb, names in (("lacks", lacks), ("has also", extra)) if names
        )
        raise InputError(
            "{name} has other columns than {first}: it {difference}. Give files of one shape, or leave it out.",
            name=part.name,
            first=first.name,
            difference=what or "has a column twice",
        )
    if len(set(part.columns)) < len(part.columns):
        raise InputError(
            "{name} has columns of one name, in another order than {first}; give files alike.",
            name=part.name,
            first=first.name,
        )
    places = [part.columns.index(name) for name in first.columns]
    header = tuple(part.header[place] for place in places) if part.header else ()
    part = replace(part, header=header, mend=_moved(part, first, name))
    if part.arrow is not None:
        arrow = part.arrow.select(places).rename_columns([f"c{index}" for index in range(len(places))])
        return replace(part, columns=first.columns, arrow=arrow)
    moved = ", ".join(f"c{place} as c{index}" for index, place in enumerate(places))
    moved += f", {BROKEN}" if part.broken else ""
    return replace(part, columns=first.columns, relation=f"(select {moved} from {part.relation})")  # noqa: S608


def _moved(part: Source, first: Source, name: str) -> Callable[[], Source] | None:
    """How a part whose columns are moved is mended."""
    mend = part.mend
    return None if mend is None else lambda: _in_order(mend(), first, name)


def _said(parts: Sequence[Source]) -> tuple[str, ...]:
    """What the parts have to say: once where all say it, with the file's name where not."""
    said = Counter(note for part in parts for note in part.notes)
    everywhere = [note for note, count in said.items() if count == len(parts)]
    own = [f"{part.name}: {note}" for part in parts for note in part.notes if note not in everywhere]
    return (
        *everywhere,
        *own[:10],
        *((message("… and so on for {own} more files.", own=len(own) - 10),) if len(own) > 10 else ()),
    )
