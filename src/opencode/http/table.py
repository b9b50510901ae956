"""The table of all operations: where routes and the OpenAPI document come from."""

from collections.abc import Iterable
from functools import cached_property

from opencode.core.wire import encode
from opencode.http.openapi import openapi_document
from opencode.http.operation import Operation
from opencode.http.router import Found, Router


class OperationTable:
    """Every operation once; ids and routes are unique."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self.operations = tuple(operations)
        ids = [operation.id for operation in self.operations]
        if twice := sorted({id for id in ids if ids.count(id) > 1}):
            raise ValueError(f"declared twice: {', '.join(twice)}")
        self._router = Router((operation.method, operation.path, operation) for operation in self.operations)

    def find(self, method: str, raw_path: str) -> Found[Operation] | None:
        """The operation of a request and its path parameters."""
        return self._router.find(method, raw_path)

    @cached_property
    def document(self) -> bytes:
        """The OpenAPI document, made when first asked for."""
        return encode(openapi_document(self.operations))
