"""How one provider is reached: base URL, credentials, headers and limits. Never sent to anyone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opencode.auth.secret import MASK, Secret

PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
SECRET_OPTIONS = ("apiKey", "authToken", "secretAccessKey", "sessionToken", "privateKey")
SECRET_HEADERS = ("authorization", "x-api-key", "api-key", "proxy-authorization", "cookie")
DEFAULT_TIMEOUT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Connection:
    """One provider as an adapter needs it. ``None`` of a timeout: no limit."""

    provider_id: str
    npm: str
    base_url: str
    key: Secret | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    header_timeout_seconds: float | None = DEFAULT_TIMEOUT_SECONDS
    chunk_timeout_seconds: float | None = DEFAULT_TIMEOUT_SECONDS
    user_agent: str = "opencode-server"


def masked_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with every secret replaced by a mask; what is empty stays empty."""
    shown: dict[str, Any] = {}
    for name, value in options.items():
        if name in SECRET_OPTIONS and value:
            shown[name] = MASK
        elif name == "headers" and isinstance(value, dict):
            shown[name] = {key: MASK if key.lower() in SECRET_HEADERS and text else text for key, text in value.items()}
        else:
            shown[name] = value
    return shown


def filled_url(url: str, environ: Mapping[str, str]) -> str:
    """The URL with ``${NAME}`` replaced from the environment where it is set."""
    return PLACEHOLDER.sub(lambda match: environ.get(match[1], match[0]), url).rstrip("/")


def timeout_seconds(options: Mapping[str, Any], name: str) -> float | None:
    """A timeout option (milliseconds; ``false``: none) in seconds."""
    value = options.get(name)
    if value is None:
        return DEFAULT_TIMEOUT_SECONDS
    return None if value is False else float(value) / 1000
