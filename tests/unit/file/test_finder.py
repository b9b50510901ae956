"""Finding paths by a few letters."""

from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.file import finder as module
from opencode.file.finder import FileFinder
from opencode.file.fuzzy import best_matches
from opencode.file.search import FileSearch
from opencode.file.walk import PythonSearch


@pytest.fixture
def finder(tmp_path: Path) -> FileFinder:
    for name in ("src/main.py", "src/util.py", "docs/guide.md", ".github/src/x.yml", "a.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return FileFinder(FileSearch(PythonSearch()), tmp_path)


async def test_files_and_directories_are_found_by_letters(finder: FileFinder) -> None:
    assert (await finder.find("main"))[0] == "src/main.py"
    assert await finder.find("src") == ["src/", ".github/src/", "src/main.py", "src/util.py", ".github/src/x.yml"]
    assert await finder.find("zzz") == []


async def test_one_kind_can_be_asked_for_and_hidden_directories_come_last(finder: FileFinder) -> None:
    assert await finder.find("src", kind="file", limit=2) == ["src/main.py", "src/util.py"]
    assert await finder.find("g", kind="directory") == [".github/", ".github/src/"]
    assert await finder.find("", kind="directory") == ["docs/", "src/", ".github/", ".github/src/"]


async def test_an_empty_query_lists_from_the_start(finder: FileFinder) -> None:
    assert await finder.find(" ", kind="file", limit=2) == [".github/src/x.yml", "a.txt"]
    assert await finder.find("", limit=1) == ["docs/"]


async def test_the_list_of_paths_is_let_go_when_it_is_too_old_to_be_used(
    finder: FileFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FRESH_SECONDS", 0.0)
    assert (await finder.find("main"))[0] == "src/main.py"
    with anyio.fail_after(5):
        while finder._index.files:
            await anyio.lowlevel.checkpoint()
    assert (await finder.find("main"))[0] == "src/main.py"


async def test_the_root_of_the_file_system_is_not_indexed() -> None:
    assert await FileFinder(FileSearch(PythonSearch()), Path("/")).find("etc") == []


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        ("main", "x/main", "main.py"),
        ("main", "x/main.py", "domain.py"),
        ("main", "x/domain.py", "main/x.py"),
        ("fb", "a/foo_bar.py", "a/fxb.py"),
        ("fb", "FooBar.py", "fxb.py"),
        ("abc", "axbc", "axbxxc"),
        ("util py", "src/util.py", "python/utility"),
        ("a", "a1", "a12"),
    ],
)
def test_better_fits_come_first(query: str, better: str, worse: str) -> None:
    assert best_matches(query, [worse, better], 2) == [better, worse]


def test_words_may_stand_in_any_order_and_all_must_be_found() -> None:
    assert best_matches("py SRC", ["src/a.py", "src/a.md"], 5) == ["src/a.py"]


@given(st.text(max_size=5), st.lists(st.text(max_size=8), max_size=5))
def test_any_query_works_on_any_paths(query: str, paths: list[str]) -> None:
    assert set(best_matches(query, paths, 5)) <= set(paths)
