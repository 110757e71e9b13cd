"""One run in memory: its columns, filters, aggregates and the cache that holds it."""
