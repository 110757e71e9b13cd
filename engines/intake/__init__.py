"""Reading sales: a retailer's file becomes clean lines, and a ledger that says where every line and all money went."""

from engines.intake.cleaning import CleaningRules
from engines.intake.ledger import NOTES, RULES, Ledger, LedgerEntry, Reason
from engines.intake.read import Sales, read_sales
from engines.intake.reading import Reading
from engines.intake.samples import EMBEDDED

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
