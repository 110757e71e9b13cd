"""The process that claims queued work and does it."""
