"""What people write by hand: names, actions, colours and pins of segments, for every date; notes and tags of runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select, update

from engines.contract import NamedSegment
from engines.errors import InputError
from storage.contract import ChangedError, NotFoundError, Run
from storage.contract.runs import MOST_TAGS, NOTE_LENGTH, TAG_LENGTH
from storage.sql.database import Transaction
from storage.sql.layout import is_storable
from storage.sql.shared import StorePart, json_value
from storage.sql.tables import RunRow, SegmentNameRow, SegmentRow, SnapshotRow

#: The longest name and action, in characters.
NAME_LENGTH = 80
ACTION_LENGTH = 240

#: What is said of a segment by hand, not by its run.
_BY_HAND = ("pinned", "revision", "own_name", "former", "merged", "merged_names")


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

        That holds for the segment of this identity on every date of the data set and engine. The runs themselves stay
        as they are. What is None stays; an empty text goes back to what each run has. Names are unique within a run,
        whatever their case. ``revision`` is that of the segment as the caller saw it.

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
        with self._database.writing(self._workspace_id) as transaction:
            segments = self._held(transaction, run_id)
            now = _seen_as(segments, run_id, key, revision)
            if given["name"] is not None:
                own = select(SegmentRow.name).where(SegmentRow.run_id == run_id, SegmentRow.key == now.key)
                _refuse_taken(given["name"] or transaction.rows(own)[0][0], now, segments)
            if pinned is not None:
                values["pinned"] = pinned
            self._say(transaction, run_id, now.identity, values)
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

    def merge_segment(self, run_id: int, key: int, into: int | None, *, revision: int) -> Run:
        """Treat a segment of a finished run as one with another on every date; ``into`` None: no longer any.

        The runs themselves stay as they are, so that it can be undone: a segment that others are one with is taken
        apart from all of them.

        Raises:
            ChangedError: the segment has another revision by now.
            InputError: a segment that is to be one with itself.
            NotFoundError: no such run or segment, or the run is not finished.
        """
        with self._database.writing(self._workspace_id) as transaction:
            segments = self._held(transaction, run_id)
            now = _seen_as(segments, run_id, key, revision)
            target = None if into is None else _segment_of(segments, run_id, into)
            if target is now:
                raise InputError("Segment {key} of run {run_id} is itself; name another one.", key=key, run_id=run_id)
            # what was one with it goes along, or stands for itself again
            said = self._said(transaction, run_id)
            parts = [identity for identity, names in said.items() if names.merged_into == now.identity]
            for identity in [*parts, *([] if target is None else [now.identity])]:
                self._say(transaction, run_id, identity, {"merged_into": target and target.identity})
            if target is not None:
                # said of it too, so that dates without a segment of its own know what it is called
                self._say(transaction, run_id, target.identity, {"name": target.name})
            return self._runs(transaction, RunRow.id == run_id)[0]

    def _held(self, transaction: Transaction, run_id: int) -> list[NamedSegment]:
        """The segments of a finished run, held so that of two edits of its data set and engine one is the second."""
        run = self._run_row(transaction, run_id)
        state = self._job_of_run(transaction, run_id).state
        if state != "done":
            raise NotFoundError("Run {run_id} has no segments to be named: it is {state}.", run_id=run_id, state=state)
        dataset = self._snapshot_row(transaction, run.snapshot_id).dataset
        mine = SnapshotRow.id == RunRow.snapshot_id, SnapshotRow.dataset == dataset, RunRow.engine == run.engine
        transaction.rows(select(RunRow.id).where(*mine).order_by(RunRow.id).with_for_update(of=RunRow))
        return self._segments(transaction, [run_id])[run_id]

    def _said(self, transaction: Transaction, run_id: int) -> Mapping[str, SegmentNameRow]:
        """What people say of the segments of a run's data set and engine, by identity."""
        run = self._run_row(transaction, run_id)
        dataset = self._snapshot_row(transaction, run.snapshot_id).dataset
        mine = SegmentNameRow.dataset == dataset, SegmentNameRow.engine == run.engine
        rows = transaction.rows(select(SegmentNameRow).where(*mine).execution_options(populate_existing=True))
        return {row.identity: row for (row,) in rows}

    def _say(self, transaction: Any, run_id: int, identity: str, values: Mapping[str, Any]) -> None:
        """Write down what people say of a segment; a name it had by hand is one of its former names from now on."""
        run = self._run_row(transaction, run_id)
        dataset = self._snapshot_row(transaction, run.snapshot_id).dataset
        then = self._said(transaction, run_id).get(identity)
        changed = {**values, "revision": (then.revision if then else 0) + 1, "edited_at": self._clock()}
        if then is None:
            new = {"dataset": dataset, "engine": run.engine, "identity": identity, "pinned": False, "former": []}
            transaction.add(SegmentNameRow, [{**new, **changed}])
            return
        if "name" in values and then.name and then.name != values["name"]:
            changed["former"] = [*(name for name in then.former if name != then.name), then.name]
        mine = (
            SegmentNameRow.dataset == dataset,
            SegmentNameRow.engine == run.engine,
            SegmentNameRow.identity == identity,
        )
        transaction.rows(update(SegmentNameRow).where(*mine).values(changed).returning(SegmentNameRow.identity))


def _segment_of(segments: Iterable[NamedSegment], run_id: int, key: int) -> NamedSegment:
    found = next((item for item in segments if key in item.keys), None)
    if found is None:
        raise NotFoundError("Run {run_id} has no segment {key} in this workspace.", run_id=run_id, key=key)
    return found


def _seen_as(segments: Iterable[NamedSegment], run_id: int, key: int, revision: int) -> NamedSegment:
    """The segment with this key.

    Raises:
        ChangedError: it has another revision than the caller saw.
        NotFoundError: there is none.
    """
    now = _segment_of(segments, run_id, key)
    if now.revision != revision:
        raise ChangedError(
            "Segment {key} of run {run_id} was changed in the meantime: it is called {name!r} now "
            "(revision {revision}). Look at it again, then save.",
            key=key,
            run_id=run_id,
            name=now.name,
            revision=now.revision,
        )
    return now


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


def _refuse_taken(name: str, mine: NamedSegment, segments: Iterable[NamedSegment]) -> None:
    for other in segments:
        if other is not mine and other.name.casefold() == name.casefold():
            raise InputError(
                "Another segment of this run is called {name!r}; give this one a name of its own.", name=other.name
            )


def segment_rows(run_id: int, segments: Sequence[NamedSegment]) -> list[dict[str, Any]]:
    """The segments as the run itself has them, in the order given; one without an identity gets one of its own."""
    return [
        {
            **{name: value for name, value in json_value(dataclasses.asdict(segment)).items() if name not in _BY_HAND},
            "identity": segment.identity or f"{run_id}.{segment.key}",
            "run_id": run_id,
            "position": position,
        }
        for position, segment in enumerate(segments)
    ]
