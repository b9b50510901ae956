"""A typed HTTP client of the server; knows schemas, never services."""
