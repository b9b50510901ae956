"""The private repository on the disk: its layout, and the references that keep snapshots from being collected.

It is written without git: nothing of a user's templates or settings gets in, and opening costs no process.
"""

import hashlib
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

ROOT = "snapshot"
MARKER = "opencode-server"
"""A file in each store that is ours; others are never touched."""
KEPT = "refs/snapshots"
TOUCH_AFTER_SECONDS = 3600

_CONFIG = """\
[core]
\trepositoryformatversion = 0
\tbare = false
\tautocrlf = false
\tlongpaths = true
\tsymlinks = true
\tfsmonitor = false
\tquotepath = false
\thooksPath = /dev/null
\tattributesFile = /dev/null
\texcludesFile = /dev/null
\tcompression = 1
[pack]
\tcompression = 6
\tthreads = 1
[gc]
\tauto = 0
\tpackRefs = false
[diff]
\tignoreSubmodules = all
[submodule]
\trecurse = false
"""
# Above every `.gitattributes`: file contents go in and out byte for byte, and no program of a filter or driver runs.
_ATTRIBUTES = "* -text !eol -ident !filter !working-tree-encoding !diff !merge !delta\n"


def store_directory(data: Path, project_id: str, directory: Path) -> Path:
    """Where the snapshots of a directory are kept: ``<data>/snapshot/<project id>/<hash of the directory>``."""
    name = hashlib.sha1(os.fsencode(directory), usedforsecurity=False).hexdigest()[:16]
    return data / ROOT / project_id / name


def create_store(store: Path) -> None:
    """Make the repository, or complete one whose creation was interrupted. Raises ``OSError``."""
    if (store / MARKER).exists():
        return
    for folder in ("objects/info", "objects/pack", "refs/heads", KEPT, "info"):
        (store / folder).mkdir(parents=True, exist_ok=True)
    for private in (store.parents[1], store.parent, store):
        private.chmod(0o700)
    (store / "config").write_text(_CONFIG)
    (store / "info/attributes").write_text(_ATTRIBUTES)
    (store / "info/exclude").write_text("")
    (store / "HEAD").write_text("ref: refs/heads/none\n")
    (store / MARKER).write_text("Snapshots of opencode-server; may be deleted while it does not run.\n")


def keep(store: Path, tree: str) -> None:
    """Keep a tree and all that it holds for as long as its reference stands; using it again makes it young again."""
    reference = store / KEPT / tree
    try:
        age_seconds = time.time() - reference.stat().st_mtime
    except FileNotFoundError:
        reference.write_text(f"{tree}\n")
        return
    if age_seconds > TOUCH_AFTER_SECONDS:
        os.utime(reference)


def kept(store: Path) -> dict[str, int]:
    """The trees that are kept, and when each was last used, in milliseconds."""
    found: dict[str, int] = {}
    with suppress(FileNotFoundError), os.scandir(store / KEPT) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                found[entry.name] = int(entry.stat().st_mtime * 1000)
    return found


def release(store: Path, tree: str) -> None:
    """No longer keep a tree."""
    (store / KEPT / tree).unlink(missing_ok=True)


def remove_stores(data: Path, before_ms: int) -> list[Path]:
    """Delete whole stores of ours that no snapshot was taken in since; gives those that are gone. Blocks."""
    removed = []
    for marker in (data / ROOT).glob(f"*/*/{MARKER}"):
        store = marker.parent
        with suppress(OSError):  # another server may do the same
            if _used_ms(store) < before_ms:
                shutil.rmtree(store, ignore_errors=True)
                removed.append(store)
                store.parent.rmdir()
    return removed


def _used_ms(store: Path) -> int:
    return max([int((store / MARKER).stat().st_mtime * 1000), *kept(store).values()])
