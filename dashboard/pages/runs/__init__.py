"""The page Runs; ``page.py`` comes first."""
