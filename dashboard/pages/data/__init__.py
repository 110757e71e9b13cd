"""The page Data; ``page.py`` comes first."""
