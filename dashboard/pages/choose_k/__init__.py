"""The page Choose k; ``page.py`` comes first."""
