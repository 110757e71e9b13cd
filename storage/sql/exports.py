"""The record of exports: begun, then complete or broken off, and readable when its run is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update

from storage.contract import ChangedError
from storage.contract.exports import ControlGroup, Export
from storage.sql.audiences import query_of
from storage.sql.database import Transaction
from storage.sql.rows import value_from_rows
from storage.sql.shared import StorePart, json_value, text_of
from storage.sql.tables import ExportRow


class ExportVerbs(StorePart):
    """The methods about the record of exports. It outlasts its run; once ended, no method changes or deletes it."""

    def begin_export(
        self,
        run_id: int,
        selection: str,
        *,
        format: str,
        user: str | None = None,
        columns: Sequence[str] | None = None,
        control: ControlGroup | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> Export:
        """Write down that a list begins to leave; what the store knows of its run is added to ``about``.

        Raises:
            InputError: a selection that cannot be read, or a text that no database keeps.
            NotFoundError: there is no such run.
        """
        values: dict[str, Any] = {
            "run_id": run_id,
            "selection": query_of(selection),
            "format": text_of("format", format),
            "rows": 0,
            "sha256": None,
            "user": None if user is None else text_of("user", user),
            "exported_at": self._clock(),
            "state": "begun",
            "columns": None if columns is None else [text_of("name of a column", name) for name in columns],
        }
        if control is not None:
            values |= {f"control_{name}": value for name, value in vars(control).items()}
        with self._database.writing(self._workspace_id) as transaction:
            run = self._run_row(transaction, run_id)
            snapshot = self._snapshot_row(transaction, run.snapshot_id)
            values |= {"dataset": snapshot.dataset, "as_of": snapshot.as_of, "engine": run.engine}
            segments = self._segments(transaction, [run_id])[run_id]
            values["about"] = {
                "names": {item.known_by: item.name for item in segments},
                "title": snapshot.info.get("title"),
                "currency": snapshot.info.get("currency"),
                "source": snapshot.source,
                "fingerprint": snapshot.fingerprint,
                "engine_settings": run.settings,
                **json_value(about or {}),
            }
            return self._export(transaction, transaction.add_one(ExportRow, values))

    def end_export(self, export_id: int, *, rows: int, size: int, sha256: str | None) -> Export:
        """Write down how it ended: whole, with the SHA-256 of all its bytes, or broken off, with None.

        Raises:
            ChangedError: it has ended already.
        """
        ended = {"rows": rows, "size": size, "sha256": sha256, "state": "complete" if sha256 else "broken off"}
        still = update(ExportRow).where(ExportRow.id == export_id, ExportRow.state == "begun")
        with self._database.writing(self._workspace_id) as transaction:
            row = self._export(transaction, export_id)
            if not transaction.rows(still.values(ended).returning(ExportRow.id)):
                raise ChangedError(
                    "Export {export_id} has ended already: it is {state}.", export_id=export_id, state=row.state
                )
            return self._export(transaction, export_id)

    def exports(self, *, limit: int = 1000, before: int | None = None) -> list[Export]:
        """The latest exports, the newest first; with ``before``, those with a smaller number than that."""
        statement = select(ExportRow).order_by(ExportRow.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(ExportRow.id < before)
        with self._database.reading(self._workspace_id) as transaction:
            return [_export(row) for (row,) in transaction.rows(statement)]

    def export(self, export_id: int) -> Export:
        """One export."""
        with self._database.reading(self._workspace_id) as transaction:
            return self._export(transaction, export_id)

    def _export(self, transaction: Transaction, number: int | None) -> Export:
        statement = select(ExportRow).where(ExportRow.id == number).execution_options(populate_existing=True)
        return _export(self._one(transaction, statement, f"no export {number}"))


def _export(row: ExportRow) -> Export:
    control = None
    if row.control_share is not None:
        control = ControlGroup(row.control_share, row.control_seed or 0, row.control_part or "all")  # type: ignore[arg-type]
    return value_from_rows(
        Export,
        row,
        size=None if row.size is None else int(row.size),
        columns=None if row.columns is None else tuple(row.columns),
        control=control,
        about=row.about or {},
    )
