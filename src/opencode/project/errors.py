"""What can go wrong with projects."""

from opencode.core.errors import Invalid, NotFound


class ProjectNotFound(NotFound):
    """No project has this id."""

    tag = "ProjectNotFoundError"

    def __init__(self, project_id: str) -> None:
        super().__init__(f"Project not found: {project_id}", projectID=project_id)


class GitInitFailed(Invalid):
    """A repository could not be made."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"git init failed: {reason}")
