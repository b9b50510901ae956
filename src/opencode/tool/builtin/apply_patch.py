"""``apply_patch``: add, update, move and delete files with one patch (spec: file tools, 8)."""

from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from opencode.core.wire import Wire
from opencode.file.diagnostics import Diagnostics, error_report
from opencode.file.editor import FileEditor
from opencode.tool.description import prompt_text
from opencode.tool.diff import whole_texts
from opencode.tool.external_directory import ask_external_directory
from opencode.tool.file_errors import file_errors
from opencode.tool.file_time import FileTimes
from opencode.tool.patch import PatchError, Section, UpdateFile, parse_patch
from opencode.tool.patch_plan import PatchPlan, PlannedChange
from opencode.tool.tool import Tool, ToolContext, ToolError, ToolResult

FAILED = "apply_patch verification failed: "


class ApplyPatchParams(Wire):
    """Arguments of ``apply_patch``."""

    patch_text: Annotated[str, Meta(description="The whole patch, from '*** Begin Patch' to '*** End Patch'.")]


class ApplyPatchTool(Tool[ApplyPatchParams]):
    """``apply_patch``: everything is verified, then asked for once, then written."""

    id = "apply_patch"
    params = ApplyPatchParams
    permission = "edit"

    def __init__(self, editor: FileEditor, times: FileTimes) -> None:
        self.description = prompt_text("opencode.tool.builtin", "apply_patch.md")
        self._editor = editor
        self._times = times

    async def run(self, params: ApplyPatchParams, context: ToolContext) -> ToolResult:
        """Raises ``ToolError`` before anything is written when a part of the patch does not fit."""
        sections = _parse(params.patch_text)
        paths = _paths(sections, context)
        for path in _one_per_directory(paths):
            await ask_external_directory(context, path)
        async with self._editor.hold(*paths):
            plan = PatchPlan(self._editor, self._times, context)
            changes = await _verified(plan, sections)
            diff = "".join(change.diff.patch + "\n" for change in changes)
            files = [_file_entry(change, context) for change in changes]
            touched = list(dict.fromkeys(context.relative(path) for path in paths))
            await context.ask(
                "edit",
                patterns=list(dict.fromkeys(name for path in paths for name in context.names(path))),
                always=["*"],
                metadata={"filepath": ", ".join(touched), "diff": diff, "files": files},
            )
            with file_errors():
                plan.verify()
            diagnostics = await self._write(changes, context)
        lines = [f"{change.letter} {context.relative(change.target)}" for change in changes]
        title = "\n".join(["Success. Updated the following files:", *lines])
        written = [change.target for change in changes if change.kind != "delete"]
        return ToolResult(
            title=title,
            output=title + error_report(diagnostics, written),
            metadata={"diff": diff, "files": files, "diagnostics": dict(diagnostics)},
        )

    async def _write(self, changes: list[PlannedChange], context: ToolContext) -> Diagnostics:
        """Write all, tell what was written, let it settle."""
        done: list[str] = []
        try:
            with file_errors():
                for change in changes:
                    await change.write(self._editor)
                    done.append(context.relative(change.target))
        except ToolError as error:
            already = f" Already changed: {', '.join(done)}." if done else " Nothing was changed."
            raise ToolError(f"{error}{already}") from error
        finally:
            self._announce(changes[: len(done)])
        return await self._settle(changes, context)

    def _announce(self, changes: list[PlannedChange]) -> None:
        for change in changes:
            if change.after is not None:
                self._editor.announcer.edited(change.target)
        for change in changes:
            change.announce(self._editor.announcer)

    async def _settle(self, changes: list[PlannedChange], context: ToolContext) -> Diagnostics:
        diagnostics: dict[str, Any] = {}
        for change in changes:
            if change.after is not None:
                with file_errors():
                    _, found = await self._editor.settle(change.target, change.after)
                diagnostics.update(found)
                self._times.record_now(context.session_id, change.target)
        return diagnostics


def _parse(text: str) -> list[Section]:
    try:
        sections = parse_patch(text)
    except PatchError as error:
        raise ToolError(f"{FAILED}Error: {error}") from error
    if not sections:
        raise ToolError("patch rejected: empty patch")
    return sections


async def _verified(plan: PatchPlan, sections: list[Section]) -> list[PlannedChange]:
    try:
        with file_errors():
            return [await plan.add(section) for section in sections]
    except PatchError as error:
        raise ToolError(f"{FAILED}Error: {error}") from error
    except ToolError as error:
        raise ToolError(f"{FAILED}{error}") from error


def _paths(sections: list[Section], context: ToolContext) -> list[Path]:
    """Every file the patch touches, targets of moves included, in order."""
    paths: dict[Path, None] = {}
    for section in sections:
        paths[context.resolve(section.path)] = None
        if isinstance(section, UpdateFile) and section.move_to:
            paths[context.resolve(section.move_to)] = None
    return list(paths)


def _one_per_directory(paths: list[Path]) -> list[Path]:
    """One path of each directory, and every link: it may lead anywhere."""
    plain = {path.parent: path for path in paths if not path.is_symlink()}
    return [path for path in paths if path.is_symlink() or path in plain.values()]


def _file_entry(change: PlannedChange, context: ToolContext) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "filePath": str(change.path),
        "relativePath": context.relative(change.target),
        "type": change.kind,
        "patch": change.diff.patch,
        "diff": change.diff.patch,
        "additions": change.diff.additions,
        "deletions": change.diff.deletions,
        **whole_texts(change.before.text if change.before else "", change.after.text if change.after else ""),
    }
    return {**entry, "movePath": str(change.target)} if change.kind == "move" else entry
