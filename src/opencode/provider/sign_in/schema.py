"""Ways to sign in, as clients see them (operations ``provider.auth`` and ``provider.oauth.authorize``)."""

from typing import Literal

from opencode.core.wire import UNSET, UnsetType, Wire

FlowKind = Literal["auto", "code"]
"""``auto``: the server notices by itself when it is done. ``code``: the user brings a code back."""


class AuthPromptWhen(Wire):
    """When a prompt is asked: by the answer to an earlier one."""

    key: str
    op: Literal["eq", "neq"]
    value: str


class AuthTextPrompt(Wire, tag_field="type", tag="text"):
    """A line to type."""

    key: str
    message: str
    placeholder: str | UnsetType = UNSET
    when: AuthPromptWhen | UnsetType = UNSET


class AuthSelectOption(Wire):
    """One choice."""

    label: str
    value: str
    hint: str | UnsetType = UNSET


class AuthSelectPrompt(Wire, tag_field="type", tag="select"):
    """A choice to make."""

    key: str
    message: str
    options: list[AuthSelectOption]
    when: AuthPromptWhen | UnsetType = UNSET


AuthPrompt = AuthTextPrompt | AuthSelectPrompt


class ProviderAuthMethod(Wire):
    """One way to sign in at a provider."""

    type: Literal["oauth", "api"]
    label: str
    prompts: list[AuthPrompt] | UnsetType = UNSET


class ProviderAuthAuthorization(Wire):
    """Where the user goes to sign in, and what to do there."""

    url: str
    method: FlowKind
    instructions: str
