"""The command line: serve, run."""
