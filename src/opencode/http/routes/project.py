"""``/project``: the projects the server has seen."""

from typing import Annotated

from msgspec import Meta

from opencode.config.part import component
from opencode.core.ids import ProjectID
from opencode.http.operation import operation
from opencode.instance.instance import Instance
from opencode.instance.shared import Shared
from opencode.project.schema import ProjectAnswer, ProjectDirectory, UpdateProject

ProjectDirectories = Annotated[list[ProjectDirectory], Meta(extra_json_schema=component("ProjectDirectories"))]


@operation("project.list", "GET", "/project")
async def list_projects(instance: Instance, shared: Shared) -> list[ProjectAnswer]:
    """Every project, that of the directory included."""
    return [ProjectAnswer.of(project) for project in await shared.projects.list()]


@operation("project.current", "GET", "/project/current")
def current_project(instance: Instance) -> ProjectAnswer:
    """The project of the directory."""
    return ProjectAnswer.of(instance.project)


@operation("project.update", "PATCH", "/project/{projectID}", errors=("ProjectNotFoundError",))
async def update_project(
    instance: Instance, shared: Shared, project_id: ProjectID, body: UpdateProject
) -> ProjectAnswer:
    """Change a project's name, icon or commands; what is not given stays."""
    return ProjectAnswer.of(await shared.projects.update(project_id, body))


@operation("project.directories", "GET", "/project/{projectID}/directories")
async def list_directories(instance: Instance, shared: Shared, project_id: ProjectID) -> ProjectDirectories:
    """Directories of a project that the server knows."""
    return await shared.projects.directories(project_id)


operations = (list_projects, current_project, update_project, list_directories)
