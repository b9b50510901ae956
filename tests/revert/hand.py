"""A hand that changes a directory at random, through the tools a model has."""

import base64
import os
import random
import shlex
from collections.abc import Callable
from pathlib import Path

from tests.revert.tree import Tree, read_tree
from tests.support.scripted_model.script import Call, Op, Turn, turn

PLAIN = ("a.txt", "b", "x", "x/y", "x/z/deep", "d/e/f/g", "docs/guide.md")
ODD = ("sp ace", "ü ä", ":colon", "-dash", "*", 'qu"ote', "back\\slash", "x/new\nline", "x/y/under")
NO_TEXT = (os.fsdecode(b"latin\xe9"), os.fsdecode(b"d/\xff\xfe"))
"""Names that only a shell can spell."""
KEPT = {"opencode.json", ".gitignore"}


class Hand:
    """Everything it does follows from ``random`` and from what is in the directory."""

    def __init__(self, root: Path, random: random.Random) -> None:
        self._root = root
        self._random = random
        self._calls = 0
        self._tree: Tree = {}

    def step(self, *, patches: bool) -> Turn:
        """An answer of a model with one to three calls. ``patches``: it changes files with ``apply_patch``."""
        self._tree = read_tree(self._root)
        acts = [self._patch, self._patch] if patches else [self._write, self._write, self._edit, self._edit]
        words: list[Op | str] = ["I change something."] if self._random.random() < 0.5 else []
        count = self._random.choice([1, 1, 1, 2, 3])
        return turn(*words, *(self._random.choice([*acts, *[self._shell] * 5])() for _ in range(count)))

    def command(self) -> str:
        """A shell command that changes something."""
        self._tree = read_tree(self._root)
        made: list[Callable[[], str]] = [
            self._create, self._binary, self._delete, self._rename, self._mode, self._link, self._folder, self._swap,
            self._append, self._replace, self._log, self._git,
        ]  # fmt: skip
        return self._random.choice(made)()

    def change_something_small(self) -> str:
        """What a person may change between turns: content of a file that is there, or a file of their own. Its name."""
        self._tree = read_tree(self._root)
        name = self._random.choice([*self._files(), "mine/notes"])
        path = self._root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(self._text().encode())
        return name

    # --- calls --------------------------------------------------------------------------------------------------------

    def _call(self, tool: str, **arguments: object) -> Call:
        self._calls += 1
        return Call(tool, arguments, id=f"call_{self._calls}")

    def _shell(self) -> Call:
        commands = [self.command() for _ in range(self._random.choice([1, 1, 2, 4]))]
        return self._call("bash", command="\n".join(commands))

    def _write(self) -> Call:
        name = self._random.choice([*PLAIN, *ODD])
        return self._call("write", filePath=str(self._root / name), content=self._text())

    def _edit(self) -> Call:
        texts = self._texts()
        if not texts:
            return self._write()
        name = self._random.choice(sorted(texts))
        old = self._random.choice(texts[name].split("\n")) or texts[name]
        arguments = {"oldString": old, "newString": self._text(), "replaceAll": self._random.random() < 0.3}
        return self._call("edit", filePath=str(self._root / name), **arguments)

    def _patch(self) -> Call:
        texts = {name: text for name, text in self._texts().items() if "\n" not in name and "\r" not in text}
        sections = [f"*** Add File: {self._random.choice(PLAIN)}\n+{self._word()}"]
        if texts:
            name = self._random.choice(sorted(texts))
            line = self._random.choice(texts[name].split("\n"))
            move = f"\n*** Move to: {self._random.choice(PLAIN)}" if self._random.random() < 0.4 else ""
            sections.append(f"*** Update File: {name}{move}\n@@\n-{line}\n+{self._word()}")
            sections.append(f"*** Delete File: {name}")
        body = self._random.choice(sections)
        return self._call("apply_patch", patchText=f"*** Begin Patch\n{body}\n*** End Patch")

    # --- commands -----------------------------------------------------------------------------------------------------

    def _create(self) -> str:
        name = self._any_name()
        return f"{_folder_of(name)}printf %s {_quoted(self._word())} > ./{_quoted(name)}"

    def _binary(self) -> str:
        name = self._any_name()
        content = base64.b64encode(self._random.randbytes(self._random.randint(0, 3000))).decode()
        return f"{_folder_of(name)}echo {content} | base64 -d > ./{_quoted(name)}"

    def _append(self) -> str:
        return f"echo {self._word()} >> ./{_quoted(self._there())}"

    def _replace(self) -> str:
        """As editors write: a new file, renamed over the old one; same size and same time now and then."""
        name = _quoted(self._there())
        return f"tr a-y b-z < ./{name} > fresh && touch -r ./{name} fresh && mv -f fresh ./{name}"

    def _delete(self) -> str:
        return f"rm -rf ./{_quoted(self._random.choice([self._there(), 'x', 'd', 'x/z']))}"

    def _rename(self) -> str:
        target = self._any_name()
        return f"{_folder_of(target)}mv -f ./{_quoted(self._there())} ./{_quoted(target)}"

    def _mode(self) -> str:
        return f"chmod {self._random.choice(['+x', '-x'])} ./{_quoted(self._there())}"

    def _link(self) -> str:
        name, target = self._any_name(), self._random.choice(["a.txt", "nowhere", "x", "d/e", "b"])
        return f"{_folder_of(name)}ln -sfn {target} ./{_quoted(name)}"

    def _folder(self) -> str:
        """A directory moves, with all that is in it."""
        source, target = self._random.sample(["x", "d", "x/z", "moved", "d/e"], 2)
        return f"{_folder_of(target)}mv -f {source} {target}"

    def _swap(self) -> str:
        """A directory becomes a file, or a file a directory."""
        return f"if [ -d x ]; then rm -rf x; echo {self._word()} > x; else rm -f x; mkdir x; echo 1 > x/inner; fi"

    def _log(self) -> str:
        return f"mkdir -p logs; echo {self._word()} >> logs/it.log"

    def _git(self) -> str:
        return self._random.choice(["git add -A", "git add -A && git -c user.name=n -c user.email=e@x commit -qm more"])

    # --- names and texts ----------------------------------------------------------------------------------------------

    def _any_name(self) -> str:
        return self._random.choice([*PLAIN, *PLAIN, *ODD, *NO_TEXT])

    def _there(self) -> str:
        """A file or link that is there."""
        names = [name for name in self._tree if name not in KEPT and not name.startswith("logs/")]
        return self._random.choice(sorted(names) or ["a.txt"])

    def _files(self) -> list[str]:
        """Plain files with names that text can hold."""
        return sorted(
            name for name, (kind, _) in self._tree.items()
            if kind != "link" and name not in KEPT and not name.endswith(".log") and name.isprintable()
        )  # fmt: skip

    def _texts(self) -> dict[str, str]:
        found = {}
        for name in self._files():
            content = self._tree[name][1]
            if content and content.isascii() and b"\0" not in content:
                found[name] = content.decode().rstrip("\n")
        return {name: text for name, text in found.items() if text}

    def _word(self) -> str:
        return self._random.randbytes(4).hex()

    def _text(self) -> str:
        end = self._random.choice(["\n", "\n", "\r\n", ""])
        lines = [self._word() for _ in range(self._random.randint(0, 4))]
        return (end or "\n").join(lines) + (end if lines else "")


def _folder_of(name: str) -> str:
    folder = name.rpartition("/")[0]
    return f"mkdir -p ./{_quoted(folder)}; " if folder else ""


def _quoted(name: str) -> str:
    raw = os.fsencode(name)
    try:
        return shlex.quote(raw.decode())
    except UnicodeDecodeError:
        return "$'" + "".join(f"\\{byte:03o}" for byte in raw) + "'"
