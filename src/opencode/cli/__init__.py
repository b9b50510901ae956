"""The command line: ``opencode serve`` and ``opencode run``. Reads the environment, builds what it starts, prints."""
