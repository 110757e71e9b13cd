"""More of every drift point, runs against the runs before them, and alerts with their messages."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("drift_points", sa.Column("more", sa.JSON(), nullable=True))
    op.create_table(
        "live_points",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("against", sa.Integer(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Text(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("ari", sa.Double(), nullable=False),
        sa.Column("alert", sa.Boolean(), nullable=False),
        sa.Column("noise_low", sa.Double(), nullable=True),
        sa.Column("moved_share", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_live_points_run_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_live_points_workspace_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_live_points")),
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("ari", sa.Double(), nullable=False),
        sa.Column("noise_low", sa.Double(), nullable=True),
        sa.Column("raised_at", sa.DateTime(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try", sa.DateTime(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("delivered_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_alerts_run_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_alerts_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("run_id", "as_of", name=op.f("uq_alerts_run_id_as_of")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alerts_open", "alerts", ["workspace_id", "acknowledged_at", "id"])
    op.create_index("ix_alerts_due", "alerts", ["workspace_id", "delivery", "next_try"])


def downgrade() -> None:
    op.drop_table("alerts")
    op.drop_table("live_points")
    op.drop_column("drift_points", "more")
