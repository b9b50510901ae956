"""What can go wrong between us and a model. Typed, because the loop decides by kind (spec: LLM and errors, 4)."""

from collections.abc import Iterable

from opencode.core.errors import Invalid
from opencode.core.ids import ModelID, ProviderID

LISTED = 10
"""Names in an error at most."""


class ProviderModelNotFound(Invalid):
    """No such provider or model; ``suggestions`` holds up to three near names, the message some of what there is."""

    name = "ProviderModelNotFoundError"

    def __init__(
        self, provider_id: ProviderID, model_id: ModelID, suggestions: list[str], available: Iterable[str] = ()
    ) -> None:
        hint = f" Did you mean: {', '.join(suggestions)}?" if suggestions else _listed(available)
        super().__init__(
            f"Model not found: {provider_id}/{model_id}.{hint}",
            providerID=provider_id,
            modelID=model_id,
            suggestions=suggestions,
        )
        self.suggestions = suggestions


def _listed(available: Iterable[str]) -> str:
    names = list(available)
    more = ", ..." if len(names) > LISTED else ""
    return f" Available: {', '.join(names[:LISTED])}{more}." if names else ""


class NoProviders(Invalid):
    """There is no usable provider at all."""

    name = "ProviderModelNotFoundError"

    def __init__(self) -> None:
        super().__init__("No model provider is configured: add one to opencode.json or set its API key.")


class ProviderInitFailed(Invalid):
    """The provider is configured in a way that no adapter can serve."""

    name = "ProviderInitError"

    def __init__(self, provider_id: ProviderID, message: str) -> None:
        super().__init__(message, providerID=provider_id)


class ModelCallError(Exception):
    """Base of what a model call can raise."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ProviderAuthFailed(ModelCallError):
    """No credentials, before any request was made."""

    def __init__(self, provider_id: ProviderID, message: str) -> None:
        super().__init__(message)
        self.provider_id = provider_id


class ContextOverflow(ModelCallError):
    """The provider says the request is too long for the model."""

    def __init__(self, message: str, body: str | None = None) -> None:
        super().__init__(message)
        self.body = body


class ApiCallFailed(ModelCallError):
    """The provider refused, failed, or could not be reached; ``status_code`` is None when there was no answer."""

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        is_retryable: bool = False,
        headers: dict[str, str] | None = None,
        body: str | None = None,
        metadata: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.is_retryable = is_retryable
        self.headers = headers
        self.body = body
        self.metadata = metadata or {}


class StreamFault(ModelCallError):
    """The stream said something that is no answer and fits no other kind."""
