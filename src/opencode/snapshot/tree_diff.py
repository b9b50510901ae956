"""Compares two trees and turns git's answer into file changes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from opencode.snapshot import names
from opencode.snapshot.errors import GitFailed
from opencode.snapshot.schema import ChangeStatus, FileChange
from opencode.snapshot.shadow_git import ShadowGit

PATCH_LIMIT_BYTES = 1024 * 1024
"""A file with a longer patch is told without it."""
PATCHES_LIMIT_BYTES = 8 * 1024 * 1024
"""And so are all files after this much."""
TEXT_LIMIT_BYTES = 4 * 1024 * 1024
_COMPARED_BYTES = 8 * 1024 * 1024
"""Larger files are taken for binary."""
_OUTPUT_BYTES = 64 * 1024 * 1024
_WHOLE_FILE = "-U1000000000"
_OPTIONS = ("-r", "-z", "--raw", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color")
DELETED = b"D"
_STATUS: dict[bytes, ChangeStatus] = {b"A": "added", DELETED: "deleted"}
_SECTION = re.compile(rb"^diff --git ", re.MULTILINE)
_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@[^\n]*\n", re.MULTILINE)
_RULE = "=" * 67


@dataclass(frozen=True, slots=True)
class Difference:
    """One name that differs: git's status letter, and the mode after it (all zeros when it is gone)."""

    name: bytes
    status: bytes
    mode: bytes


async def differences(git: ShadowGit, before: str, after: str) -> list[Difference]:
    """What differs between two trees, sorted. Raises ``GitFailed``, also when a tree is not there."""
    if before == after:
        return []
    output = await git.output("diff-tree", *_OPTIONS, before, after, limit_bytes=_OUTPUT_BYTES)
    return _read_differences(output)[0]


async def file_changes(git: ShadowGit, before: str, after: str) -> dict[bytes, FileChange]:
    """The same with contents, as clients are told of it. Raises ``GitFailed``."""
    if before == after:
        return {}
    limits = ("-c", f"core.bigFileThreshold={_COMPARED_BYTES}")
    arguments = (*limits, "diff-tree", *_OPTIONS, "--numstat", "--patch", _WHOLE_FILE, before, after)
    output = await git.output(*arguments, limit_bytes=_OUTPUT_BYTES, may_cut=True)
    found, rest = _read_differences(output)
    counts, rest = _read_counts(output, rest, len(found))
    sections = _sections(output[rest + 1 :], is_cut=len(output) >= _OUTPUT_BYTES)
    return dict(_changes(found, counts, sections))


async def diff_text(git: ShadowGit, before: str, after: str) -> str:
    """A unified diff as git prints it, without the last line break; whole files only, if it is very long."""
    if before == after:
        return ""
    arguments = ("diff-tree", "-r", "--patch", *_OPTIONS[3:], before, after)
    output = await git.output(*arguments, limit_bytes=TEXT_LIMIT_BYTES, may_cut=True)
    if len(output) >= TEXT_LIMIT_BYTES:
        output = output[: max(output.rfind(b"\ndiff --git "), 0)]
    return output.decode("utf-8", "replace").strip()


def _read_differences(output: bytes) -> tuple[list[Difference], int]:
    """The entries ``:<mode> <mode> <object> <object> <status>`` NUL ``<name>`` NUL, and where they end."""
    found, position = [], 0
    while output.startswith(b":", position):
        head, position = _field(output, position)
        name, position = _field(output, position)
        _, mode, _, _, status = head.split(b" ")
        found.append(Difference(name, status[:1], mode))
    return found, position


def _read_counts(output: bytes, position: int, number: int) -> tuple[list[tuple[bytes, bytes]], int]:
    """``number`` entries ``<added> <deleted> <name>`` NUL; both counts are ``-`` for a binary file."""
    counts = []
    for _ in range(number):
        entry, position = _field(output, position)
        added, deleted, _ = entry.split(b"\t", 2)
        counts.append((added, deleted))
    return counts, position


def _field(output: bytes, start: int) -> tuple[bytes, int]:
    end = output.find(b"\0", start)
    if end < 0:
        raise GitFailed("git diff-tree: too many files differ")
    return output[start:end], end + 1


def _sections(patch: bytes, *, is_cut: bool) -> Iterator[bytes]:
    """The parts of a patch, one for each file, in order; of a cut patch, those that are whole."""
    starts = [match.start() for match in _SECTION.finditer(patch)]
    ends = starts[1:] if is_cut else [*starts[1:], len(patch)]
    return (patch[begin:end] for begin, end in zip(starts, ends, strict=False))


def _changes(
    found: list[Difference], counts: list[tuple[bytes, bytes]], sections: Iterator[bytes]
) -> Iterator[tuple[bytes, FileChange]]:
    budget = PATCHES_LIMIT_BYTES
    for difference, (added, deleted) in zip(found, counts, strict=True):
        # What changed its type, from a file to a link, is printed as deleted and added.
        own = [next(sections, None) for _ in range(2 if difference.status == b"T" else 1)]
        patch = "" if added == b"-" else _patch(names.text(difference.name), own, min(budget, PATCH_LIMIT_BYTES))
        budget -= len(patch)
        yield (
            difference.name,
            FileChange(
                file=names.text(difference.name),
                patch=patch,
                additions=0 if added == b"-" else int(added),
                deletions=0 if deleted == b"-" else int(deleted),
                status=_STATUS.get(difference.status, "modified"),
            ),
        )


def _patch(file: str, sections: list[bytes | None], limit_bytes: int) -> str:
    """A patch with the header that OpenCode gives it; empty when it would be longer than the limit."""
    head = f"Index: {file}\n{_RULE}\n--- {file}\t\n+++ {file}\t\n"
    ranges, bodies = [(0, 0), (0, 0)], []
    for section in sections:
        if section is None or len(section) > limit_bytes:
            return ""
        if hunk := _HUNK.search(section):
            before, after = _range(hunk[1], hunk[2]), _range(hunk[3], hunk[4])
            ranges = [max(ranges[0], before), max(ranges[1], after)]
            bodies.append(section[hunk.end() :])
    if not bodies:
        return head
    (old_start, old), (new_start, new) = ranges
    text = b"".join(bodies).decode("utf-8", "replace")
    return f"{head}@@ -{old_start},{old} +{new_start},{new} @@\n{text}"


def _range(start: bytes, count: bytes | None) -> tuple[int, int]:
    """First line and number of lines; git leaves out a number of one."""
    return int(start), 1 if count is None else int(count)
