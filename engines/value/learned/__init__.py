"""Value models trained on past windows."""
