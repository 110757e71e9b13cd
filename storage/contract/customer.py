"""What a store owes of one customer alone: the orders, and the segment in a run, read without reading the others."""

from __future__ import annotations

from abc import ABC, abstractmethod

from pandas import DataFrame


class CustomerStore(ABC):
    """The verbs about one customer, a part of :class:`~storage.contract.Store`.

    Orders are kept with a snapshot (:meth:`~storage.contract.Store.save_snapshot`), which may be saved without any.
    """

    @abstractmethod
    def orders(self, snapshot_id: int, customer_id: str) -> DataFrame | None:
        """The orders of a customer, the oldest first: ``order_date``, ``amount_units``, ``lines``, ``items``.

        Money is whole units of 1/10,000; what came back is below zero; items are missing where they are not known.
        None where the snapshot was saved without orders.

        Raises:
            NotFoundError: no such snapshot, or no such customer in it.
        """

    @abstractmethod
    def segment_of(self, run_id: int, customer_id: str) -> int | None:
        """The key of the segment that a customer is in, None where the snapshot does not have that customer.

        Raises:
            NotFoundError: no such run, or it is not finished.
        """
