"""Reading sales: a retailer's file becomes clean lines, and a ledger that says where every line and all money went."""

from engines.intake.ledger import Ledger, LedgerEntry, Reason
from engines.intake.read import Sales, read_sales
from engines.intake.reading import Reading
from engines.intake.rules import NOTES, RULES
from engines.intake.samples import EMBEDDED
from engines.intake.settings import WHY, CleaningRules

__all__ = [
    "EMBEDDED",
    "NOTES",
    "RULES",
    "WHY",
    "CleaningRules",
    "Ledger",
    "LedgerEntry",
    "Reading",
    "Reason",
    "Sales",
    "read_sales",
]
