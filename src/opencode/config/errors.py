"""What can be wrong with a configuration. Each message names the file, the place in it and what is expected."""

from pathlib import Path

from opencode.core.errors import Invalid
from opencode.core.wire import Wire


class Issue(Wire):
    """One fault: the keys that lead to it, and what is expected there."""

    path: list[str | int]
    message: str

    def __str__(self) -> str:
        where = ".".join(map(str, self.path))
        return f"{where}: {self.message}" if where else self.message


class ConfigJsonError(Invalid):
    """The text cannot be read as JSON with comments."""

    name = "ConfigJsonError"

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: {reason}", path=str(path))
        self.path = str(path)


class ConfigInvalidError(Invalid):
    """The text is readable, but something in it is not a known setting or not of the expected kind."""

    name = "ConfigInvalidError"

    def __init__(self, path: Path | str, issues: list[Issue]) -> None:
        super().__init__(f"{path}: " + "; ".join(map(str, issues)), path=str(path), issues=issues)
        self.path = str(path)
        self.issues = issues


class ConfigFrontmatterError(Invalid):
    """The front matter of a Markdown file is not YAML."""

    name = "ConfigFrontmatterError"

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: the front matter cannot be read: {reason}", path=str(path))
        self.path = str(path)


class ConfigWithheldError(Invalid):
    """Something in a file of a project that is not trusted was left as it is written, for the user's sake."""

    name = "ConfigWithheldError"

    def __init__(self, path: Path | str, withheld: list[str], remedy: str) -> None:
        super().__init__(f"{path}: left as written: {'; '.join(withheld)}. {remedy}", path=str(path))


class ConfigPatchInvalid(Invalid):
    """A change that was asked for does not fit the schema; nothing was written."""

    def __init__(self, issues: list[Issue]) -> None:
        super().__init__("\n".join(f"{issue.message}\n  at {_keys(issue)}" for issue in issues), kind="Payload")
        self.issues = issues


def _keys(issue: Issue) -> str:
    return "".join(f'["{key}"]' if isinstance(key, str) else f"[{key}]" for key in issue.path) or "the top"
