"""Value models that are learned from past windows."""
