"""What a user may switch about cleaning, each setting with its default and the reason for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal


def _setting(default: Any, why: str) -> Any:
    made = {"default_factory": default} if callable(default) else {"default": default}
    return field(**made, metadata={"why": why})


@dataclass(frozen=True)
class CleaningRules:
    """Which lines are dropped, and why that is the default; the same names and defaults as [cleaning] in config.toml.

    ``from_day`` and ``to_day`` are ISO dates, empty for none. ``rates``: what one unit of a currency is worth.
    """

    drop_cancellations: bool = _setting(True, "A cancelled invoice is no sale, whatever its lines say.")
    drop_non_positive_quantity: bool = _setting(True, "What came back, or was never shipped, was not bought.")
    drop_non_positive_price: bool = _setting(True, "A gift says nothing of what a customer is ready to pay.")
    returns: Literal["drop", "net"] = _setting(
        "drop", "Monetary then says what customers chose to buy; net monetary and return rate say what came back."
    )
    zero_amount: Literal["keep", "drop"] = _setting("keep", "Where only amounts are known, a purchase happened.")
    drop_exact_duplicates: bool = _setting(False, "Two equal lines are usually two units of the same thing.")
    drop_outliers: bool = _setting(False, "The largest orders are mostly genuine, and are the best customers' own.")
    outlier_z: float = _setting(
        5.0, "The usual 3.5 is meant for bell curves; sales have a longer tail of honest lines."
    )
    drop_test_orders: bool = _setting(False, "A shop may sell what looks like a test; the ledger shows what there is.")
    test_orders: tuple[str, ...] = _setting(("TEST*",), "How most shop systems mark orders and products of a trial.")
    drop_non_products: bool = _setting(
        False, "Customers paid for postage as well, and a code for a fee in one shop is a product in another."
    )
    non_product_codes: tuple[str, ...] = _setting(
        (
            *("POST", "DOT", "C2", "D", "M", "S", "B", "PADS", "CRUK", "BANK CHARGES", "AMAZONFEE", "ADJUST*"),
            "gift_*",
        ),
        "Postage, discounts, manual entries, samples, bad debt, donations, fees and vouchers of UCI Online Retail.",
    )
    from_day: str = _setting("", "All of the past counts.")
    to_day: str = _setting("", "The as-of date already cuts off what came later.")
    only_customers: tuple[str, ...] = _setting((), "Everyone counts.")
    without_customers: tuple[str, ...] = _setting((), "Nobody is left out; give staff, tills and test accounts here.")
    unknown_countries: tuple[str, ...] = _setting(
        ("Unspecified", "Unknown", "N/A"), "Names that mean nobody knows are no country."
    )
    rates: Mapping[str, float] = _setting(
        dict, "Sales are mostly in one currency; mixed ones are refused without rates."
    )

    @property
    def net(self) -> bool:
        """Whether what came back is subtracted from the customer's money."""
        return self.returns == "net"


#: Why each setting has its default, by name.
WHY: Mapping[str, str] = {item.name: item.metadata["why"] for item in fields(CleaningRules)}
