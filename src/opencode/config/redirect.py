"""Providers that a project sends somewhere else than the user does."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_NAMES_ADDRESS = re.compile(r"(url|endpoint|host)$", re.IGNORECASE)
_LOOPBACK = re.compile(r"https?://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?(/[\w./~%-]*)?", re.ASCII)
"""Addresses that stay on this machine. Strict, so that no reader of URLs can see another host in one."""
_USERS_OWN = re.compile(r"\{env:[^}]+\}(/[\w.~-]+)*/?", re.ASCII)
"""Addresses that the user's environment decides."""

Json = Mapping[str, Any]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where a project sends a provider's requests. ``wants_secrets``: it is configured to bring some along."""

    address: str
    wants_secrets: bool


def redirected(everything: Json, own: Json) -> dict[str, Redirect]:
    """The providers by id whose address is in ``everything`` and not in the user's ``own`` configuration.

    Both are merged layers before substitution. Addresses on this machine do not count.
    """
    found: dict[str, Redirect] = {}
    mine = _providers(own)
    for provider_id, entry in _providers(everything).items():
        known = dict(_addresses(mine.get(provider_id)))
        strange = [
            address for path, address in _addresses(entry) if known.get(path) != address and _leads_away(address)
        ]
        if strange:
            found[provider_id] = Redirect(strange[0], _has_settings(mine.get(provider_id)) or _has_tokens(entry))
    return found


def _leads_away(address: str) -> bool:
    return bool(address) and not (_LOOPBACK.fullmatch(address) or _USERS_OWN.fullmatch(address))


def _providers(layer: Json) -> Json:
    providers = layer.get("provider")
    return providers if isinstance(providers, dict) else {}


def _addresses(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Everything in an entry that decides where requests go: base URLs, and ``Host`` headers."""
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if isinstance(item, str) and (key == "api" or _NAMES_ADDRESS.search(key)):
            yield (*path, key), item
        else:
            yield from _addresses(item, (*path, key))


def _has_settings(entry: Any) -> bool:
    """Whether the user's own entry holds what may be secret: options or headers."""
    return isinstance(entry, dict) and (bool(entry.get("options")) or "headers" in str(entry.get("models")))


def _has_tokens(value: Any) -> bool:
    text = str(value)
    return "{env:" in text or "{file:" in text or "${" in text
