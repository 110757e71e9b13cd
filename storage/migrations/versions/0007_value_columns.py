"""More of every customer's future: the interval around CLV, the chance of buying again, and future spend."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

COLUMNS = ("clv_low", "clv_high", "p_purchase", "future_spend")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("customers", sa.Column(name, sa.Double(), nullable=True))


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("customers", name)
