"""The first tables: workspaces, snapshots with their customers, runs with their segments, labels and drift points."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customers",
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("id_folded", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("recency_days", sa.Double(), nullable=True),
        sa.Column("frequency", sa.Double(), nullable=True),
        sa.Column("monetary", sa.Double(), nullable=True),
        sa.Column("net_monetary", sa.Double(), nullable=True),
        sa.Column("average_order_value", sa.Double(), nullable=True),
        sa.Column("items_per_order", sa.Double(), nullable=True),
        sa.Column("unique_products", sa.Double(), nullable=True),
        sa.Column("mean_days_between_orders", sa.Double(), nullable=True),
        sa.Column("purchase_span_days", sa.Double(), nullable=True),
        sa.Column("tenure_days", sa.Double(), nullable=True),
        sa.Column("first_purchase", sa.DateTime(), nullable=True),
        sa.Column("last_purchase", sa.DateTime(), nullable=True),
        sa.Column("return_rate", sa.Double(), nullable=True),
        sa.Column("is_home_country", sa.Boolean(), nullable=True),
        sa.Column("repeat_purchases", sa.Double(), nullable=True),
        sa.Column("first_to_last", sa.Double(), nullable=True),
        sa.Column("age", sa.Double(), nullable=True),
        sa.Column("mean_repeat_value", sa.Double(), nullable=True),
        sa.Column("expected_purchases", sa.Double(), nullable=True),
        sa.Column("expected_purchase_value", sa.Double(), nullable=True),
        sa.Column("clv", sa.Double(), nullable=True),
        sa.Column("p_alive", sa.Double(), nullable=True),
        sa.Column("churn_risk", sa.Double(), nullable=True),
        sa.Column("features", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("snapshot_id", "row_no", name=op.f("pk_customers")),
    )
    op.create_table(
        "labels",
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("segment_key", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "row_no", name=op.f("pk_labels")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "workspaces",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspaces")),
        sa.UniqueConstraint("name", name=op.f("uq_workspaces_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "snapshots",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("settings_digest", sa.Text(), nullable=False),
        sa.Column("ledger", sa.JSON(), nullable=False),
        sa.Column("info", sa.JSON(), nullable=False),
        sa.Column("layout", sa.JSON(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_snapshots_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshots")),
        sa.UniqueConstraint(
            "workspace_id", "dataset", "fingerprint", "as_of", "settings_digest", name="uq_snapshots_identity"
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("lease_until", sa.DateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("progress", sa.Double(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("info", sa.JSON(), nullable=False),
        sa.Column("fitted_on", sa.Integer(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=True),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshots.id"], name=op.f("fk_runs_snapshot_id")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_runs_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_queue", "runs", ["workspace_id", "state", "id"], unique=False)
    op.create_index(op.f("ix_runs_snapshot_id"), "runs", ["snapshot_id"], unique=False)
    op.create_table(
        "drift_points",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("ari", sa.Double(), nullable=True),
        sa.Column("alert", sa.Boolean(), nullable=False),
        sa.Column("noise_low", sa.Double(), nullable=True),
        sa.Column("moved_share", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_drift_points_run_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_drift_points_workspace_id")),
        sa.PrimaryKeyConstraint("run_id", "as_of", name=op.f("pk_drift_points")),
    )
    op.create_table(
        "segments",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("colour", sa.Text(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("revenue_share", sa.Double(), nullable=True),
        sa.Column("recency", sa.Double(), nullable=True),
        sa.Column("frequency", sa.Double(), nullable=True),
        sa.Column("monetary", sa.Double(), nullable=True),
        sa.Column("clv", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_segments_run_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_segments_workspace_id")),
        sa.PrimaryKeyConstraint("run_id", "key", name=op.f("pk_segments")),
    )


def downgrade() -> None:
    op.drop_table("segments")
    op.drop_table("drift_points")
    op.drop_index(op.f("ix_runs_snapshot_id"), table_name="runs")
    op.drop_index("ix_runs_queue", table_name="runs")
    op.drop_table("runs")
    op.drop_table("snapshots")
    op.drop_table("workspaces")
    op.drop_table("labels")
    op.drop_table("customers")
