"""Unified diffs."""

import difflib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from opencode.tool.diff import MAX_EDITS, file_diff

PATH = Path("/p/a.txt")
HEADER = f"Index: /p/a.txt\n{'=' * 67}\n--- /p/a.txt\n+++ /p/a.txt\n"


def hunks(before: str, after: str) -> str:
    patch = file_diff(PATH, before, after).patch
    assert patch.startswith(HEADER)
    return patch.removeprefix(HEADER)


def test_one_changed_line_has_four_lines_of_context() -> None:
    before = "".join(f"{n}\n" for n in range(1, 13))
    assert hunks(before, before.replace("6\n", "six\n")) == (
        "@@ -2,9 +2,9 @@\n 2\n 3\n 4\n 5\n-6\n+six\n 7\n 8\n 9\n 10\n"
    )


def test_changes_far_apart_are_two_hunks_and_near_ones_are_one() -> None:
    before = "".join(f"{n}\n" for n in range(1, 31))
    far = before.replace("1\n", "one\n", 1).replace("\n30\n", "\nthirty\n")
    assert hunks(before, far).count("@@ -") == 2
    near = before.replace("\n10\n", "\nten\n").replace("\n19\n", "\nnineteen\n")
    assert hunks(before, near).count("@@ -") == 1


def test_a_new_file_starts_at_line_zero_of_nothing() -> None:
    assert hunks("", "a\nb\n") == "@@ -0,0 +1,2 @@\n+a\n+b\n"
    assert hunks("a\n", "") == "@@ -1,1 +0,0 @@\n-a\n"


def test_a_missing_line_end_is_marked() -> None:
    assert hunks("a", "a\n") == "@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n"


def test_shared_indentation_is_taken_out() -> None:
    assert hunks("    a\n\n    b\n", "    a\n\n      c\n") == "@@ -1,3 +1,3 @@\n a\n \n-b\n+  c\n"


def test_kinds_of_line_ends_are_not_compared() -> None:
    assert hunks("a\r\nb\r\n", "a\nc\n") == "@@ -1,2 +1,2 @@\n a\n-b\n+c\n"


def test_equal_texts_give_only_the_header() -> None:
    assert file_diff(PATH, "a\n", "a\n").patch == HEADER


def test_a_rewritten_file_is_still_a_diff() -> None:
    before = "".join(f"old {n}\nsame\n" for n in range(MAX_EDITS))
    after = "".join(f"new {n}\nsame\n" for n in range(MAX_EDITS))
    assert file_diff(PATH, before, after).additions >= MAX_EDITS


def test_the_shortest_script_is_found() -> None:
    diff = file_diff(PATH, "a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n")
    assert diff.additions + diff.deletions == 5


LINES = st.lists(st.sampled_from(["a", "b", "c", "  d", "", "é"]), max_size=12)


@given(LINES, LINES, st.booleans(), st.booleans())
def test_a_diff_holds_both_texts_and_is_never_longer_than_difflibs(
    old: list[str], new: list[str], old_ends: bool, new_ends: bool
) -> None:
    before = "\n".join(old) + ("\n" if old_ends else "")
    after = "\n".join(new) + ("\n" if new_ends else "")
    diff = file_diff(PATH, before, after)
    body = diff.patch.removeprefix(HEADER).splitlines()
    assert sum(line.startswith("+") for line in body) == diff.additions
    assert sum(line.startswith("-") for line in body) == diff.deletions
    reference = list(difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True)))
    assert diff.additions + diff.deletions <= sum(line[0] in "+-" for line in reference)
    # Hunks are within the texts, and their content is what stands there, but for shared indentation.
    assert _applied(before, diff.patch) == [line.strip() for line in after.split("\n")]


def _applied(before: str, patch: str) -> list[str]:
    """The stripped lines of ``before`` with the patch applied; a line end at the end gives an empty last line."""
    lines = [line.strip() for line in before.split("\n")]
    out: list[str] = []
    at = 0
    body = patch.removeprefix(HEADER).split("\n")[:-1]
    for line in body:
        if line.startswith("@@"):
            start, count = map(int, line.split()[1][1:].split(","))
            skip_to = start - 1 if count else start
            out += lines[at:skip_to]
            at = skip_to
        elif line[0] == " ":
            out.append(line[1:].strip())
            at += 1
        elif line[0] == "-":
            at += 1
        elif line[0] == "+":
            out.append(line[1:].strip())
    tail = lines[at:]
    if tail == [""] or not tail:
        without_end = patch.endswith("\\ No newline at end of file\n") and body[-2][0] in "+ "
        return out if without_end and out else [*out, ""]
    return out + tail
