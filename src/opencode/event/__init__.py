"""Events: their envelope, the durable log with its cursor, and the bus that delivers them. Knows no event types."""
