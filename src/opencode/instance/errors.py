"""What can go wrong with opening a directory."""

from opencode.core.errors import Unavailable


class ServerStopping(Unavailable):
    """The server is going down and opens nothing more."""

    def __init__(self) -> None:
        super().__init__("The server is stopping")
