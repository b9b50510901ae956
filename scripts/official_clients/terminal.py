"""A program in a terminal that nobody looks at: keys go in, the screen is read as text."""

import re
import shlex
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio

WIDTH: Final = 140
HEIGHT: Final = 50
LOOK_SECONDS: Final = 0.1
DRAWN_SECONDS: Final = 0.5
TERM: Final = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


class NotShown(AssertionError):
    """The screen never became what was waited for."""

    def __init__(self, wanted: str, screen: str) -> None:
        shown = "\n".join(line for line in screen.splitlines() if line.strip())
        super().__init__(f"waited in vain for {wanted}; the screen without its empty lines:\n{shown}")


@dataclass(frozen=True)
class Terminal:
    """One program in tmux, on a tmux server of its own."""

    socket: Path

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, in tmux's names: ``Enter``, ``Escape``, ``C-x``."""
        for key in keys:
            await self._tmux("send-keys", key)
            await anyio.sleep(LOOK_SECONDS)

    async def write(self, text: str) -> None:
        """Type text as it is, and wait until it is shown."""
        await self._tmux("send-keys", "-l", text)
        await self.shows(re.escape(text))

    async def say(self, text: str) -> None:
        """Type text, then Enter."""
        await self.write(text)
        await self.press("Enter")

    async def screen(self) -> str:
        """What is shown now, and the lines that scrolled off the top just before."""
        return await self._tmux("capture-pane", "-p", "-S", str(-HEIGHT))

    async def shows(self, *patterns: str, seconds: float = 15) -> str:
        """The screen, once each pattern (a regular expression) is found on it. Raises ``NotShown``."""
        return await self._until(f"{patterns}", seconds, lambda seen: all(re.search(p, seen) for p in patterns))

    async def asks(self, *patterns: str) -> str:
        """The same for a dialog, once it takes keys: the official one does a moment after it is drawn."""
        screen = await self.shows(*patterns)
        await anyio.sleep(DRAWN_SECONDS)
        return screen

    async def shows_no(self, pattern: str, seconds: float = 15) -> str:
        """The screen, once the pattern is not found on it. Raises ``NotShown``."""
        return await self._until(f"the end of {pattern!r}", seconds, lambda seen: not re.search(pattern, seen))

    async def _until(self, wanted: str, seconds: float, accepts: Callable[[str], bool]) -> str:
        seen = ""
        with anyio.move_on_after(seconds):
            while True:
                seen = await self.screen()
                if accepts(seen):
                    return seen
                await anyio.sleep(LOOK_SECONDS)
        raise NotShown(wanted, seen)

    async def _tmux(self, *arguments: str) -> str:
        return await _tmux(self.socket, *arguments)


@asynccontextmanager
async def terminal(
    socket: Path, command: Sequence[str], directory: Path, environment: Mapping[str, str]
) -> AsyncIterator[Terminal]:
    """A terminal that runs a command, until the context is left."""
    variables = [f"{name}={value}" for name, value in {**environment, **TERM}.items()]
    line = shlex.join(["env", "-i", *variables, *command])
    size = ("-x", str(WIDTH), "-y", str(HEIGHT))
    await _tmux(socket, "new-session", "-d", *size, "-c", str(directory), line)
    await _tmux(socket, "set-option", "-g", "remain-on-exit", "on")
    try:
        yield Terminal(socket)
    finally:
        with anyio.CancelScope(shield=True):
            await _tmux(socket, "kill-server")


async def _tmux(socket: Path, *arguments: str) -> str:
    done = await anyio.run_process(["tmux", "-S", str(socket), "-f", "/dev/null", *arguments])
    return done.stdout.decode()
