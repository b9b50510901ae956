"""What can go wrong with stored credentials."""


class RenewalRefused(Exception):
    """The server that gave out tokens gives no new ones: the user has to sign in again."""
