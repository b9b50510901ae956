"""Which project a directory belongs to, and what its version control says."""
