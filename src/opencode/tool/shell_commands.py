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
_CHANGES_SHELL = frozenset({"declaration_command", "unset_command", "variable_assignment", "variable_assignments"})
"""Statements that are no command, and change what the commands after them do: ``export PATH=...``."""
_HARMLESS_FILES = re.compile(r"/dev/(null|zero|std(in|out|err)|tty|fd/\d+)")
_WORDS = frozenset({"command_name", "word", "string", "raw_string", "concatenation", "number"})
_EXPANSION = re.compile(r"[$`]")
_HOME = re.compile(r"^(\"?)\$(HOME\b|\{HOME\})")
_GLOB = re.compile(r"[*?\[{]")


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """One simple command. ``text`` is all of it, with redirections; ``words`` keep their quotes.

    ``files``: where its input and output come from and go to, as written.
    """

    text: str
    words: tuple[str, ...]
    files: tuple[str, ...] = ()

    @property
    def changes_directory(self) -> bool:
        """Whether all it does is to go somewhere else."""
        return bool(self.words) and self.words[0] in _CHANGES_DIRECTORY and not self.files

    def paths(self) -> Iterator[str]:
        """The arguments that are paths, and the files of redirections, as far as can be told without running it."""
        yield from (path for file in self.files if (path := _literal(file)) and not _HARMLESS_FILES.fullmatch(path))
        if not self.words or self.words[0] not in _TAKES_PATHS:
            return
        if self.words == ("cd",):
            yield "~"
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

    def places(self, cwd: Path, home: Path) -> list[Path]:
        """The paths that arguments and redirections name, each once; ``..`` stays, as links may come before it."""
        return list(dict.fromkeys(cwd / _home_expanded(path, home) for one in self.commands for path in one.paths()))

    def directories(self, cwd: Path, home: Path, is_directory: Callable[[Path], bool]) -> list[Path]:
        """The directories that path arguments point to or into, each once."""
        targets = (Path(os.path.normpath(place)) for place in self.places(cwd, home))
        return list(dict.fromkeys(target if is_directory(target) else target.parent for target in targets))


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
        elif _is_statement(node):
            yield ShellCommand(_text(node), (_text(node),), _files(node))
        stack.extend(reversed(node.children))


def _is_statement(node: "Node") -> bool:
    """Whether a node that is no command does something by itself."""
    match node.type:
        case "redirected_statement":
            return all(child.type != "command" for child in node.named_children)
        case "test_command":  # `[[ -v 'a[$(x)]' ]]` runs x
            return "[" in _text(node).lstrip("[")
        case "compound_statement":  # so does `(( 'a[$(x)]' ))`
            return _text(node).startswith("((") and ("'" in _text(node) or '"' in _text(node))
        case kind if kind in _CHANGES_SHELL:
            parent = node.parent.type if node.parent is not None else ""
            return parent not in _CHANGES_SHELL and parent not in ("command", "c_style_for_statement")
    return False


def _files(statement: "Node") -> tuple[str, ...]:
    """The files of a statement's redirections; not the descriptors."""
    redirects = (child for child in statement.named_children if child.type == "file_redirect")
    targets = (redirect.child_by_field_name("destination") for redirect in redirects)
    return tuple(_text(target) for target in targets if target is not None and target.type != "number")


def _described(node: "Node") -> Iterator[ShellCommand]:
    words = tuple(_text(child) for child in node.children if child.type in _WORDS)
    whole = node.parent if node.parent is not None and node.parent.type == "redirected_statement" else node
    files = _files(whole) if whole is not node else ()
    yield ShellCommand(_text(whole), words, files)
    name = node.child_by_field_name("name")
    if name is not None and name.start_byte > node.start_byte:
        # Variables set in front must not hide the command from a rule.
        bare = _bytes(node)[name.start_byte - node.start_byte :]
        yield ShellCommand(bare.decode(errors="replace"), words, files)


def _bytes(node: "Node") -> bytes:
    return node.text or b""


def _text(node: "Node") -> str:
    return _bytes(node).decode(errors="replace").strip()


def _literal(word: str) -> str | None:
    """The path that a word names, up to the first wildcard; None when only the shell can tell."""
    if word.startswith("'") and word.endswith("'") and len(word) > 1:
        return word[1:-1]
    word = _HOME.sub(r"\1~", word)
    if _EXPANSION.search(word):
        return None
    if word.startswith('"') and word.endswith('"') and len(word) > 1:
        return word[1:-1]
    glob = _GLOB.search(word)
    return (word[: glob.start()] if glob else word).replace("\\", "")


def _home_expanded(path: str, home: Path) -> Path:
    if path == "~" or path.startswith("~/"):
        return home / path[2:]
    return Path(path).expanduser() if _is_users(path) else Path(path)


def _is_users(path: str) -> bool:
    """Whether the path begins in the home of a user of this machine."""
    return path.startswith("~") and os.path.expanduser(path) != path  # noqa: PTH111 (Path raises for strangers)
