"""Who started a run, and what its workers had to say of it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("started_via", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("started_by", sa.Text(), nullable=True))
    op.create_table(
        "run_log",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_log_run_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_run_log_workspace_id")),
        sa.PrimaryKeyConstraint("run_id", "line", name=op.f("pk_run_log")),
    )


def downgrade() -> None:
    op.drop_table("run_log")
    op.drop_column("runs", "started_by")
    op.drop_column("runs", "started_via")
