"""Both search engines give the same answers."""

import os
from pathlib import Path

import pytest

from opencode.file.errors import InvalidPattern
from opencode.file.ripgrep import Ripgrep, find_ripgrep
from opencode.file.schema import Submatch
from opencode.file.search import FileSearch, open_search
from opencode.file.walk import PythonSearch

TREE = {
    ".gitignore": "*.log\nnode_modules/\n/top.txt\nkeep*\n!keep.me\n",
    ".hidden/x.py": "hidden\n",
    ".git/config": "needle\n",
    "a.py": "alpha needle\n",
    "debug.log": "needle\n",
    "keep.me": "needle\n",
    "keep.not": "needle\n",
    "node_modules/m.js": "needle\n",
    "top.txt": "needle\n",
    "sub/.gitignore": "gen/\n!debug.log\n",
    "sub/.ignore": "secret.txt\n",
    "sub/b.ts": "one\ntwo needle needle\r\n\u00e9 needle",
    "sub/c.tsx": "x\n",
    "sub/debug.log": "needle\n",
    "sub/gen/g.py": "needle\n",
    "sub/secret.txt": "needle\n",
    "sub/top.txt": "needle\n",
    "with space/\u00fc.md": "needle\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, content in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content.encode())
    (tmp_path / "link.py").symlink_to(tmp_path / "a.py")
    (tmp_path / "loop").symlink_to(tmp_path)
    return tmp_path


@pytest.fixture(params=["ripgrep", "python"])
def search(request: pytest.FixtureRequest) -> FileSearch:
    if request.param == "python":
        return FileSearch(PythonSearch())
    binary = find_ripgrep(dict(os.environ))
    assert binary
    return FileSearch(Ripgrep(binary, dict(os.environ)))


async def files(search: FileSearch, root: Path, *globs: str) -> list[str]:
    return sorted((await search.files(root, globs, limit=100)).paths)


async def test_what_is_not_ignored_is_listed_hidden_files_included(search: FileSearch, tree: Path) -> None:
    assert await files(search, tree) == [
        *(".gitignore", ".hidden/x.py", "a.py", "keep.me"),
        *("sub/.gitignore", "sub/.ignore", "sub/b.ts", "sub/c.tsx", "sub/debug.log", "sub/top.txt"),
        "with space/\u00fc.md",
    ]


@pytest.mark.parametrize("catch_all", ["*", "**", "**/*", "./**/*"])
async def test_a_glob_for_everything_does_not_reach_what_is_ignored(
    search: FileSearch, tree: Path, catch_all: str
) -> None:
    assert await files(search, tree, catch_all) == await files(search, tree)


async def test_a_directory_glob_stays_in_the_directory(search: FileSearch, tree: Path) -> None:
    assert await files(search, tree, "sub/**") == [
        *("sub/.gitignore", "sub/.ignore", "sub/b.ts", "sub/c.tsx", "sub/debug.log", "sub/top.txt")
    ]


async def test_a_glob_that_names_something_finds_ignored_files_but_not_ignored_directories(
    search: FileSearch, tree: Path
) -> None:
    assert await files(search, tree, "*.log") == ["debug.log", "sub/debug.log"]
    assert await files(search, tree, "*.js") == []
    assert await files(search, tree, "*.{ts,tsx}") == ["sub/b.ts", "sub/c.tsx"]
    assert await files(search, tree, "sub/*.ts") == ["sub/b.ts"]
    assert await files(search, tree, "*/*.py") == [".hidden/x.py"]
    assert await files(search, tree, "**/x.py", "[ab].py") == [".hidden/x.py", "a.py"]


async def test_negative_globs_take_away(search: FileSearch, tree: Path) -> None:
    assert await files(search, tree, "!sub", "!.*", "!*.md") == ["a.py", "keep.me"]


async def test_outside_a_repository_only_ignore_files_count(search: FileSearch, tree: Path) -> None:
    (tree / ".git" / "config").unlink()
    (tree / ".git").rmdir()
    found = await files(search, tree)
    assert "debug.log" in found
    assert "sub/secret.txt" not in found


async def test_ignore_files_above_the_searched_directory_hold(search: FileSearch, tree: Path) -> None:
    assert await files(search, tree / "sub") == [".gitignore", ".ignore", "b.ts", "c.tsx", "debug.log", "top.txt"]


async def test_a_listing_stops_at_its_limit(search: FileSearch, tree: Path) -> None:
    found = await search.files(tree, limit=3)
    assert (len(found.paths), found.truncated) == (3, True)
    exact = await search.files(tree, limit=11)
    assert (len(exact.paths), exact.truncated) == (11, False)


async def test_lines_come_with_their_places(search: FileSearch, tree: Path) -> None:
    found = await search.grep(tree, "nee(dle)", include="*.ts", limit=10)
    assert [(match.path, match.line, match.offset, match.text) for match in found.matches] == [
        (str(tree / "sub/b.ts"), 2, 4, "two needle needle\r\n"),
        (str(tree / "sub/b.ts"), 3, 23, "\u00e9 needle"),
    ]
    assert found.matches[0].submatches == [
        Submatch(text="needle", start=4, end=10),
        Submatch(text="needle", start=11, end=17),
    ]
    assert found.matches[1].submatches == [Submatch(text="needle", start=3, end=9)]


async def test_what_is_ignored_is_not_searched(search: FileSearch, tree: Path) -> None:
    found = await search.grep(tree, "needle", limit=100)
    assert sorted({os.path.relpath(match.path, tree) for match in found.matches}) == [
        *("a.py", "keep.me", "sub/b.ts", "sub/debug.log", "sub/top.txt", "with space/\u00fc.md")
    ]


async def test_matches_stop_at_their_limits(search: FileSearch, tree: Path) -> None:
    found = await search.grep(tree, "needle", limit=2)
    assert (len(found.matches), found.truncated) == (2, True)
    per_file = await search.grep(tree, "needle", include="*.ts", limit=10, per_file=1)
    assert (len(per_file.matches), per_file.truncated) == (1, False)


async def test_one_file_can_be_searched_whatever_the_ignore_files_say(search: FileSearch, tree: Path) -> None:
    found = await search.grep(tree / "debug.log", "needle", limit=2)
    assert [match.path for match in found.matches] == [str(tree / "debug.log")]


async def test_bytes_that_are_not_utf8_are_replaced(search: FileSearch, tree: Path) -> None:
    (tree / "latin.txt").write_bytes(b"caf\xe9 needle\n")
    found = await search.grep(tree, "needle", include="latin.txt", limit=2)
    assert [match.text for match in found.matches] == ["caf\ufffd needle\n"]


async def test_names_that_are_not_utf8_can_be_sent(search: FileSearch, tree: Path) -> None:
    (tree / os.fsdecode(b"caf\xe9.odd")).write_text("needle")
    shown = str(tree / "caf\ufffd.odd")
    assert (await search.files(tree, ["*.odd"], limit=5)).paths == ["caf\ufffd.odd"]
    assert (await search.glob(tree, "*.odd", limit=5)).paths == [shown]
    found = await search.grep(tree, "needle", include="*.odd", limit=5)
    assert [match.path for match in found.matches] == [shown]


async def test_broken_patterns_are_told(search: FileSearch, tree: Path) -> None:
    with pytest.raises(InvalidPattern, match=r"^regex parse error:\n    a\{2,1\}\n"):
        await search.grep(tree, "a{2,1}", limit=1)
    with pytest.raises(InvalidPattern, match="NUL"):
        await search.grep(tree, "a\0b", limit=10)
    with pytest.raises(InvalidPattern, match="error parsing glob"):
        await search.files(tree, ["{a"], limit=1)


async def test_the_newest_file_comes_first(search: FileSearch, tree: Path) -> None:
    for age, name in enumerate(["keep.me", "sub/top.txt", "a.py"]):
        os.utime(tree / name, (2_000_000_000 - age, 2_000_000_000 - age))
    found = await search.glob(tree, "**", limit=2)
    assert (found.paths, found.truncated) == ([str(tree / "keep.me"), str(tree / "sub/top.txt")], True)
    lines = await search.grep(tree, "needle", limit=100)
    assert lines.matches[0].path == str(tree / "keep.me")


async def test_a_missing_directory_is_an_error(search: FileSearch, tree: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await search.files(tree / "nowhere", limit=1)
    with pytest.raises(FileNotFoundError):
        await search.grep(tree / "nowhere", "x", limit=1)


def test_the_packaged_ripgrep_is_found_without_a_path() -> None:
    binary = find_ripgrep({})
    assert binary
    assert binary.name == "rg"


async def test_the_best_engine_is_taken(tree: Path) -> None:
    assert (await open_search(dict(os.environ)).files(tree, limit=1)).truncated


async def test_an_overlong_line_is_left_out_and_the_rest_found(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = find_ripgrep({})
    assert binary
    monkeypatch.setattr("opencode.file.ripgrep.MAX_RECORD_BYTES", 100_000)
    (tree / "min.js").write_text("needle" * 100_000 + "\nneedle here\n")
    found = await Ripgrep(binary, {}).grep(tree, "needle", ["min.js"], limit=5)
    assert [match.line for match in found.matches] == [2]
