"""The page Migration; ``page.py`` comes first."""
