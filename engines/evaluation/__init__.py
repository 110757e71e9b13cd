"""How good, how stable and how far apart segmentations are."""
