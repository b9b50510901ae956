"""Every operation of the server."""

from itertools import chain

from opencode.http.operation import Operation
from opencode.http.routes import (
    auth,
    catalogue,
    command,
    config,
    doc,
    event,
    experimental,
    global_,
    instance,
    log,
    message,
    permission,
    project,
    provider,
    question,
    queue,
    search,
    session,
    share,
    snapshot,
    stats,
    transfer,
    why,
)

MODULES = (
    global_,
    event,
    auth,
    log,
    instance,
    project,
    config,
    provider,
    catalogue,
    session,
    search,
    share,
    transfer,
    message,
    command,
    permission,
    question,
    queue,
    why,
    experimental,
    snapshot,
    stats,
    doc,
)

OPERATIONS: tuple[Operation, ...] = tuple(chain.from_iterable(module.operations for module in MODULES))
