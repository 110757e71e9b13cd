"""Reading sales: a retailer's file becomes clean lines, and a ledger that says where every line and all money went."""

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
