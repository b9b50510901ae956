"""Errors whose text is for the person at the terminal; the command ends with status 1."""


class CliError(Exception):
    """The command cannot go on; the message says why, and what to do where that is known."""
