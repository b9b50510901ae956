"""Proof of the import: data written by the official programs, imported and compared with what their API said."""
