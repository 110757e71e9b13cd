"""Each snapshot keeps the version of the rules that it was read by; those from before were read by the first."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

SNAPSHOTS = sa.table(
    "snapshots", sa.column("id", sa.Integer()), sa.column("info", sa.JSON()), sa.column("rules", sa.Integer())
)


def upgrade() -> None:
    op.add_column("snapshots", sa.Column("rules", sa.Integer(), nullable=False, server_default="1"))
    for number, info in op.get_bind().execute(sa.select(SNAPSHOTS.c.id, SNAPSHOTS.c.info)).all():
        if "rules" in info:  # from a step back down
            rest = {name: value for name, value in info.items() if name != "rules"}
            _change(number, info=rest, rules=info["rules"])


def downgrade() -> None:
    later = SNAPSHOTS.c.rules != 1
    statement = sa.select(SNAPSHOTS.c.id, SNAPSHOTS.c.info, SNAPSHOTS.c.rules).where(later)
    for number, info, rules in op.get_bind().execute(statement).all():
        _change(number, info={**info, "rules": rules})
    op.drop_column("snapshots", "rules")


def _change(number: int, **values: Any) -> None:
    op.execute(SNAPSHOTS.update().where(SNAPSHOTS.c.id == number).values(values))
