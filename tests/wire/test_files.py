"""``/file`` and ``/find``: the project's files, for clients."""

from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from tests.wire.conftest import git


@pytest.fixture
def project(project: Path) -> Path:
    """With sources, an ignored folder, and a link that leads out."""
    files = {"src/main.py": "def main():\n    print('hello')\n", "dist/out.js": "hello\n", ".gitignore": "dist/\n"}
    for name, text in files.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text)
    (project.parent / "secret.txt").write_text("secret")
    (project / "way-out").symlink_to(project.parent / "secret.txt")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=sources")
    return project


async def got(client: httpx.AsyncClient, operation: str, **query: str) -> Any:
    answer = await client.get(operation, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_directory_is_listed_directories_first(client: httpx.AsyncClient, project: Path) -> None:
    """Source: operation ``file.list``."""
    listed = await got(client, "/file", path=".")
    assert [(entry["path"], entry["type"], entry["ignored"]) for entry in listed] == [
        ("dist", "directory", True),
        ("src", "directory", False),
        (".gitignore", "file", False),
        ("hello.txt", "file", False),
        ("way-out", "file", False),
    ]
    assert (await got(client, "/file", path="src"))[0]["absolute"] == str(project / "src/main.py")
    assert await got(client, "/file", path="nowhere") == []


async def test_a_file_is_read(client: httpx.AsyncClient) -> None:
    """Source: operation ``file.read``."""
    assert await got(client, "/file/content", path="hello.txt") == {"type": "text", "content": "hello"}
    assert await got(client, "/file/content", path="nowhere.txt") == {"type": "text", "content": ""}


@pytest.mark.parametrize("path", ["/file", "/file/content"])
async def test_nothing_outside_the_project_is_shown(client: httpx.AsyncClient, project: Path, path: str) -> None:
    for way in ("..", "/etc/hostname", "../secret.txt", "src/../../secret.txt", "way-out"):
        refused = await client.get(path, params={"path": way})
        assert (refused.status_code, refused.json()["name"]) == (400, "BadRequest"), way
        assert "outside the project" in refused.json()["message"]


async def test_what_differs_from_the_commit_is_told(client: httpx.AsyncClient, project: Path) -> None:
    """Source: operation ``file.status``."""
    assert await got(client, "/file/status") == []
    (project / "hello.txt").write_text("hello\nworld\n")
    (project / "src/new.py").write_text("1\n2\n3\n")
    (project / "src/main.py").unlink()
    (project / "dist/out.js").write_text("ignored\n")
    changed = [
        {"path": "hello.txt", "added": 1, "removed": 0, "status": "modified"},
        {"path": "src/main.py", "added": 0, "removed": 2, "status": "deleted"},
        {"path": "src/new.py", "added": 3, "removed": 0, "status": "added"},
    ]
    assert await got(client, "/file/status") == changed
    below = await got(client, "/file/status", directory=str(project / "src"))
    assert [file["path"] for file in below] == ["main.py", "new.py"]


async def test_without_a_commit_every_file_is_new_and_without_a_repository_nothing_is_told(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    fresh, plain = tmp_path / "fresh", tmp_path / "plain"
    for directory in (fresh, plain):
        directory.mkdir()
        (directory / "a.txt").write_text("a\n")
    git(fresh, "init", "--quiet")
    found = await got(client, "/file/status", directory=str(fresh))
    assert found == [{"path": "a.txt", "added": 1, "removed": 0, "status": "added"}]
    assert await got(client, "/file/status", directory=str(plain)) == []


async def test_looking_for_changes_runs_nothing_that_the_repository_names(
    client: httpx.AsyncClient, project: Path
) -> None:
    git(project, "config", "filter.evil.clean", f"touch {project.parent}/pwned; cat")
    git(project, "config", "diff.external", f"touch {project.parent}/pwned")
    (project / ".git/info/attributes").write_text("* filter=evil\n")
    (project / "hello.txt").write_text("changed\n")
    assert [file["path"] for file in await got(client, "/file/status")] == ["hello.txt"]
    assert not (project.parent / "pwned").exists()


async def test_lines_are_found_as_ripgrep_tells_of_them(client: httpx.AsyncClient) -> None:
    """Source: operation ``find.text``; ignored files are left out, a pattern goes through no shell."""
    (line,) = await got(client, "/find", pattern=r"print\('hel+o'\)")
    assert line == {
        "path": {"text": "src/main.py"},
        "lines": {"text": "    print('hello')\n"},
        "line_number": 2,
        "absolute_offset": 12,
        "submatches": [{"match": {"text": "print('hello')"}, "start": 4, "end": 18}],
    }
    assert await got(client, "/find", pattern="; echo $HOME") == []
    wrong = await client.get("/find", params={"pattern": "("})
    assert (wrong.status_code, wrong.json()["name"]) == (400, "BadRequest")


async def test_paths_are_found_by_a_few_letters(client: httpx.AsyncClient) -> None:
    """Source: operation ``find.files``."""
    assert await got(client, "/find/file", query="mpy") == ["src/main.py"]
    assert (await got(client, "/find/file", query="src"))[0] == "src/"
    assert await got(client, "/find/file", query="src", dirs="false") == ["src/main.py"]
    assert await got(client, "/find/file", query="src", type="directory", dirs="false") == ["src/"]
    for limit in ("0", "201"):
        assert (await client.get("/find/file", params={"query": "x", "limit": limit})).status_code == 400
    missing = await client.get("/find/file")
    assert (missing.status_code, missing.json()["errors"][0]["path"]) == (400, ["query"])


async def test_where_there_is_no_directory_nothing_is_found(client: httpx.AsyncClient, tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere")
    for operation, query in (("/find", {"pattern": "x"}), ("/find/file", {"query": "x"}), ("/file", {"path": "."})):
        assert await got(client, operation, directory=nowhere, **query) == []
