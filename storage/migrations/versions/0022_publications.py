"""Which run of a data set is published; notes and tags of runs, and which runs were asked for at once.

Until now people saw first the snapshot with the latest date: of each data set its run of the usual first engine is
published, so that nothing looks otherwise than before.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

#: The order in which engines are used unless somebody says otherwise; others come after them.
ENGINES = ("rfm", "kmeans", "gmm", "hierarchical")
WHY = "Published when published runs came in"

SNAPSHOTS = sa.table(
    "snapshots",
    *(sa.column(name, sa.Integer()) for name in ("id", "workspace_id")),
    sa.column("dataset", sa.Text()),
    sa.column("as_of", sa.Date()),
)
RUNS = sa.table(
    "runs", *(sa.column(name, sa.Integer()) for name in ("id", "snapshot_id")), sa.column("engine", sa.Text())
)
JOBS = sa.table(
    "jobs",
    *(sa.column(name, sa.Text()) for name in ("kind", "state")),
    sa.column("subject", sa.Integer()),
    *(sa.column(name, sa.DateTime()) for name in ("finished_at", "created_at")),
)


def upgrade() -> None:
    op.add_column("runs", sa.Column("asked_with", sa.Integer(), nullable=True))
    op.add_column("runs", sa.Column("note", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("tags", sa.JSON(), nullable=True))
    op.add_column("schedules", sa.Column("last_note", sa.Text(), nullable=True))
    made = op.create_table(
        "publications",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("previous_run_id", sa.Integer(), nullable=True),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("published_at", sa.DateTime(), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=True),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("checks", sa.JSON(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_publications_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publications")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_publications_latest", "publications", ["workspace_id", "dataset", "id"])
    first = _published()
    if first:
        op.bulk_insert(made, first)


def downgrade() -> None:
    op.drop_table("publications")
    op.drop_column("schedules", "last_note")
    for name in ("tags", "note", "asked_with"):
        op.drop_column("runs", name)


def _published() -> list[dict[str, Any]]:
    """A row for each data set with a finished run, those that came first before the others."""
    done = (
        sa.select(SNAPSHOTS, RUNS.c.id.label("run_id"), RUNS.c.engine, JOBS.c.finished_at, JOBS.c.created_at)
        .select_from(SNAPSHOTS)
        .join(RUNS, RUNS.c.snapshot_id == SNAPSHOTS.c.id)
        .join(JOBS, sa.and_(JOBS.c.kind == "run", JOBS.c.subject == RUNS.c.id))
        .where(JOBS.c.state == "done")
        .order_by(SNAPSHOTS.c.id)
    )
    datasets: dict[tuple[int, str], list[Any]] = {}
    for row in op.get_bind().execute(done).all():
        datasets.setdefault((row.workspace_id, row.dataset), []).append(row)
    rows = []
    for (workspace_id, dataset), runs in datasets.items():
        latest = max((run.as_of, run.id) for run in runs)
        last = min((run for run in runs if (run.as_of, run.id) == latest), key=_place)
        rows.append(
            {
                **{"workspace_id": workspace_id, "dataset": dataset, "run_id": last.run_id, "engine": last.engine},
                **{"as_of": last.as_of, "published_at": last.finished_at or last.created_at, "checks": []},
                **{"via": "first", "why": WHY, "kind": "publish"},
            }
        )
    return rows


def _place(run: Any) -> tuple[int, int]:
    """The usual engine first, and of its runs the latest."""
    return (ENGINES.index(run.engine) if run.engine in ENGINES else len(ENGINES)), -run.run_id
