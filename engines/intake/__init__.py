"""Reading of sales: clean lines from a retailer's file, and a ledger of every line and all money."""

from engines.intake.cleaning.ledger import Ledger, LedgerEntry, Reason
from engines.intake.cleaning.rules import NOTES, RULES
from engines.intake.read import Sales, read_sales
from engines.intake.sources.samples import EMBEDDED
from engines.settings import CleaningRules, Reading

__all__ = [
    "EMBEDDED",
    "NOTES",
    "RULES",
    "CleaningRules",
    "Ledger",
    "LedgerEntry",
    "Reading",
    "Reason",
    "Sales",
    "read_sales",
]
