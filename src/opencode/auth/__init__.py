"""Stored credentials of model providers (auth.json)."""
