"""Small pieces that several wires share."""

from collections.abc import Iterable
from typing import Any

import msgspec

from opencode.core.wire import encode
from opencode.provider.schema import Model


def data_of(url: str) -> tuple[str, str] | None:
    """Media type and base64 text of a ``data:`` URL; None for other URLs."""
    if not url.startswith("data:"):
        return None
    head, comma, data = url[5:].partition(",")
    if not comma:
        return None
    return head.removesuffix(";base64"), data


def arguments_text(value: Any) -> str:
    """The JSON text of a tool call's input, as sent back to the model. Raw text stays as it was."""
    return value if isinstance(value, str) else encode(value).decode()


def arguments_object(value: Any) -> dict[str, Any]:
    """A tool call's input for a wire that takes objects only; faulty arguments were raw text."""
    return value if isinstance(value, dict) else {"value": value}


def parsed_arguments(text: str) -> tuple[Any, str | None]:
    """The decoded arguments and no fault, or the raw text and what is wrong with it. No text means no arguments."""
    if not text.strip():
        return {}, None
    try:
        return msgspec.json.decode(text), None
    except msgspec.DecodeError as error:
        return text, f"The arguments are not valid JSON: {error}"


def joined_turns(turns: Iterable[tuple[str, list[dict[str, Any]]]]) -> list[dict[str, Any]]:
    """Messages of the roles and blocks, those of one side that follow each other as one."""
    joined: list[dict[str, Any]] = []
    for role, blocks in turns:
        if joined and joined[-1]["role"] == role:
            joined[-1]["content"] += blocks
        else:
            joined.append({"role": role, "content": blocks})
    return joined


def tokens_with_thoughts(model: Model, answer: int, thoughts: int) -> int:
    """The answer's own limit plus what may be thought, within what the model can do."""
    total, limit = answer + thoughts, int(model.limit.output)
    return min(total, limit) if limit else total


def wants_cache_marks(model: Model) -> bool:
    """Whether the provider caches prompts only where it is told to."""
    names = f"{model.api.id} {model.id}".lower()
    anthropic = (
        "anthropic" in model.provider_id or "claude" in names or "anthropic" in names or "anthropic" in model.api.npm
    )
    return anthropic and model.api.npm != "@ai-sdk/gateway"
