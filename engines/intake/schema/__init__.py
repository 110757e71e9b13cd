"""Which column holds which field, and what its cells mean."""
