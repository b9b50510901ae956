"""The patch language: reading patches, and applying updates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.tool.patch import (
    AddFile,
    Chunk,
    DeleteFile,
    PatchError,
    UpdateFile,
    apply_update,
    parse_patch,
    seek,
)


def patch(*lines: str) -> str:
    return "\n".join(["*** Begin Patch", *lines, "*** End Patch"])


def updated(text: str, *lines: str) -> str:
    (section,) = parse_patch(patch("*** Update File: a", *lines))
    assert isinstance(section, UpdateFile)
    return apply_update(text, section.chunks, "/p/a")


def test_all_kinds_of_sections_are_read() -> None:
    sections = parse_patch(
        patch(
            "*** Add File: added.txt",
            "+one",
            "not a plus line",
            "+",
            "+two",
            "*** Update File: old.md",
            "*** Move to: new.md",
            "@@ class A:",
            " stays",
            "-goes",
            "+comes",
            "@@",
            "+last",
            "*** End of File",
            "*** Delete File:  gone.py ",
        )
    )
    assert sections == [
        AddFile("added.txt", "one\n\ntwo"),
        UpdateFile(
            "old.md",
            [
                Chunk("class A:", ["stays", "goes"], ["stays", "comes"]),
                Chunk(None, [], ["last"], at_end=True),
            ],
            "new.md",
        ),
        DeleteFile("gone.py"),
    ]


@pytest.mark.parametrize(
    "wrapper", ["cat <<'EOF'\n{}\nEOF", "<<EOF\n{}\nEOF", "  \n{}\n  ", "text before\n{}\ntext after"]
)
def test_what_stands_around_the_patch_is_left_out(wrapper: str) -> None:
    assert parse_patch(wrapper.format(patch("*** Delete File: a"))) == [DeleteFile("a")]


@pytest.mark.parametrize("text", ["nonsense", "", "*** Begin Patch\n", "*** End Patch\n*** Begin Patch"])
def test_a_text_without_both_markers_in_order_is_no_patch(text: str) -> None:
    with pytest.raises(PatchError, match=r"^Invalid patch format: missing Begin/End markers$"):
        parse_patch(text)


def test_an_empty_patch_has_no_sections() -> None:
    assert parse_patch(patch()) == []


def test_a_section_needs_a_path() -> None:
    with pytest.raises(PatchError, match="no path"):
        parse_patch(patch("*** Delete File: "))


def test_lines_between_sections_are_skipped() -> None:
    assert parse_patch(patch("hello", "", "*** Delete File: a", "what", "*** Delete File: b")) == [
        DeleteFile("a"),
        DeleteFile("b"),
    ]


def test_an_update_replaces_what_it_finds() -> None:
    assert updated("alpha\nbeta\ngamma\n", "@@", " alpha", "-beta", "+BETA", " gamma") == "alpha\nBETA\ngamma\n"


def test_changes_without_a_marker_in_front_are_a_chunk() -> None:
    assert updated("a\nb\n", "-a", "+A") == "A\nb\n"


def test_a_blank_line_inside_a_chunk_is_a_blank_context_line() -> None:
    assert updated("a\n\nb\n", "@@", " a", "", "-b", "+c", "") == "a\n\nc\n"


def test_a_context_line_tells_equal_places_apart() -> None:
    text = "def one():\n    return 0\ndef two():\n    return 0\n"
    assert updated(text, "@@ def two():", "-    return 0", "+    return 2") == (
        "def one():\n    return 0\ndef two():\n    return 2\n"
    )


def test_the_line_numbers_of_a_unified_diff_are_no_context() -> None:
    assert updated("a\nb\n", "@@ -1,2 +1,2 @@", " a", "-b", "+c") == "a\nc\n"


def test_chunks_are_found_one_after_the_other() -> None:
    assert updated("x\ny\nx\n", "@@", " y", "@@", "-x", "+z") == "x\ny\nz\n"


def test_lines_are_added_at_the_end_in_order() -> None:
    assert updated("a\n", "@@", "+b", "@@", "+c") == "a\nb\nc\n"
    assert updated("a\n\n", "@@", "+b") == "a\nb\n\n"
    assert updated("", "@@", "+b") == "b\n"


def test_a_file_without_a_line_end_gets_one() -> None:
    assert updated("a\nb", "@@", "-b", "+c") == "a\nc\n"


def test_the_end_of_the_file_is_preferred_when_the_chunk_says_so() -> None:
    assert updated("x\ny\nx\n", "@@", "-x", "+z", "*** End of File") == "x\ny\nz\n"
    assert updated("x\ny\nx\n", "@@", "-x", "+z") == "z\ny\nx\n"


def test_an_empty_last_line_of_the_search_may_be_missing() -> None:
    assert updated("a\nb\n", "@@", "-a", "-b", "-", "+c", "+") == "c\n"


def test_lines_that_are_not_there_are_named() -> None:
    with pytest.raises(PatchError, match=r"^Failed to find expected lines in /p/a:\nnot there$"):
        updated("a\n", "@@", "-not there", "+x")


def test_a_context_that_is_not_there_is_named() -> None:
    with pytest.raises(PatchError, match=r"^Failed to find context 'def f' in /p/a$"):
        updated("a\n", "@@ def f", "-a")


@pytest.mark.parametrize(
    ("line", "pattern"),
    [("a", "a"), ("a  ", "a"), ("  a", "a "), ("\u2018a\u2019 \u2014 b\u2026", "'a' - b..."), ("a\u00a0b", "a b")],
)
def test_lines_are_compared_ever_more_forgivingly(line: str, pattern: str) -> None:
    assert seek(["x", line], [pattern], 0) == 1


def test_an_exact_match_further_down_beats_a_forgiving_one() -> None:
    assert seek(["  a", "a"], ["a"], 0) == 1


def test_nothing_is_found_nowhere() -> None:
    assert seek(["a"], [], 0) is None
    assert seek(["a"], ["a", "b"], 0) is None
    assert seek(["a"], ["a"], 1, at_end=True) is None


LINE = st.one_of(
    st.text(alphabet="ab +-@*\r", max_size=6),
    st.sampled_from(
        ["*** Begin Patch", "*** End Patch", "*** Add File: a", "*** Update File: b", "*** Move to: c", "@@", "@@ x",
         "*** Delete File: d", "*** End of File", "*** Update File:", "<<EOF", "EOF"]
    ),
)  # fmt: skip


@given(st.lists(LINE, max_size=20), st.lists(st.text(alphabet="ab ", max_size=3), max_size=6))
def test_any_text_is_a_patch_or_a_patch_error(lines: list[str], content: list[str]) -> None:
    for text in ("\n".join(lines), patch(*lines)):
        try:
            for section in parse_patch(text):
                if isinstance(section, UpdateFile):
                    apply_update("\n".join(content), section.chunks, "a")
        except PatchError:
            pass
