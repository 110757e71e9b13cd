"""Facts about the customers of a segment: what the conditions of its name in the playbook were checked on."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("segments", sa.Column("facts", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("segments", "facts")
