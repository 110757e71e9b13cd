"""More about every export: how it ended, its columns and control group, and what its run was."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

COLUMNS: dict[str, Any] = {
    "size": sa.Double(),
    "columns": sa.JSON(),
    "control_share": sa.Double(),
    "control_seed": sa.Integer(),
    "control_part": sa.Text(),
    "dataset": sa.Text(),
    "as_of": sa.Date(),
    "engine": sa.Text(),
    "about": sa.JSON(),
}


def upgrade() -> None:
    op.add_column("exports", sa.Column("state", sa.Text(), nullable=False, server_default="complete"))
    for name, kind in COLUMNS.items():
        op.add_column("exports", sa.Column(name, kind, nullable=True))
    # what earlier versions wrote down is told as long as its run is there
    of_run = "FROM runs JOIN snapshots ON snapshots.id = runs.snapshot_id WHERE runs.id = exports.run_id"
    for name in ("snapshots.dataset", "snapshots.as_of", "runs.engine"):
        op.execute(f"UPDATE exports SET {name.partition('.')[2]} = (SELECT {name} {of_run})")


def downgrade() -> None:
    for name in (*reversed(COLUMNS), "state"):
        op.drop_column("exports", name)
