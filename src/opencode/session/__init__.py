"""Sessions, messages, parts and todos: records, store, changes."""
