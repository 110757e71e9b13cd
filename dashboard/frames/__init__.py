"""One run in memory: its columns, filters, sums and the cache that holds it."""
