"""Why an alert was raised: the models disagree, or the customers have changed."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alerts", sa.Column("cause", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("alerts", "cause")
