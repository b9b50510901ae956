"""Directories and files as clients show them."""

import errno
from base64 import b64encode
from pathlib import Path

import pytest

from opencode.file import browser as module
from opencode.file.browser import FileBrowser
from opencode.file.errors import FileTooLarge, NotAFile, OutsideProject, Unreadable
from opencode.file.gateway import FileGateway
from opencode.file.schema import FileContent, FileNode


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    for name, content in {
        ".git/config": b"",
        ".gitignore": b"/sub/ignored/\n*.log\n",
        "sub/ignored/x": b"",
        "sub/b.txt": b"\n  text  \n",
        "sub/A.log": b"log",
        "data.bin": bytes(range(256)),
        "latin.txt": b"caf\xe9",
        "pixel.png": b"png",
    }.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_bytes(content)
    (tmp_path / "outside.txt").write_text("secret")
    (project / "leads-out").symlink_to(tmp_path / "outside.txt")
    (project / "sub" / "link").symlink_to(project / "sub" / "ignored")
    return project


@pytest.fixture
def browser(project: Path) -> FileBrowser:
    return FileBrowser(FileGateway(project / "sub", project))


async def test_directories_come_first_and_ignore_files_of_the_worktree_count(
    browser: FileBrowser, project: Path
) -> None:
    def node(name: str, kind: str, ignored: bool) -> FileNode:
        absolute = str(project / "sub" / name)
        return FileNode(name=name, path=name, absolute=absolute, type=kind, ignored=ignored)  # type: ignore[arg-type]

    expected = [
        node("ignored", "directory", True),
        node("A.log", "file", True),
        node("b.txt", "file", False),
        node("link", "file", False),
    ]
    assert await browser.entries("") == expected
    assert await browser.entries(".") == expected


async def test_a_directory_above_is_shown_relative_to_the_instance(browser: FileBrowser) -> None:
    nodes = await browser.entries("..")
    assert [node.path for node in nodes] == [
        *(".", "../.gitignore", "../data.bin", "../latin.txt", "../leads-out", "../pixel.png")
    ]


async def test_what_cannot_be_listed_is_empty(browser: FileBrowser) -> None:
    assert await browser.entries("nowhere") == []
    assert await browser.entries("b.txt") == []


async def test_without_a_git_project_nothing_is_ignored(project: Path) -> None:
    browser = FileBrowser(FileGateway(project / "sub", Path("/")))
    assert not any(node.ignored for node in await browser.entries(""))
    with pytest.raises(OutsideProject):
        await browser.entries("..")


@pytest.mark.parametrize("path", ["../..", "/etc/passwd", "../leads-out", "../../outside.txt"])
async def test_paths_that_lead_out_of_the_project_are_refused(browser: FileBrowser, path: str) -> None:
    with pytest.raises(OutsideProject):
        await browser.content(path)
    with pytest.raises(OutsideProject):
        await browser.entries(path)


async def test_contents_are_text_without_blank_ends_or_base64(browser: FileBrowser, project: Path) -> None:
    assert await browser.content("b.txt") == FileContent(type="text", content="text")
    assert await browser.content(str(project / "sub/b.txt")) == FileContent(type="text", content="text")
    assert await browser.content("nowhere") == FileContent(type="text", content="")
    assert await browser.content("../pixel.png") == FileContent(
        type="text", content=b64encode(b"png").decode(), encoding="base64", mime_type="image/png"
    )
    assert await browser.content("../data.bin") == FileContent(
        type="binary",
        content=b64encode(bytes(range(256))).decode(),
        encoding="base64",
        mime_type="application/octet-stream",
    )
    assert (await browser.content("../latin.txt")).type == "binary"


@pytest.mark.parametrize("path", ["a\0b", "loop", "x" * 300, "../private.txt"])
async def test_what_cannot_be_read_is_told_with_the_reason(
    browser: FileBrowser, project: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """For a file that its owner alone may read the system stands in: tests may run as root."""
    (project / "sub/loop").symlink_to("loop")
    (project / "private.txt").write_text("private")

    def refuse(file: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied", str(file))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(Unreadable, match=r"Cannot read .*: [A-Za-z]"):
        await browser.content(path)


async def test_a_directory_has_no_content(browser: FileBrowser) -> None:
    with pytest.raises(NotAFile):
        await browser.content("ignored")


async def test_large_text_is_refused_and_large_binaries_are_empty(
    browser: FileBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_CONTENT_BYTES", 3)
    with pytest.raises(FileTooLarge):
        await browser.content("b.txt")
    assert (await browser.content("../data.bin")).content == ""
