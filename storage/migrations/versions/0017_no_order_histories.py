"""Orders of customers come from the kept sales of their snapshot; the table that held copies of them goes."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("order_histories")


def downgrade() -> None:
    # a version with this table finds no orders in it, and says so
    op.create_table(
        "order_histories",
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("first_customer", sa.LargeBinary(), nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["snapshots.id"], name=op.f("fk_order_histories_snapshot_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_order_histories_workspace_id")),
        sa.PrimaryKeyConstraint("snapshot_id", "first_customer", name=op.f("pk_order_histories")),
    )
