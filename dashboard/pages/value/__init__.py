"""The page Value; ``page.py`` comes first."""
