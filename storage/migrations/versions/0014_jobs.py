"""One table of jobs for runs, uploads, due times and messages of alerts; users, keys and sources go, which nobody used."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

JOBS = sa.table(
    "jobs",
    *(sa.column(name, sa.Integer()) for name in ("id", "workspace_id", "subject", "attempts", "max_attempts")),
    *(sa.column(name, sa.Text()) for name in ("kind", "state", "error", "stage", "worker", "started_via", "started_by")),
    *(sa.column(name, sa.DateTime()) for name in ("lease_until", "due_at", "created_at", "started_at", "finished_at")),
    *(sa.column(name, sa.JSON()) for name in ("request", "result")),
    sa.column("progress", sa.Double()),
)
#: What jobs have taken over from runs.
OF_RUNS: dict[str, Any] = {
    "state": sa.Text(),
    "worker": sa.Text(),
    "lease_until": sa.DateTime(),
    "attempts": sa.Integer(),
    "stage": sa.Text(),
    "progress": sa.Double(),
    "error": sa.Text(),
    "created_at": sa.DateTime(),
    "started_at": sa.DateTime(),
    "finished_at": sa.DateTime(),
    "started_via": sa.Text(),
    "started_by": sa.Text(),
}
OF_UPLOADS: dict[str, Any] = {
    "state": sa.Text(),
    "task": sa.Text(),
    "asked": sa.JSON(),
    "asked_by": sa.Text(),
    "stage": sa.Text(),
    "progress": sa.Double(),
    "error": sa.Text(),
    "attempt": sa.Integer(),
    "claim": sa.Integer(),
    "lease_until": sa.DateTime(),
    "changed_at": sa.DateTime(),
}
OF_SCHEDULES: dict[str, Any] = {
    "attempt": sa.Integer(),
    "claim": sa.Integer(),
    "claimed_at": sa.DateTime(),
    "lease_until": sa.DateTime(),
}
OF_ALERTS: dict[str, Any] = {
    "delivery": sa.Text(),
    "attempts": sa.Integer(),
    "next_try": sa.DateTime(),
    "error": sa.Text(),
    "delivered_at": sa.DateTime(),
}
TAKEN = {"runs": OF_RUNS, "uploads": OF_UPLOADS, "schedules": OF_SCHEDULES, "alerts": OF_ALERTS}
INDEXES = {
    "ix_runs_queue": ("runs", ["workspace_id", "state", "id"]),
    "ix_uploads_state": ("uploads", ["workspace_id", "state"]),
    "ix_schedules_due": ("schedules", ["workspace_id", "next_due"]),
    "ix_alerts_due": ("alerts", ["workspace_id", "delivery", "next_try"]),
}
#: Of those, what may not be missing, and what stands there until it is filled in.
NEVER_NULL: dict[tuple[str, str], str] = {
    ("runs", "state"): "queued",
    ("runs", "attempts"): "0",
    ("runs", "created_at"): "1970-01-01",
    ("uploads", "state"): "received",
    ("uploads", "asked"): "{}",
    ("uploads", "attempt"): "0",
    ("uploads", "claim"): "0",
    ("uploads", "changed_at"): "1970-01-01",
    ("schedules", "attempt"): "0",
    ("schedules", "claim"): "0",
    ("alerts", "delivery"): "waiting",
    ("alerts", "attempts"): "0",
    ("alerts", "next_try"): "1970-01-01",
}


def upgrade() -> None:
    _make_jobs()
    _fill_jobs()
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table_name=table)
    for table, columns in TAKEN.items():
        for column in columns:
            op.drop_column(table, column)
    for name in ("run_log", "api_keys", "users", "sources"):
        op.drop_table(name)


def downgrade() -> None:
    for table, columns in TAKEN.items():
        for column, kind in columns.items():
            default = NEVER_NULL.get((table, column))
            op.add_column(table, sa.Column(column, kind, nullable=default is None, server_default=default))
    for name, (table, indexed) in INDEXES.items():
        op.create_index(name, table, indexed)
    _make_dropped()
    _empty_jobs()
    op.drop_table("job_log")
    op.drop_table("jobs")


def _make_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("progress", sa.Double(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(), nullable=True),
        sa.Column("due_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=True),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("started_via", sa.Text(), nullable=True),
        sa.Column("started_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_jobs_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_waiting", "jobs", ["workspace_id", "state", "kind"])
    op.create_index("ix_jobs_subject", "jobs", ["workspace_id", "kind", "subject"])
    op.create_table("job_log", *_log_columns("job_log", "job_id", "jobs.id"))


def _log_columns(table: str, owner: str, target: str) -> list[Any]:
    return [
        sa.Column(owner, sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint([owner], [target], name=op.f(f"fk_{table}_{owner}"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f(f"fk_{table}_workspace_id")),
        sa.PrimaryKeyConstraint(owner, "line", name=op.f(f"pk_{table}")),
    ]


def _fill_jobs() -> None:
    """A job of every run, of what was last asked of an upload, of every next due time, and of every message."""
    jobs = [
        {"kind": "run", "max_attempts": 2, "subject": run["id"], **_those(run, OF_RUNS)}
        for run in _rows("runs", OF_RUNS, "id")
    ]
    for upload in _rows("uploads", OF_UPLOADS, "changed_at"):
        over = upload["state"] in ("done", "failed", "cancelled")
        if upload["task"] is not None:
            jobs.append(
                {
                    "kind": "upload",
                    "subject": upload["id"],
                    "request": {"task": upload["task"], "asked": upload["asked"]},
                    "attempts": upload["attempt"],
                    "max_attempts": 2,
                    "created_at": upload["changed_at"],
                    "finished_at": upload["changed_at"] if over else None,
                    "started_by": upload["asked_by"],
                    **_those(upload, ("state", "stage", "progress", "error", "lease_until")),
                }
            )
    schedules = {"next_due": sa.DateTime(), "paused": sa.Boolean(), "created_at": sa.DateTime(), **OF_SCHEDULES}
    for schedule in _rows("schedules", schedules, "id"):
        claimed = schedule["claimed_at"] is not None
        if claimed or not schedule["paused"]:
            jobs.append(
                {
                    "kind": "refresh",
                    "subject": schedule["id"],
                    "state": "running" if claimed else "queued",
                    "attempts": schedule["attempt"],
                    "due_at": schedule["next_due"],
                    "started_at": schedule["claimed_at"],
                    **_those(schedule, ("lease_until", "created_at")),
                }
            )
    for alert in _rows("alerts", {"raised_at": sa.DateTime(), **OF_ALERTS}, "id"):
        over_at = {"delivered": alert["delivered_at"], "failed": alert["next_try"]}
        jobs.append(
            {
                "kind": "delivery",
                "subject": alert["id"],
                "state": {"delivered": "done", "failed": "failed"}.get(alert["delivery"], "queued"),
                "due_at": alert["next_try"],
                "created_at": alert["raised_at"],
                "finished_at": over_at.get(alert["delivery"]),
                **_those(alert, ("attempts", "error")),
            }
        )
    workspaces = {(table, row["id"]): row["workspace_id"] for table in TAKEN for row in _rows(table, {}, "id")}
    tables = {"run": "runs", "upload": "uploads", "refresh": "schedules", "delivery": "alerts"}
    empty = {column.name: None for column in JOBS.columns if column.name not in ("id", "result")}
    filled = [
        {**empty, "request": {}, "workspace_id": workspaces[tables[job["kind"]], job["subject"]], **job} for job in jobs
    ]
    if filled:
        op.bulk_insert(JOBS, filled)
    op.execute(
        "INSERT INTO job_log (job_id, line, workspace_id, at, text) SELECT jobs.id, line, run_log.workspace_id, at, text "
        "FROM run_log JOIN jobs ON jobs.kind = 'run' AND jobs.subject = run_log.run_id"
    )


def _empty_jobs() -> None:
    """Give every run, upload, schedule and alert back what its job has; jobs of other kinds are gone."""
    jobs = op.get_bind().execute(sa.select(JOBS).order_by(JOBS.c.id)).mappings().all()
    for job in jobs:
        if job["kind"] == "run":
            _set("runs", OF_RUNS, job["subject"], _those(job, OF_RUNS))
        elif job["kind"] == "upload":
            request = {**job["request"], "asked_by": job["started_by"]}
            counted = {"attempt": job["attempts"], "claim": job["attempts"]}
            counted |= {"changed_at": job["finished_at"] or job["created_at"]}
            same = _those(job, ("state", "stage", "progress", "error", "lease_until"))
            _set("uploads", OF_UPLOADS, job["subject"], {**request, **counted, **same})
        elif job["kind"] == "refresh":
            claimed = job["started_at"] if job["state"] == "running" else None
            counted = {"attempt": job["attempts"], "claim": job["attempts"]}
            own = {**counted, "claimed_at": claimed, "lease_until": job["lease_until"]}
            _set("schedules", OF_SCHEDULES, job["subject"], own)
        elif job["kind"] == "delivery":
            delivery = {"done": "delivered", "failed": "failed"}.get(job["state"], "waiting")
            own = {"delivery": delivery, "next_try": job["due_at"], **_those(job, ("attempts", "error"))}
            own |= {"delivered_at": job["finished_at"] if delivery == "delivered" else None}
            _set("alerts", OF_ALERTS, job["subject"], own)
    asked = "SELECT subject FROM jobs WHERE kind = 'upload'"
    op.execute(f"UPDATE uploads SET changed_at = created_at WHERE id NOT IN ({asked})")
    op.execute(
        "INSERT INTO run_log (run_id, line, workspace_id, at, text) SELECT jobs.subject, line, job_log.workspace_id, at, "
        "text FROM job_log JOIN jobs ON jobs.kind = 'run' AND jobs.id = job_log.job_id"
    )


def _rows(table: str, columns: dict[str, Any], order: str) -> list[dict[str, Any]]:
    known = {"id": sa.Integer(), "workspace_id": sa.Integer(), **columns}
    found = sa.table(table, *(sa.column(name, kind) for name, kind in known.items()))
    rows = op.get_bind().execute(sa.select(found).order_by(found.c[order], found.c.id))
    return [dict(row) for row in rows.mappings()]


def _those(row: Any, names: Any) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _set(table: str, columns: dict[str, Any], number: int, values: dict[str, Any]) -> None:
    known = sa.table(table, sa.column("id", sa.Integer()), *(sa.column(name, kind) for name, kind in columns.items()))
    op.execute(known.update().where(known.c.id == number).values(values))


def _make_dropped() -> None:
    op.create_table("run_log", *_log_columns("run_log", "run_id", "runs.id"))
    more: dict[str, list[sa.Column[Any]]] = {
        "sources": [
            sa.Column("kind", sa.Text(), nullable=False),
            sa.Column("mapping", sa.JSON(), nullable=False),
            sa.Column("created_at", sa.DateTime(), nullable=False),
            sa.Column("used_at", sa.DateTime(), nullable=False),
        ],
        "users": [
            sa.Column("password_hash", sa.Text(), nullable=False),
            sa.Column("created_at", sa.DateTime(), nullable=False),
        ],
        "api_keys": [
            sa.Column("key_hash", sa.Text(), nullable=False),
            sa.Column("created_at", sa.DateTime(), nullable=False),
        ],
    }
    for table, columns in more.items():
        unique = [sa.UniqueConstraint("workspace_id", "name", name=op.f(f"uq_{table}_workspace_id_name"))]
        if table == "api_keys":
            unique.append(sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")))
        op.create_table(
            table,
            sa.Column("id", sa.Integer(), nullable=False),
            sa.Column("workspace_id", sa.Integer(), nullable=False),
            sa.Column("name", sa.Text(), nullable=False),
            *columns,
            sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f(f"fk_{table}_workspace_id")),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
            *unique,
            sqlite_autoincrement=True,
        )
    snapshots = {"source": sa.Text(), "settings": sa.JSON(), "info": sa.JSON(), "created_at": sa.DateTime()}
    sources: dict[tuple[int, str], dict[str, Any]] = {}
    for snapshot in _rows("snapshots", snapshots, "id"):
        key = snapshot["workspace_id"], snapshot["source"]
        mapping, made = (snapshot["settings"] or {}).get("mapping"), snapshot["created_at"]
        sources[key] = {
            "workspace_id": snapshot["workspace_id"],
            "name": snapshot["source"],
            "kind": str((snapshot["info"] or {}).get("source_kind", "unknown")),
            "mapping": mapping if isinstance(mapping, dict) else {},
            "created_at": sources.get(key, {"created_at": made})["created_at"],
            "used_at": made,
        }
    kept = sa.table(
        "sources",
        sa.column("workspace_id", sa.Integer()),
        *(sa.column(name, sa.Text()) for name in ("name", "kind")),
        sa.column("mapping", sa.JSON()),
        *(sa.column(name, sa.DateTime()) for name in ("created_at", "used_at")),
    )
    if sources:
        op.bulk_insert(kept, list(sources.values()))
