"""Each customer's orders, kept with the snapshot; and the data set and engine that an audience was saved on."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
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
    for name in ("dataset", "engine"):
        op.add_column("audiences", sa.Column(name, sa.Text(), nullable=True))


def downgrade() -> None:
    for name in ("engine", "dataset"):
        op.drop_column("audiences", name)
    op.drop_table("order_histories")
