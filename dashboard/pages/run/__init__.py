"""The page Run; ``page.py`` comes first."""
