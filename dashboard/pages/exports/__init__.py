"""The page Exports; ``page.py`` comes first."""
