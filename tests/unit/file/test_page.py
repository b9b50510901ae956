"""Parts of files and directories."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from opencode.file.page import MAX_LINE_CHARACTERS, Page, entries_page, read_page


def test_a_page_knows_what_is_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("1\n2\n3")
    assert read_page(path, 1, 2) == Page(["1", "2"], 1, 3)
    assert read_page(path, 3, 2) == Page(["3"], 3, 3)
    assert (read_page(path, 1, 2).next, read_page(path, 1, 2).truncated) == (3, True)
    assert read_page(path, 3, 2).truncated is False


def test_an_endless_line_costs_no_memory_and_lines_behind_it_count(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 3_000_000 + b"\nlast")
    page = read_page(path, 1, 10)
    assert [len(line) < MAX_LINE_CHARACTERS + 50 for line in page.lines] == [True, True]
    assert (page.lines[1], page.total) == ("last", 2)


def test_characters_are_cut_not_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("\U0001f600" * MAX_LINE_CHARACTERS)
    assert read_page(path, 1, 1).lines == ["\U0001f600" * MAX_LINE_CHARACTERS]


def test_a_byte_order_mark_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\xef\xbb\xbfone\n")
    assert read_page(path, 1, 1).lines == ["one"]


def test_entries_are_ordered_without_regard_to_case(tmp_path: Path) -> None:
    for name in ("b", "A", "a", ".c"):
        (tmp_path / name).touch()
    (tmp_path / "B2").mkdir()
    assert entries_page(tmp_path, 1, 10).lines == [".c", "a", "A", "b", "B2/"]


@given(st.lists(st.text(alphabet="ab\r", max_size=3), max_size=8), st.integers(1, 10), st.integers(1, 10))
def test_pages_are_slices_of_the_lines(tmp_path_factory: object, lines: list[str], first: int, limit: int) -> None:
    path = Path(tmp_path_factory.mktemp("page")) / "a"  # type: ignore[attr-defined]
    path.write_bytes("".join(line + "\n" for line in lines).encode())
    page = read_page(path, first, limit)
    assert page.lines == [line.removesuffix("\r") for line in lines][first - 1 : first - 1 + limit]
    assert page.total == len(lines)
