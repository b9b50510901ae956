"""What can go wrong while somebody signs in. The names are those that official clients test."""

from opencode.core.errors import Invalid


class SignInError(Invalid):
    """Base of what the operations ``provider.oauth.*`` answer."""

    def __init__(self, provider_id: str, message: str, **fields: str) -> None:
        super().__init__(message, providerID=provider_id, **fields)


class NotBegun(SignInError):
    """Nobody has begun to sign in here, or that is over."""

    name = "ProviderAuthOauthMissing"

    def __init__(self, provider_id: str) -> None:
        super().__init__(
            provider_id, f"No sign-in at {provider_id} has begun: POST /provider/{provider_id}/oauth/authorize first"
        )


class CodeMissing(SignInError):
    """This way of signing in needs the code that the provider showed."""

    name = "ProviderAuthOauthCodeMissing"

    def __init__(self, provider_id: str) -> None:
        super().__init__(provider_id, "Send the code that the provider showed, as `code`")


class SignInFailed(SignInError):
    """The provider said no, was not there, or nobody came back in time."""

    name = "ProviderAuthOauthCallbackFailed"


class InputInvalid(SignInError):
    """``field``: the answer to a prompt, or ``method``, that cannot be."""

    name = "ProviderAuthValidationFailed"

    def __init__(self, provider_id: str, field: str, problem: str) -> None:
        super().__init__(provider_id, problem, field=field)


class WrongInput(Exception):
    """An answer to a prompt is of no use; raised by a method, which does not know for whom it works."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field
        self.problem = problem


class ServerRefused(Exception):
    """The server that gives out tokens says no, for good. The message holds none of what was sent."""


class ServerUnreachable(Exception):
    """That server cannot be reached, or is in trouble; later it may work."""
