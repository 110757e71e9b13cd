"""Files beside the database, by their content: the sales of snapshots, and the models of runs from now on."""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

WORKSPACES = sa.table("workspaces", sa.column("id", sa.Integer()), sa.column("folder", sa.Text()))


def upgrade() -> None:
    op.create_table(
        "objects",
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("size", sa.Double(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_objects_workspace_id")),
        sa.PrimaryKeyConstraint("workspace_id", "kind", "digest", name=op.f("pk_objects")),
    )
    op.add_column("snapshots", sa.Column("sales_digest", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("model_digest", sa.Text(), nullable=True))
    op.add_column("workspaces", sa.Column("folder", sa.Text(), nullable=True))
    for (number,) in op.get_bind().execute(sa.select(WORKSPACES.c.id)).all():
        op.execute(WORKSPACES.update().where(WORKSPACES.c.id == number).values(folder=uuid4().hex))


def downgrade() -> None:
    # a version with these tables finds no file: its snapshots have no sales, and runs of a later version no model
    op.drop_column("workspaces", "folder")
    op.drop_column("runs", "model_digest")
    op.drop_column("snapshots", "sales_digest")
    op.drop_table("objects")
