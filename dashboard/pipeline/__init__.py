"""From sales to stored runs; the only package that reads sales."""
