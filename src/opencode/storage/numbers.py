"""Numbers that a database can hold."""

LARGEST_INTEGER = 2**63 - 1


def storable(number: int | float) -> int | float:
    """The nearest number that SQLite can hold and order: clients and imports send any they like."""
    return max(-LARGEST_INTEGER, min(number, LARGEST_INTEGER))
