"""The page New run; ``page.py`` comes first."""
