"""What a store owes of orders: each customer's history, kept with the snapshot and read one customer at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod

from pandas import DataFrame


class OrderStore(ABC):
    """The verb about orders, a part of :class:`~storage.contract.Store`; a snapshot is saved with them or without."""

    @abstractmethod
    def orders(self, snapshot_id: int, customer_id: str) -> DataFrame | None:
        """The orders of a customer, the oldest first: ``order_date``, ``amount_units``, ``lines``, ``items``.

        Money is whole units of 1/10,000; what came back is below zero; items are missing where they are not known.
        None where the snapshot was saved without orders.

        Raises:
            NotFoundError: no such snapshot, or no such customer in it.
        """
