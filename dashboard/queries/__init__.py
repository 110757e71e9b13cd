"""Questions about stored runs, answered alike for pages, API and command line."""
