"""Skills found in the skill directories."""
