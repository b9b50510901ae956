"""What a check is: a sentence, and the function that finds out whether it holds."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from scripts.official_clients.world import World

Probe = Callable[[World], Awaitable[None]]


@dataclass(frozen=True)
class Check:
    """One thing an official client must be able to do. ``probe`` raises when it cannot."""

    name: str
    sentence: str
    probe: Probe
    since: str
    """The first version of the client that can do it at all, whatever the server; empty: all of them."""

    def is_for(self, version: str) -> bool:
        """Whether a client of this version can do it."""
        return not self.since or _numbers(version) >= _numbers(self.since)


def check(name: str, sentence: str, since: str = "") -> Callable[[Probe], Check]:
    """Makes a check of the function below it."""
    return lambda probe: Check(name, sentence, probe, since)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def expect(holds: bool, seen: object) -> None:
    """Raises ``AssertionError`` with what was seen, unless it holds."""
    if not holds:
        raise AssertionError(f"seen instead: {seen}")
