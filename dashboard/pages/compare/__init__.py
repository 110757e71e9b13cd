"""The page Compare; ``page.py`` comes first."""
