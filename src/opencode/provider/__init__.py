"""Model catalogue, provider set, and one adapter per wire format behind a single stream of events."""
