"""The page Segments; ``page.py`` comes first."""
