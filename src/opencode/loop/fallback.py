"""Which model goes on where another cannot be reached."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar

from opencode.core.errors import NamedError
from opencode.core.ids import MessageID, SessionID
from opencode.core.log import Logger
from opencode.core.wire import UNSET, set_or
from opencode.event.schema import Event
from opencode.provider.choice import parse_model
from opencode.provider.errors import ApiCallFailed, ContextOverflow, ModelCallError
from opencode.provider.failures import is_hopeless
from opencode.provider.schema import Model, ModelRef
from opencode.session.schema import APIError, APIErrorData, MessageError

log = Logger("session.fallback")

ANY = "*"
REFUSED_AS_IT_IS = {400, 413, 422}
"""Another model would be sent the same."""

Chains = Sequence[str] | Mapping[str, Sequence[str]]
FindModel = Callable[[ModelRef], Model]
"""Raises a ``NamedError`` for a model that cannot be used."""


class ModelSwitched(Event):
    """Another model goes on with a message because one could not be reached. Ours."""

    type: ClassVar[str] = "session.model.switched"
    session_id: SessionID
    message_id: MessageID
    failed: ModelRef
    model: ModelRef
    error: MessageError


class Fallbacks:
    """The models that stand in for others in one directory. A turn stays with the one that it was switched to."""

    def __init__(self, chains: Chains = (), find: FindModel | None = None) -> None:
        self._chains = chains
        self._find = find
        self._failed: dict[SessionID, list[str]] = {}
        self._in_use: dict[tuple[SessionID, str], Model] = {}

    def in_use(self, session_id: SessionID, asked: Model) -> Model:
        """What stands in for the model in this turn: itself until it has failed."""
        return self._in_use.get((session_id, name_of(asked)), asked)

    def next(self, session_id: SessionID, asked: Model) -> Model | None:
        """The model to go on with now that the one in use has failed; None when there is no other."""
        failed = self._failed.setdefault(session_id, [])
        failed.append(name_of(self.in_use(session_id, asked)))
        for name in self._chain(name_of(asked)):
            if name not in failed and (model := self._model(name)) is not None:
                self._in_use[session_id, name_of(asked)] = model
                return model
        return None

    def end(self, session_id: SessionID) -> None:
        """The turn is over: the next one begins with the model it asks for."""
        if self._failed.pop(session_id, None):
            self._in_use = {key: model for key, model in self._in_use.items() if key[0] != session_id}

    def _chain(self, asked: str) -> Iterator[str]:
        if isinstance(self._chains, Mapping):
            yield from self._chains.get(asked, self._chains.get(ANY, ()))
        else:
            yield from self._chains

    def _model(self, name: str) -> Model | None:
        try:
            return None if self._find is None else self._find(parse_model(name))
        except NamedError as error:
            log.warning("a model of model_fallback cannot be used", model=name, error=error.message)
            return None


def name_of(model: Model) -> str:
    """``provider/model``, as configuration names it."""
    return f"{model.provider_id}/{model.id}"


def is_for_another(failure: BaseException) -> bool:
    """Whether another model may succeed where one has failed: not with a request that is itself at fault."""
    if isinstance(failure, ApiCallFailed) and failure.status_code in REFUSED_AS_IT_IS:
        return is_hopeless(failure.message, failure.body or "")
    if isinstance(failure, ConnectionError | TimeoutError):
        return True
    return isinstance(failure, ModelCallError) and not isinstance(failure, ContextOverflow)


def switch_note(error: MessageError, failed: ModelRef, model: ModelRef) -> APIError:
    """What the ``retry`` part says of the model that failed and of the one that goes on."""
    names = [f"{one.provider_id}/{one.model_id}" for one in (failed, model)]
    switched = {"failed": names[0], "fallback": names[1]}
    if isinstance(error, APIError):
        data = error.data
        return APIError(
            data=APIErrorData(
                message=data.message,
                status_code=data.status_code,
                is_retryable=data.is_retryable,
                metadata={**set_or(data.metadata, {}), **switched},
            )
        )
    text = str(getattr(error.data, "message", UNSET) or error.__struct_config__.tag)
    return APIError(data=APIErrorData(message=text, is_retryable=False, metadata=switched))
