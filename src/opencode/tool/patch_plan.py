"""What a patch will do to each file, computed before anything is written."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, assert_never

from opencode.file.announcer import FileAnnouncer
from opencode.file.disk import FileStamp
from opencode.file.editor import FileEditor
from opencode.file.text import TextFile, unix_newlines
from opencode.tool.diff import FileDiff, diff_of
from opencode.tool.file_time import FileTimes
from opencode.tool.patch import AddFile, DeleteFile, PatchError, Section, UpdateFile, apply_update
from opencode.tool.tool import ToolContext, ToolError

Kind = Literal["add", "update", "move", "delete"]
_LETTERS: dict[Kind, str] = {"add": "A", "update": "M", "move": "M", "delete": "D"}


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One section of a patch, ready to be written. ``target`` is ``path`` unless the file moves."""

    kind: Kind
    path: Path
    target: Path
    before: TextFile | None
    after: TextFile | None
    diff: FileDiff

    @property
    def letter(self) -> str:
        """How the change is listed for the model."""
        return _LETTERS[self.kind]

    async def write(self, editor: FileEditor) -> None:
        """Do it on disk. Raises ``OSError``."""
        if self.after is not None:
            await editor.write(self.target, self.after)
        if self.after is None or self.kind == "move":
            await editor.remove(self.path)

    def announce(self, announcer: FileAnnouncer) -> None:
        """Tell clients what ``write`` did, apart from ``file.edited``."""
        match self.kind:
            case "add" | "update":
                announcer.changed(self.path, "add" if self.before is None else "change")
            case "move":
                announcer.changed(self.path, "unlink")
                announcer.changed(self.target, "add")
            case "delete":
                announcer.changed(self.path, "unlink")
            case _:
                assert_never(self.kind)


class PatchPlan:
    """Computes the changes of a patch, section by section; a later section sees what an earlier one will do."""

    def __init__(self, editor: FileEditor, times: FileTimes, context: ToolContext) -> None:
        self._editor = editor
        self._times = times
        self._context = context
        self._stamps: dict[Path, FileStamp | None] = {}
        self._content: dict[Path, TextFile | None] = {}

    async def add(self, section: Section) -> PlannedChange:
        """The change that a section asks for. Raises ``ToolError``, ``PatchError``, ``OSError``."""
        path = self._context.resolve(section.path)
        match section:
            case AddFile():
                return await self._added(path, section)
            case DeleteFile():
                return await self._deleted(path)
            case UpdateFile():
                return await self._updated(path, section)
            case _:
                assert_never(section)

    def verify(self) -> None:
        """Raises ``FileChanged`` when a file is no longer as it was when the plan was made."""
        for path, stamp in self._stamps.items():
            self._editor.verify(path, stamp)

    async def _added(self, path: Path, section: AddFile) -> PlannedChange:
        before = await self._known(path)
        text = section.content + "\n" if section.content else ""
        after = before.with_content_of(TextFile(text)) if before else TextFile(text)
        return await self._change("add", path, path, before, after)

    async def _deleted(self, path: Path) -> PlannedChange:
        before = await self._current(path)
        if before is None:
            raise ToolError(f"Failed to read file to delete: {path}")
        change = await self._change("delete", path, path, before, None)
        # As the reference counts: the empty piece after a final line end is one more.
        return replace(change, diff=replace(change.diff, deletions=before.text.count("\n") + 1))

    async def _updated(self, path: Path, section: UpdateFile) -> PlannedChange:
        before = await self._current(path)
        if before is None:
            raise ToolError(f"Failed to read file to update: {path}")
        if not section.chunks and not section.move_to:
            raise PatchError(f"Update of {path} has no changes: each starts with a line '@@'")
        after = _updated_text(before, section, path) if section.chunks else before
        target = self._context.resolve(section.move_to) if section.move_to else path
        if target == path:
            return await self._change("update", path, path, before, after)
        await self._known(target)
        return await self._change("move", path, target, before, after)

    async def _change(
        self, kind: Kind, path: Path, target: Path, before: TextFile | None, after: TextFile | None
    ) -> PlannedChange:
        self._content[path] = None
        self._content[target] = after
        diff = await diff_of(path, before.text if before else "", after.text if after else "")
        return PlannedChange(kind, path, target, before, after, diff)

    async def _current(self, path: Path) -> TextFile | None:
        """The file as it will be once the changes so far are made."""
        if path not in self._content:
            found = await self._editor.open(path)
            self._stamps[path] = found.stamp if found else None
            self._content[path] = found.content if found else None
        return self._content[path]

    async def _known(self, path: Path) -> TextFile | None:
        """As ``_current``; a file that would be overwritten as a whole must have been read."""
        is_new_to_plan = path not in self._content
        content = await self._current(path)
        stamp = self._stamps.get(path)
        if is_new_to_plan and stamp is not None:
            await self._times.require(self._context, path, stamp)
        return content


def _updated_text(before: TextFile, section: UpdateFile, path: Path) -> TextFile:
    """The file with the chunks applied. One whose line ends are all CRLF keeps them."""
    if not before.is_crlf_only:
        return before.with_text(apply_update(before.text, section.chunks, str(path)))
    text = apply_update(unix_newlines(before.text), section.chunks, str(path))
    return before.with_text(text.replace("\n", "\r\n"))
