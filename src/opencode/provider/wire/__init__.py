"""One module per wire format: how a request is written and how its stream of events is read."""
