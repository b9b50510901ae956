"""One module per endpoint group: handlers and their operations."""
