"""Directories and files as clients show them (spec: files and search, 1 and 2)."""

import mimetypes
import os
import stat
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from opencode.file.disk import near, status_of
from opencode.file.errors import FileTooLarge, NotAFile, Unreadable
from opencode.file.gateway import FileGateway
from opencode.file.schema import FileContent, FileNode
from opencode.file.sniff import image_type
from opencode.file.text import printable
from opencode.file.walk import ignore_lines

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

MAX_CONTENT_BYTES = 10 * 1024 * 1024
SKIPPED_NAMES = frozenset({".git", ".DS_Store"})
_SNIFFED_BYTES = 8192


class FileBrowser:
    """Lists directories and reads files of one instance, through the gateway."""

    def __init__(self, gateway: FileGateway) -> None:
        self._gateway = gateway

    async def entries(self, path: str) -> list[FileNode]:
        """The entries of a directory, directories first; none when it cannot be read.

        Raises ``OutsideProject``, ``Unreadable``. Source: operation ``file.list``.
        """
        directory = self._gateway.resolve(path)
        return await to_thread.run_sync(self._nodes, path, directory, abandon_on_cancel=True)

    async def content(self, path: str) -> FileContent:
        """What the file holds; empty text when there is none.

        Raises ``OutsideProject``, ``Unreadable``, ``NotAFile``, and ``FileTooLarge`` for text past
        ``MAX_CONTENT_BYTES``; other content of that size is left empty. Source: operation ``file.read``.
        """
        file = self._gateway.resolve(path)
        try:
            status = status_of(file)
            if status is None:
                return FileContent(type="text", content="")
            if not stat.S_ISREG(status.st_mode):
                raise NotAFile(path)
            return await near(status.st_size, lambda: _content(file, status.st_size))
        except OSError as error:
            raise Unreadable(path, error) from error

    def _nodes(self, path: str, directory: Path) -> list[FileNode]:
        shown = Path(os.path.normpath(self._gateway.directory / path))
        ignored = self._ignored()
        nodes: list[FileNode] = []
        try:
            with os.scandir(directory) as entries:
                found = [entry for entry in entries if entry.name not in SKIPPED_NAMES]
        except OSError:
            return []
        for entry in found:
            absolute = shown / entry.name
            is_directory = entry.is_dir(follow_symlinks=False)
            tested = os.path.relpath(absolute, self._gateway.worktree) + ("/" if is_directory else "")
            nodes.append(
                FileNode(
                    name=printable(entry.name),
                    path=printable(os.path.relpath(absolute, self._gateway.directory)),
                    absolute=printable(str(absolute)),
                    type="directory" if is_directory else "file",
                    ignored=ignored is not None and ignored.match_file(tested),
                )
            )
        return sorted(nodes, key=lambda node: (node.type == "file", node.name.casefold(), node.name.swapcase()))

    def _ignored(self) -> "GitIgnoreSpec | None":
        """What the ignore files at the top of a git project name; None without a project."""
        worktree = self._gateway.worktree
        if str(worktree) == "/":
            return None
        # Slow to import, and few clients ask for a listing.
        from pathspec import GitIgnoreSpec

        return GitIgnoreSpec.from_lines(ignore_lines(worktree / ".gitignore") + ignore_lines(worktree / ".ignore"))


def _content(file: Path, size: int) -> FileContent:
    image = image_type(file)
    if size > MAX_CONTENT_BYTES:
        with file.open("rb") as opened:
            head = opened.read(_SNIFFED_BYTES)
        if image is None and b"\0" not in head:
            raise FileTooLarge(file, MAX_CONTENT_BYTES)
        return FileContent(type="binary", content="", mime_type=image or _mime_type(file))
    data = file.read_bytes()
    if image:
        return FileContent(type="text", content=b64encode(data).decode(), encoding="base64", mime_type=image)
    try:
        if b"\0" not in data[:_SNIFFED_BYTES]:
            return FileContent(type="text", content=data.decode().strip())
    except UnicodeDecodeError:
        pass
    return FileContent(type="binary", content=b64encode(data).decode(), encoding="base64", mime_type=_mime_type(file))


def _mime_type(file: Path) -> str:
    return mimetypes.guess_type(file.name)[0] or "application/octet-stream"
