"""Performs one operation for one request: gathers what the handler asks for, and calls it."""

from collections.abc import Callable, Mapping
from types import CoroutineType
from typing import Protocol

from opencode.http.answer import Stream
from opencode.http.departure import AnswerWhileWanted
from opencode.http.directory import chosen_directory
from opencode.http.operation import Operation
from opencode.http.patience import PatientAnswer
from opencode.http.request import Request

Arguments = dict[str, object]


class Registry(Protocol):
    """Where the instances come from."""

    def get(self, directory: str) -> object | None:
        """The instance of a directory that is open."""
        ...

    async def open(self, directory: str) -> object:
        """The instance of a directory, opened now if it is not."""
        ...


class Performer:
    """Decodes, opens the instance where one is wanted, and calls the handler.

    ``provided`` is what every handler may ask for by name. Waits only for a body, for an instance that is not open
    yet, and for handlers that are coroutine functions.
    """

    def __init__(
        self,
        registry: Registry,
        directory_of_session: Callable[[str], str | None],
        working_directory: str,
        provided: Mapping[str, object],
    ) -> None:
        self._registry = registry
        self._directory_of_session = directory_of_session
        self._working_directory = working_directory
        self._provided = provided

    def perform(self, operation: Operation, parameters: dict[str, str], request: Request) -> object:
        """What the handler gives back, or a coroutine for it. Raises its errors and ``RequestInvalid``."""
        arguments: Arguments = {
            parameter.argument: parameter.decode(parameters[parameter.name]) for parameter in operation.parameters
        }
        if operation.query is not None:
            arguments["query"] = operation.query.decode(request.query)
        for name in operation.provided:
            if name == "request":
                arguments[name] = request
            elif name != "instance":
                arguments[name] = self._provided[name]
        if operation.body is not None:
            return self._read_body(operation, parameters, request, arguments)
        return self._call(operation, parameters, request, arguments)

    async def _read_body(
        self, operation: Operation, parameters: dict[str, str], request: Request, arguments: Arguments
    ) -> object:
        assert operation.body is not None
        arguments["body"] = operation.body.decode(await request.body())
        return await _settled(self._call(operation, parameters, request, arguments))

    def _call(self, operation: Operation, parameters: dict[str, str], request: Request, arguments: Arguments) -> object:
        if operation.scope == "global":
            return _result(operation, arguments)
        directory = self._directory(operation, parameters, request, arguments)
        arguments["instance"] = instance = self._registry.get(directory)
        if instance is None:
            return self._open(directory, operation, arguments)
        return _result(operation, arguments)

    async def _open(self, directory: str, operation: Operation, arguments: Arguments) -> object:
        arguments["instance"] = await self._registry.open(directory)
        return await _settled(_result(operation, arguments))

    def _directory(
        self, operation: Operation, parameters: dict[str, str], request: Request, arguments: Arguments
    ) -> str:
        """A session's own directory goes before what the request names: clients of several directories mix them up."""
        if operation.scope == "session":
            recorded = self._directory_of_session(parameters["sessionID"])
            if recorded is not None:
                return recorded
        in_body = getattr(arguments["body"], "directory", None) if operation.directory_in_body else None
        return chosen_directory(request, self._working_directory, in_body or None)


def _result(operation: Operation, arguments: Arguments) -> object:
    result = operation.handler(**arguments)
    if operation.ends_with_client:
        return Stream(AnswerWhileWanted(result, operation.status))
    is_slow = operation.is_slow(arguments["body"]) if callable(operation.is_slow) else operation.is_slow
    return Stream(PatientAnswer(result, operation.status)) if is_slow else result


async def _settled(result: object) -> object:
    return await result if isinstance(result, CoroutineType) else result
