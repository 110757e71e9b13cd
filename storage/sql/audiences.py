"""Keeping what surrounds snapshots and runs: where data came from, checks, and saved audiences."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import delete, select, update

from engines.errors import InputError
from storage.contract import NotFoundError, Selection
from storage.contract.audiences import Audience, Source, Validation
from storage.sql.database import Transaction
from storage.sql.desk_tables import AudienceRow, SourceRow, ValidationRow
from storage.sql.layout import is_storable
from storage.sql.shared import SqlVerbs, plain
from storage.sql.tables import SnapshotRow

#: The longest name of a source, audience, user or API key, in characters.
NAME_LENGTH = 200

_Shown = TypeVar("_Shown")


class DeskVerbs(SqlVerbs):
    """The verbs about sources, validations and audiences."""

    def save_source(self, name: str, kind: str, mapping: Mapping[str, Any]) -> Source:
        """See :class:`~storage.contract.audiences.DeskStore`."""
        now = self._clock()
        values = {"kind": text_of("kind", kind), "mapping": plain(mapping), "used_at": now}
        return self._put(SourceRow, name, values, now, _source)

    def sources(self) -> list[Source]:
        """See :class:`~storage.contract.audiences.DeskStore`."""
        return [_source(row) for row in self._all(SourceRow, SourceRow.name)]

    def delete_source(self, source_id: int) -> None:
        """See :class:`~storage.contract.audiences.DeskStore`."""
        self._remove(SourceRow, source_id, "source")

    def save_validation(self, snapshot_id: int, name: str, receipt: Mapping[str, Any]) -> Validation:
        """See :class:`~storage.contract.audiences.DeskStore`."""
        called, now = name_of("check", name), self._clock()
        kept = {"receipt": plain(receipt), "created_at": now}
        with self._database.writing(self._workspace_id) as transaction:
            self._held(transaction, snapshot_id)
            old = delete(ValidationRow).where(ValidationRow.snapshot_id == snapshot_id, ValidationRow.name == called)
            transaction.rows(old)
            transaction.add(ValidationRow, [{"snapshot_id": snapshot_id, "name": called, **kept}])
        return Validation(snapshot_id, called, kept["receipt"], now)

    def validations(self, snapshot_id: int) -> list[Validation]:
        """See :class:`~storage.contract.audiences.DeskStore`."""
        wanted = select(ValidationRow).where(ValidationRow.snapshot_id == snapshot_id)
        with self._database.reading(self._workspace_id) as transaction:
            self._snapshot_row(transaction, snapshot_id)
            rows = [row for (row,) in transaction.rows(wanted)]
        rows.sort(key=lambda row: row.name)
        return [Validation(row.snapshot_id, row.name, row.receipt, row.created_at) for row in rows]

    def save_audience(
        self, name: str, selection: str, *, pinned: bool = False, dataset: str = "", engine: str = ""
    ) -> Audience:
        """See :class:`~storage.contract.audiences.DeskStore`."""
        values = {
            "selection": query_of(selection),
            "pinned": pinned,
            "dataset": text_of("data set", dataset) or None,
            "engine": text_of("engine", engine) or None,
        }
        return self._put(AudienceRow, name, values, self._clock(), _audience)

    def audiences(self) -> list[Audience]:
        """See :class:`~storage.contract.audiences.DeskStore`."""
        return sorted(map(_audience, self._all(AudienceRow, AudienceRow.name)), key=lambda each: not each.pinned)

    def audience(self, audience_id: int) -> Audience:
        """See :class:`~storage.contract.audiences.DeskStore`."""
        with self._database.reading(self._workspace_id) as transaction:
            return self._audience(transaction, audience_id)

    def change_audience(self, audience_id: int, *, name: str | None = None, pinned: bool | None = None) -> Audience:
        """See :class:`~storage.contract.audiences.DeskStore`."""
        values: dict[str, Any] = {} if pinned is None else {"pinned": pinned}
        with self._database.writing(self._workspace_id) as transaction:
            self._audience(transaction, audience_id)
            if name is not None:
                values["name"] = name_of("audience", name)
                others = AudienceRow.name == values["name"], AudienceRow.id != audience_id
                if transaction.rows(select(AudienceRow.id).where(*others)):
                    raise InputError(f"There is an audience named {values['name']} already; choose another name.")
            if values:
                changed = update(AudienceRow).where(AudienceRow.id == audience_id).values(values)
                transaction.rows(changed.returning(AudienceRow.id))
            return self._audience(transaction, audience_id)

    def _audience(self, transaction: Transaction, audience_id: int) -> Audience:
        wanted = select(AudienceRow).where(AudienceRow.id == audience_id)
        return _audience(self._one(transaction, wanted, f"no saved audience {audience_id}"))

    def delete_audience(self, audience_id: int) -> None:
        """See :class:`~storage.contract.audiences.DeskStore`."""
        self._remove(AudienceRow, audience_id, "saved audience")

    # --- what these and users and keys have in common: a name that is unique, and a number
    def _put(
        self, table: Any, name: str, values: Mapping[str, Any], now: datetime, shown: Callable[[Any], _Shown]
    ) -> _Shown:
        """Insert a row, or change the one of that name; it is shown before the transaction is over."""
        called = name_of(table.__tablename__.removesuffix("s"), name)
        with self._database.writing(self._workspace_id) as transaction:
            added = transaction.add_one(table, {"name": called, "created_at": now, **values})
            if added is None:
                changed = update(table).where(table.name == called).values(values)
                transaction.rows(changed.returning(table.id))
            return shown(self._one(transaction, select(table).where(table.name == called), f"no {called}"))

    def _all(self, table: Any, order: Any) -> list[Any]:
        with self._database.reading(self._workspace_id) as transaction:
            rows = [row for (row,) in transaction.rows(select(table).order_by(order))]
        # the databases' own ideas of the order of letters differ
        return sorted(rows, key=lambda row: (str(row.name).casefold(), row.name))

    def _remove(self, table: Any, number: int, what: str) -> None:
        with self._database.writing(self._workspace_id) as transaction:
            if not transaction.rows(delete(table).where(table.id == number).returning(table.id)):
                raise NotFoundError(f"There is no {what} {number} in this workspace.")

    def _held(self, transaction: Transaction, snapshot_id: int) -> None:
        """Make sure that a snapshot is there, and that nobody deletes it before the transaction is over."""
        wanted = select(SnapshotRow.id).where(SnapshotRow.id == snapshot_id)
        self._one(transaction, wanted.with_for_update(), f"no snapshot {snapshot_id}")


def name_of(what: str, name: str) -> str:
    """The name without space around it.

    Raises:
        InputError: it is empty, too long, or has characters that nobody can see.
    """
    called = " ".join(text_of(what, name).split())
    if not called or len(called) > NAME_LENGTH or any(unicodedata.category(letter)[0] == "C" for letter in called):
        raise InputError(f"The name of a {what} has 1 to {NAME_LENGTH} characters that can be seen, not {name[:60]!r}.")
    return called


def text_of(what: str, text: str) -> str:
    """The text, if a database can hold it.

    Raises:
        InputError: it cannot.
    """
    if not is_storable(text):
        raise InputError(f"The {what} holds a character that no database keeps; remove it.")
    return text


def query_of(selection: str) -> str:
    """The query string of the selection that this one describes, without anything else in it."""
    text_of("selection", selection)
    pairs = Selection.from_query(parse_qsl(selection, keep_blank_values=True)).to_query()
    return text_of("selection", urlencode(pairs))


def _source(row: SourceRow) -> Source:
    return Source(row.id, row.name, row.kind, row.mapping, row.created_at, row.used_at)


def _audience(row: AudienceRow) -> Audience:
    return Audience(row.id, row.name, row.selection, row.pinned, row.created_at, row.dataset or "", row.engine or "")
