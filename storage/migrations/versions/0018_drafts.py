"""What was filled in for an upload and not asked for yet, so that it is there again when its page is opened once more."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("uploads", sa.Column("draft", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("uploads", "draft")
