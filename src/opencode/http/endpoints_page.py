"""``docs/endpoints.md``, written from the operations: ``python -m opencode.http.endpoints_page docs/endpoints.md``."""

import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from opencode.http.documented_errors import STATUS_AND_SCHEMA
from opencode.http.operation import Operation
from opencode.http.operations import OPERATIONS

HEAD = """\
# Endpoints

Every operation of the server. This page is made from the operation table (`python -m opencode.http.endpoints_page
docs/endpoints.md`); parameters, bodies and answers stand in the document at `GET /doc`.

**Scope** tells which directory performs an operation: *instance*: that of the query parameter `directory`, else of the
header `x-opencode-directory`, else the server's own; *session*: the directory of the session; *global*: none.
Each operation can also answer 400 (the request does not have the right shape), 401 and 403 (not allowed), and 500.
"""

COLUMNS = """\
| Operation | Method and path | Scope | What it does | Answers | Errors | Source |
|---|---|---|---|---|---|---|
"""


def endpoints_page(operations: Iterable[Operation]) -> str:
    """The page: one table per first segment of the path, in the order of the alphabet."""
    ordered = sorted(operations, key=lambda operation: (_group(operation), operation.path, operation.method))
    groups = [f"\n## {name}\n\n{COLUMNS}" + "".join(map(_row, group)) for name, group in groupby(ordered, _group)]
    return HEAD + "".join(groups)


def _group(operation: Operation) -> str:
    return operation.path.split("/")[1].removesuffix(".json")


def _row(operation: Operation) -> str:
    errors = sorted({STATUS_AND_SCHEMA[name][0] for name in operation.errors if name != "BadRequest"})
    cells = (
        f"`{operation.id}`",
        f"`{operation.method} {operation.path}`",
        operation.scope,
        operation.summary.replace("|", "\\|"),
        f"{operation.status}" + (", a stream" if operation.is_stream else ""),
        ", ".join(map(str, errors)),
        operation.source,
    )
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(endpoints_page(OPERATIONS), "utf-8")
