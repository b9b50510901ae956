"""The two versions: the API that is spoken, and this program."""

API_VERSION = "1.18.33"
"""The OpenCode release whose API is spoken. Clients gate features by it, so ``GET /global/health`` reports it."""

SERVER_VERSION = "0.1.0"
"""The version of this distribution; the build reads it from here."""
