"""Who works on a run, so that a worker that has lost its lease cannot finish what another has taken over."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("worker", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("runs", "worker")
