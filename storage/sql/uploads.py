"""Uploaded files: which were received, what is to be done with them, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select, update

from storage.contract import ChangedError, Starter
from storage.contract.jobs import UPLOAD
from storage.contract.uploads import NewUpload, Upload, UploadTask
from storage.sql.database import Transaction
from storage.sql.jobs import UNFINISHED, JobVerbs, delete_jobs, new_job
from storage.sql.rows import value_from_rows
from storage.sql.shared import json_value, text_of
from storage.sql.tables import JobRow, UploadRow

_NEVER_ASKED = Upload("", "", 0, "")


class UploadVerbs(JobVerbs):
    """The methods about uploads. What was last asked for is a job of the kind ``upload`` about the upload."""

    def add_upload(self, new: NewUpload) -> Upload:
        """Keep what is known of a file that was received."""
        values = {
            "file": text_of("file", new.file),
            "name": text_of("name", new.name),
            "size": float(new.size),
            "fingerprint": text_of("fingerprint", new.fingerprint),
            "found": {},
            "runs": [],
            "draft": None,
            "created_at": self._clock(),
        }
        with self._database.writing(self._workspace_id) as transaction:
            return self._upload(transaction, transaction.add_one(UploadRow, values))

    def uploads(self) -> list[Upload]:
        """All uploads, the newest first."""
        with self._database.reading(self._workspace_id) as transaction:
            jobs = self._jobs_about(transaction, UPLOAD)
            rows = transaction.rows(select(UploadRow).order_by(UploadRow.id.desc()))
            return [_upload(row, jobs.get(row.id)) for (row,) in rows]

    def upload(self, upload_id: int) -> Upload:
        """One upload."""
        with self._database.reading(self._workspace_id) as transaction:
            return self._upload(transaction, upload_id)

    def ask_upload(
        self, upload_id: int, task: UploadTask, request_json: Mapping[str, Any], *, who: str | None = None
    ) -> Upload:
        """Ask for a task in the name of a user, in place of one that is not begun yet or is over.

        Raises:
            ChangedError: a worker is at it.
            NotFoundError: there is no such upload.
        """
        with self._database.writing(self._workspace_id) as transaction:
            held = select(UploadRow).where(UploadRow.id == upload_id).with_for_update()
            self._one(transaction, held, f"no upload {upload_id}")
            mine = JobRow.kind == UPLOAD, JobRow.subject == upload_id
            # one that a worker is just claiming is waited for, and stays
            transaction.rows(delete(JobRow).where(*mine, JobRow.state != "running").returning(JobRow.id))
            if self._jobs_about(transaction, UPLOAD, upload_id):
                raise ChangedError(
                    "Upload {upload_id} is being worked on; wait for it, or cancel it first.", upload_id=upload_id
                )
            transaction.rows(
                update(UploadRow).where(UploadRow.id == upload_id).values(draft=None).returning(UploadRow.id)
            )
            request = {"task": task, "asked": json_value(request_json)}
            job = new_job(UPLOAD, upload_id, self._clock(), request=request, starter=Starter(None, who))
            transaction.add(JobRow, [job])
            return self._upload(transaction, upload_id)

    def draft_upload(self, upload_id: int, request_json: Mapping[str, Any]) -> Upload:
        """Keep what was filled in for an upload until something is asked for.

        Raises:
            NotFoundError: there is no such upload.
        """
        with self._database.writing(self._workspace_id) as transaction:
            self._upload(transaction, upload_id)
            draft = update(UploadRow).where(UploadRow.id == upload_id).values(draft=json_value(request_json))
            transaction.rows(draft.returning(UploadRow.id))
            return self._upload(transaction, upload_id)

    def cancel_upload(self, upload_id: int) -> Upload:
        """Take back what was asked for; a worker who is at it hears of it when it renews. What is over stays so."""
        with self._database.writing(self._workspace_id) as transaction:
            self._upload(transaction, upload_id)
            mine = JobRow.kind == UPLOAD, JobRow.subject == upload_id, JobRow.state.in_(UNFINISHED)
            transaction.rows(update(JobRow).where(*mine).values(self._ended("cancelled")).returning(JobRow.id))
            return self._upload(transaction, upload_id)

    def finish_upload(
        self,
        job_id: int,
        worker: str | None,
        *,
        report: Mapping[str, Any] | None = None,
        snapshot_id: int | None = None,
        runs: Sequence[int] = (),
    ) -> Upload:
        """Write down what came of a task that the worker holds, and mark it done; what is None stays as it was.

        Raises:
            LostError: the task was cancelled or is somebody else's by now.
            NotFoundError: the upload is gone.
        """
        outcome: dict[str, Any] = {} if report is None else {"found": json_value(report)}
        outcome |= {} if snapshot_id is None else {"snapshot_id": snapshot_id, "runs": list(runs)}
        with self._database.writing(self._workspace_id) as transaction:
            upload_id = self._end(transaction, job_id, worker, self._done()).subject
            if outcome:
                done = update(UploadRow).where(UploadRow.id == upload_id).values(outcome)
                transaction.rows(done.returning(UploadRow.id))
            return self._upload(transaction, upload_id)

    def remove_upload(self, upload_id: int) -> Upload:
        """Forget an upload, and give what was known of it; its file is the caller's to remove. Snapshots stay."""
        with self._database.writing(self._workspace_id) as transaction:
            upload = self._upload(transaction, upload_id)
            delete_jobs(transaction, UPLOAD, [upload_id])
            transaction.rows(delete(UploadRow).where(UploadRow.id == upload_id).returning(UploadRow.id))
            return upload

    def _upload(self, transaction: Transaction, upload_id: int | None) -> Upload:
        statement = select(UploadRow).where(UploadRow.id == upload_id).execution_options(populate_existing=True)
        row: UploadRow = self._one(transaction, statement, f"no upload {upload_id}")
        return _upload(row, self._jobs_about(transaction, UPLOAD, upload_id).get(upload_id))


def _upload(row: UploadRow, job: JobRow | None) -> Upload:
    same: dict[str, Any] = {"size": int(row.size), "runs": tuple(row.runs), "draft": row.draft or {}}
    if job is None:
        return value_from_rows(Upload, row, _NEVER_ASKED, **same, changed_at=row.created_at)
    running = job.state == "running"
    return value_from_rows(
        Upload,
        row,
        **same,
        state=job.state,
        task=job.request["task"],
        asked=job.request["asked"],
        asked_by=job.started_by,
        stage=job.stage if running else None,
        progress=job.progress if running else None,
        error=job.error if job.state == "failed" else None,
        changed_at=job.finished_at or job.created_at,
    )
