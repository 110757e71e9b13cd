"""What people write by hand: names, actions and pins of segments, beside the run; notes and tags of runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from engines.contract import NamedSegment
from engines.errors import InputError
from storage.contract import ChangedError, NotFoundError, Run
from storage.contract.runs import MOST_TAGS, NOTE_LENGTH, TAG_LENGTH
from storage.sql.layout import is_storable
from storage.sql.shared import StorePart, json_value
from storage.sql.tables import RunRow, SegmentEditRow, SegmentRow

#: The longest name and action, in characters.
NAME_LENGTH = 80
ACTION_LENGTH = 240

#: What is said of a segment by hand, not by its run.
_BY_HAND = ("pinned", "revision")


class EditVerbs(StorePart):
    """The methods that edit segments and notes of runs by hand."""

    def edit_segment(
        self,
        run_id: int,
        key: int,
        *,
        revision: int,
        name: str | None = None,
        action: str | None = None,
        colour: str | None = None,
        pinned: bool | None = None,
    ) -> Run:
        """Give a segment of a finished run a name, an action and a colour by hand, and pin it or not.

        The run itself stays as it is; its segments, streams and what follows it (:meth:`predecessor`) show the edit.
        What is None stays; an empty text goes back to what the run itself has. Names are unique within a run, whatever
        their case. ``revision`` is that of the segment as the caller saw it.

        Raises:
            ChangedError: the segment has another revision by now.
            InputError: a name another segment has, or a text that is too long or has characters nobody can see.
            NotFoundError: no such run or segment, or the run is not finished.
        """
        given = {
            "name": _line("name", name, NAME_LENGTH),
            "action": _line("action", action, ACTION_LENGTH),
            "colour": colour,
        }
        # an empty text means the run's own, which is kept as nothing
        values: dict[str, Any] = {column: text or None for column, text in given.items() if text is not None}
        values |= {"revision": revision + 1, "edited_at": self._clock()}
        with self._database.writing(self._workspace_id) as transaction:
            # held, so that of two edits of one run the second sees the names the first has given
            statement = select(RunRow).where(RunRow.id == run_id).with_for_update()
            self._one(transaction, statement, f"no run {run_id}")
            state = self._job_of_run(transaction, run_id).state
            if state != "done":
                raise NotFoundError(
                    "Run {run_id} has no segments to be named: it is {state}.", run_id=run_id, state=state
                )
            segments = {segment.key: segment for segment in self._segments(transaction, [run_id])[run_id]}
            if key not in segments:
                raise NotFoundError("Run {run_id} has no segment {key} in this workspace.", run_id=run_id, key=key)
            now = segments[key]
            if now.revision != revision:
                raise ChangedError(
                    "Segment {key} of run {run_id} was changed in the meantime: it is called {name!r} now "
                    "(revision {revision}). Look at it again, then save.",
                    key=key,
                    run_id=run_id,
                    name=now.name,
                    revision=now.revision,
                )
            if given["name"] is not None:
                own = select(SegmentRow.name).where(SegmentRow.run_id == run_id, SegmentRow.key == key)
                _refuse_taken(given["name"] or transaction.rows(own)[0][0], key, segments.values())
            values["pinned"] = now.pinned if pinned is None else pinned
            if now.revision:
                mine = (SegmentEditRow.run_id == run_id, SegmentEditRow.key == key)
                transaction.rows(update(SegmentEditRow).where(*mine).values(values).returning(SegmentEditRow.key))
            else:
                transaction.add(SegmentEditRow, [{"run_id": run_id, "key": key, **values}])
            return self._runs(transaction, RunRow.id == run_id)[0]

    def set_run_note(self, run_id: int, *, note: str | None = None, tags: Sequence[str] | None = None) -> Run:
        """Write a note on a run, in any state, and give it tags; what is None stays, empty ones are taken away.

        A note has at most 500 characters on one line or several, a run at most 12 tags of at most 40 characters.

        Raises:
            InputError: it is too long, there are too many, or a character cannot be seen.
            NotFoundError: no such run.
        """
        values: dict[str, Any] = {}
        if note is not None:
            text = "\n".join(_line("note", line, NOTE_LENGTH) or "" for line in note.strip().splitlines())
            if len(text) > NOTE_LENGTH:
                raise _too_long("note", len(text), NOTE_LENGTH)
            values["note"] = text or None
        if tags is not None:
            kept: dict[str, str] = {}
            for tag in filter(None, (_line("tag", each, TAG_LENGTH) for each in tags)):
                kept.setdefault(tag.casefold(), tag)  # the same in another case is the same
            if len(kept) > MOST_TAGS:
                raise InputError("A run has at most {most} tags; there are {number}.", most=MOST_TAGS, number=len(kept))
            values["tags"] = list(kept.values())
        with self._database.writing(self._workspace_id) as transaction:
            self._run_row(transaction, run_id)
            if values:
                transaction.rows(update(RunRow).where(RunRow.id == run_id).values(values).returning(RunRow.id))
            return self._runs(transaction, RunRow.id == run_id)[0]


def _too_long(what: str, length: int, longest: int) -> InputError:
    return InputError(
        "The {what} has {text} characters; give it at most {longest}.", what=what, text=length, longest=longest
    )


def _line(what: str, text: str | None, longest: int) -> str | None:
    """The text on one line, with single spaces.

    Raises:
        InputError: it is too long, or has a character that nobody can see.
    """
    if text is None:
        return None
    text = " ".join(text.split())
    if len(text) > longest:
        raise _too_long(what, len(text), longest)
    if not is_storable(text) or not text.isprintable():
        raise InputError("The {what} has a character that cannot be seen; type it again.", what=what)
    return text


def _refuse_taken(name: str, key: int, segments: Iterable[NamedSegment]) -> None:
    for other in segments:
        if other.key != key and other.name.casefold() == name.casefold():
            raise InputError(
                "Another segment of this run is called {name!r}; give this one a name of its own.", name=other.name
            )


def segment_rows(run_id: int, segments: Sequence[NamedSegment]) -> list[dict[str, Any]]:
    """The segments as the run itself has them, in the order given."""
    return [
        {
            **{name: value for name, value in json_value(dataclasses.asdict(segment)).items() if name not in _BY_HAND},
            "run_id": run_id,
            "position": position,
        }
        for position, segment in enumerate(segments)
    ]


def inherited_pin_rows(run_id: int, segments: Sequence[NamedSegment], now: datetime) -> list[dict[str, Any]]:
    """The pins that segments have taken over from an earlier run, so that they are handed on to the next."""
    return [
        {"run_id": run_id, "key": segment.key, "pinned": True, "revision": 1, "edited_at": now}
        for segment in segments
        if segment.pinned
    ]
