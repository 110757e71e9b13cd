"""The page Drift; ``page.py`` comes first."""
