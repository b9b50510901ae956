"""What a directory holds, file by file, and how two such states differ."""

import os
import stat
from pathlib import Path

Entry = tuple[str, bytes]
Tree = dict[str, Entry]
"""By relative name (bytes that are no UTF-8 as surrogates): the kind or the permissions, and the content."""

IGNORED = ".log"
"""Files that end so are ignored by the repository's rules: no snapshot holds them, no revert touches them."""


def read_tree(root: Path) -> Tree:
    """Every file and link below a directory, except git's own; links are not followed."""
    found: Tree = {}
    for folder, folders, files in os.walk(root):
        if folder == str(root):
            folders.remove(".git")
        for path in [Path(folder) / name for name in (*files, *folders)]:
            name = str(path.relative_to(root))
            if path.is_symlink():
                found[name] = ("link", os.fsencode(os.readlink(path)))
            elif path.is_file():
                found[name] = (oct(stat.S_IMODE(path.stat().st_mode)), path.read_bytes())
    return found


def changed(before: Tree, after: Tree) -> list[str]:
    """Names that differ, sorted as git sorts them, without the ignored."""
    differing = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    return sorted((name for name in differing if not name.endswith(IGNORED)), key=os.fsencode)


def put(tree: Tree, name: str, source: Tree) -> None:
    """Make one name of a tree what it is in another; what is in its way has to go."""
    tree.pop(name, None)
    if name in source:
        for other in [other for other in tree if cannot_be_beside(other, name)]:
            del tree[other]
        tree[name] = source[name]


def cannot_be_beside(one: str, other: str) -> bool:
    """Whether one of two files is where the other has a directory."""
    return one.startswith(other + "/") or other.startswith(one + "/")


def difference(expected: Tree, found: Tree) -> str:
    """Where two trees differ, for a person."""
    names = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    return "\n".join(f"{name!r}: expected {expected.get(name)}, found {found.get(name)}" for name in names)
