"""What a shell command line would run and which directories it names (spec: agents and permissions, 3.9)."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

_CHANGES_DIRECTORY = frozenset({"cd", "chdir", "pushd", "popd"})
_TAKES_PATHS = _CHANGES_DIRECTORY | {"rm", "cp", "mv", "mkdir", "touch", "chmod", "chown", "cat"}
_WORDS = frozenset({"command_name", "word", "string", "raw_string", "concatenation", "number"})
_EXPANSION = re.compile(r"[$`]")
_GLOB = re.compile(r"[*?\[{]")


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """One simple command. ``text`` is all of it, with redirections; ``words`` keep their quotes."""

    text: str
    words: tuple[str, ...]

    @property
    def changes_directory(self) -> bool:
        """Whether all it does is to go somewhere else."""
        return bool(self.words) and self.words[0] in _CHANGES_DIRECTORY

    def paths(self) -> Iterator[str]:
        """The arguments that are paths, as far as can be told without running anything."""
        if not self.words or self.words[0] not in _TAKES_PATHS:
            return
        is_mode = self.words[0] == "chmod"
        for word in self.words[1:]:
            if not word.startswith("-") and not (is_mode and word.startswith("+")):
                path = _literal(word)
                if path:
                    yield path


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The commands of a line in the order they are written, also those inside pipes, loops and substitutions."""

    text: str
    commands: tuple[ShellCommand, ...]
    is_understood: bool
    """False when the grammar did not get all of it, or found nothing that runs: the whole text decides then."""

    def patterns(self) -> list[str]:
        """What permission rules are asked about, each once. Never empty unless the line only changes directory."""
        texts = [command.text for command in self.commands if not command.changes_directory]
        if not self.is_understood:
            texts.append(self.text.strip())
        return list(dict.fromkeys(texts))

    def directories(self, cwd: Path, home: Path, is_directory: Callable[[Path], bool]) -> list[Path]:
        """The directories that path arguments point to or into, each once."""
        found: dict[Path, None] = {}
        for command in self.commands:
            for path in command.paths():
                target = Path(os.path.normpath(cwd / _home_expanded(path, home)))
                found[target if is_directory(target) else target.parent] = None
        return list(found)


def parse_command_line(text: str) -> CommandLine:
    """The commands of a line. Never fails: what cannot be understood is said so."""
    import tree_sitter_bash  # compiled libraries that only the first command needs
    from tree_sitter import Language, Parser

    source = text.encode(errors="replace")
    tree = Parser(Language(tree_sitter_bash.language())).parse(source)
    commands = tuple(_commands(tree.root_node))
    is_understood = not tree.root_node.has_error and bool(commands)
    return CommandLine(text, commands, is_understood)


def _commands(root: "Node") -> Iterator[ShellCommand]:
    # A stack of our own: nesting is as deep as the model likes.
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type == "command":
            yield from _described(node)
        stack.extend(reversed(node.children))


def _described(node: "Node") -> Iterator[ShellCommand]:
    words = tuple(_text(child) for child in node.children if child.type in _WORDS)
    whole = node.parent if node.parent is not None and node.parent.type == "redirected_statement" else node
    yield ShellCommand(_text(whole), words)
    name = node.child_by_field_name("name")
    if name is not None and name.start_byte > node.start_byte:
        # Variables set in front must not hide the command from a rule.
        bare = _bytes(node)[name.start_byte - node.start_byte :]
        yield ShellCommand(bare.decode(errors="replace"), words)


def _bytes(node: "Node") -> bytes:
    return node.text or b""


def _text(node: "Node") -> str:
    return _bytes(node).decode(errors="replace").strip()


def _literal(word: str) -> str | None:
    """The path that a word names, up to the first wildcard; None when only the shell can tell."""
    if word.startswith("'") and word.endswith("'") and len(word) > 1:
        return word[1:-1]
    if _EXPANSION.search(word):
        return None
    if word.startswith('"') and word.endswith('"') and len(word) > 1:
        return word[1:-1]
    glob = _GLOB.search(word)
    return (word[: glob.start()] if glob else word).replace("\\", "")


def _home_expanded(path: str, home: Path) -> Path:
    if path == "~" or path.startswith("~/"):
        return home / path[2:]
    return Path(path)
