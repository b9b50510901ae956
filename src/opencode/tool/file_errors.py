"""Failures of the file system, said to the model."""

from collections.abc import Iterator
from contextlib import contextmanager

from opencode.core.errors import NamedError
from opencode.tool.tool import ToolError


@contextmanager
def file_errors() -> Iterator[None]:
    """Within the block ``OSError`` and the errors of ``file/errors.py`` become ``ToolError``."""
    try:
        yield
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        raise ToolError(f"{error.strerror or error}{where}") from error
    except NamedError as error:
        raise ToolError(error.message) from error
