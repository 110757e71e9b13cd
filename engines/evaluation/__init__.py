"""Quality, stability and agreement of segmentations."""
