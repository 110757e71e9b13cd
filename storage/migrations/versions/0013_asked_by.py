"""Who asked for what is made of an upload."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("uploads", sa.Column("asked_by", sa.Text(), nullable=True))
    # until now a run of an upload had its file's name there, which is the data set's; who asked for it nobody wrote down
    op.execute("update runs set started_by = null where started_via = 'upload'")


def downgrade() -> None:
    op.drop_column("uploads", "asked_by")
