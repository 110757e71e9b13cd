"""The page Audiences; ``page.py`` comes first."""
