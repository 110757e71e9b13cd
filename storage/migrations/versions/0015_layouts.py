"""What a snapshot keeps as JSON is said with the snapshot, so that a column the code comes to know later stays readable."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

#: The columns that the table of customers had until now.
KNOWN = {
    "country", "recency_days", "frequency", "monetary", "net_monetary", "average_order_value", "items_per_order",
    "unique_products", "mean_days_between_orders", "purchase_span_days", "tenure_days", "first_purchase",
    "last_purchase", "return_rate", "is_home_country", "repeat_purchases", "first_to_last", "age", "mean_repeat_value",
    "expected_purchases", "expected_purchase_value", "clv", "p_alive", "churn_risk", "clv_low", "clv_high",
    "p_purchase", "future_spend",
}  # fmt: skip
SNAPSHOTS = sa.table("snapshots", sa.column("id", sa.Integer()), sa.column("layout", sa.JSON()))


def upgrade() -> None:
    for number, layout in _layouts():
        features = [column[0] for column in layout["columns"] if column[0] not in KNOWN]
        _keep(number, {**layout, "features": features})


def downgrade() -> None:
    for number, layout in _layouts():
        _keep(number, {name: value for name, value in layout.items() if name != "features"})


def _layouts() -> list[Any]:
    return list(op.get_bind().execute(sa.select(SNAPSHOTS)).all())


def _keep(number: int, layout: dict[str, Any]) -> None:
    op.execute(SNAPSHOTS.update().where(SNAPSHOTS.c.id == number).values(layout=layout))
