"""Which lines count, and the ledger of those that do not."""
