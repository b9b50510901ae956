"""``/file``: directories and files of the project."""

from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.file.schema import FileContent, FileNode
from opencode.http.operation import operation
from opencode.http.schema import File
from opencode.instance.instance import Instance


class PathQuery(Wire):
    """``path``: relative to the directory, or absolute; inside the project."""

    directory: str | UnsetType = UNSET
    workspace: str | UnsetType = UNSET
    path: str


@operation("file.list", "GET", "/file")
async def list_files(instance: Instance, query: PathQuery) -> list[FileNode]:
    """Entries of a directory, directories first; none when it is not there."""
    return await instance.files.entries(query.path)


@operation("file.read", "GET", "/file/content")
async def read_file(instance: Instance, query: PathQuery) -> FileContent:
    """What a file holds, as text or in base64; empty when it is not there."""
    return await instance.files.content(query.path)


@operation("file.status", "GET", "/file/status")
async def file_status(instance: Instance) -> list[File]:
    """Files that differ from the commit that is checked out; none without a repository."""
    changes = await instance.working_copy.changes()
    return [
        File(path=change.file, added=change.additions, removed=change.deletions, status=change.status)
        for change in changes
    ]


operations = (list_files, read_file, file_status)
