"""Saved audiences: kept by name, renamed, pinned, forgotten."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import delete, select, update

from engines.errors import InputError
from storage.contract import NotFoundError, Selection
from storage.contract.audiences import Audience
from storage.sql.database import Transaction
from storage.sql.shared import StorePart, name_of, text_of
from storage.sql.tables import AudienceRow


class AudienceVerbs(StorePart):
    """The methods about saved audiences. A name is unique, and has at most 200 characters that can be seen."""

    def save_audience(
        self, name: str, selection: str, *, pinned: bool = False, dataset: str = "", engine: str = ""
    ) -> Audience:
        """Keep a selection (as a query string) under a name, in place of an earlier one of that name.

        Raises:
            InputError: the query string has a bound that is no number, or the name cannot be used.
        """
        called = name_of("audience", name)
        values = {
            "selection": query_of(selection),
            "pinned": pinned,
            "dataset": text_of("data set", dataset) or None,
            "engine": text_of("engine", engine) or None,
        }
        with self._database.writing(self._workspace_id) as transaction:
            added = transaction.add_one(AudienceRow, {"name": called, "created_at": self._clock(), **values})
            mine = AudienceRow.name == called
            if added is None:
                transaction.rows(update(AudienceRow).where(mine).values(values).returning(AudienceRow.id))
            return _audience(self._one(transaction, select(AudienceRow).where(mine), f"no {called}"))

    def audiences(self) -> list[Audience]:
        """All audiences, pinned ones first, then by name."""
        with self._database.reading(self._workspace_id) as transaction:
            listed = [_audience(row) for (row,) in transaction.rows(select(AudienceRow))]
        # the databases' own ideas of the order of letters differ
        return sorted(listed, key=lambda each: (not each.pinned, each.name.casefold(), each.name))

    def audience(self, audience_id: int) -> Audience:
        """One audience."""
        with self._database.reading(self._workspace_id) as transaction:
            return self._audience(transaction, audience_id)

    def change_audience(self, audience_id: int, *, name: str | None = None, pinned: bool | None = None) -> Audience:
        """Give an audience another name, pin it or not; what is None stays.

        Raises:
            InputError: another audience has that name, or it cannot be used.
        """
        values: dict[str, Any] = {} if pinned is None else {"pinned": pinned}
        with self._database.writing(self._workspace_id) as transaction:
            self._audience(transaction, audience_id)
            if name is not None:
                values["name"] = name_of("audience", name)
                others = AudienceRow.name == values["name"], AudienceRow.id != audience_id
                if transaction.rows(select(AudienceRow.id).where(*others)):
                    raise InputError(
                        "There is an audience named {name} already; choose another name.", name=values["name"]
                    )
            if values:
                changed = update(AudienceRow).where(AudienceRow.id == audience_id).values(values)
                transaction.rows(changed.returning(AudienceRow.id))
            return self._audience(transaction, audience_id)

    def _audience(self, transaction: Transaction, audience_id: int) -> Audience:
        statement = select(AudienceRow).where(AudienceRow.id == audience_id)
        return _audience(self._one(transaction, statement, f"no saved audience {audience_id}"))

    def delete_audience(self, audience_id: int) -> None:
        """Forget an audience."""
        with self._database.writing(self._workspace_id) as transaction:
            if not transaction.rows(delete(AudienceRow).where(AudienceRow.id == audience_id).returning(AudienceRow.id)):
                raise NotFoundError(
                    "There is no saved audience {audience_id} in this workspace.", audience_id=audience_id
                )


def query_of(selection: str) -> str:
    """The query string of the selection that this one describes, without anything else in it."""
    text_of("selection", selection)
    pairs = Selection.from_query(parse_qsl(selection, keep_blank_values=True)).to_query()
    return text_of("selection", urlencode(pairs))


def _audience(row: AudienceRow) -> Audience:
    return Audience(row.id, row.name, row.selection, row.pinned, row.created_at, row.dataset or "", row.engine or "")
