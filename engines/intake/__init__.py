"""Reading of sales: clean lines from a retailer's file, and a ledger of every line and all money."""

from engines.intake.cleaning.ledger import Ledger, LedgerEntry, Reason
from engines.intake.cleaning.rules import NOTES, RULES
from engines.intake.kept import customer_lines, open_kept
from engines.intake.read import read_sales
from engines.intake.sales import Origin, Sales
from engines.intake.sources.samples import EMBEDDED
from engines.settings import CleaningRules, Reading

__all__ = [
    "EMBEDDED",
    "NOTES",
    "RULES",
    "CleaningRules",
    "Ledger",
    "LedgerEntry",
    "Origin",
    "Reading",
    "Reason",
    "Sales",
    "customer_lines",
    "open_kept",
    "read_sales",
]
