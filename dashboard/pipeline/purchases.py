"""What one customer of a stored snapshot bought, from the sales that are kept with it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import ibis

from dashboard.config import Config
from dashboard.pipeline.sales import as_read
from engines import intake
from engines.columns import LINE_TYPE, SALE
from storage import Store
from storage.contract import NotFoundError, Snapshot
from storage.sql.layout import is_storable


def mapped_fields(snapshot: Snapshot) -> Collection[str]:
    """The fields that the sales of a snapshot have, attributes among them."""
    return [field for field, column in snapshot.settings.get("mapping", {}).items() if column]


@contextmanager
def lines_of_customer(snapshot: Snapshot, customer_id: str, config: Config, store: Store) -> Iterator[ibis.Table]:
    """The clean lines of a customer before the snapshot's date, until the ``with`` statement ends.

    Raises:
        NotFoundError: no sales are kept with the snapshot, or it has no such customer.
        StoreError: the kept sales are missing or altered, or the object store cannot be used.
    """
    then = as_read(snapshot, config)
    with store.sales(snapshot.id) as path:
        if is_storable(customer_id):
            with intake.customer_lines(
                path,
                customer_id,
                then.cleaning,
                then.reading,
                mapped=mapped_fields(snapshot),
                as_of=snapshot.as_of,
            ) as lines:
                # whoever only ever brought something back is no customer
                if lines.filter(lines[LINE_TYPE] == SALE).count().to_pyarrow().as_py():
                    yield lines
                    return
    raise NotFoundError(
        "There is no customer {customer_id!r} in snapshot {snapshot_id}.",
        customer_id=customer_id,
        snapshot_id=snapshot.id,
    )
