"""Tool call ids in the form a model family accepts (spec: messages, section 4.5)."""

import hashlib
import re

from opencode.core.ids import BASE62
from opencode.provider.schema import Model

_MISTRAL_LENGTH = 9


class CallIds:
    """Rewrites the call ids of one request: the same id always to the same, different ids to different ones."""

    def __init__(self, model: Model) -> None:
        name = model.api.id.lower()
        self.is_mistral = model.provider_id == "mistral" or "mistral" in name or "devstral" in name
        self._is_claude = "claude" in name or "anthropic" in model.api.npm
        self._given: dict[str, str] = {}
        self._taken: set[str] = set()

    def of(self, call_id: str) -> str:
        """The id to send for a stored one."""
        if not (self.is_mistral or self._is_claude):
            return call_id
        if call_id not in self._given:
            given = self._first_free(call_id)
            self._given[call_id] = given
            self._taken.add(given)
        return self._given[call_id]

    def _first_free(self, call_id: str) -> str:
        wanted = _mistral(call_id) if self.is_mistral else re.sub(r"[^a-zA-Z0-9_-]", "_", call_id)
        round_number = 0
        while wanted in self._taken:
            wanted = _digest(f"{call_id}#{round_number}")
            round_number += 1
        return wanted


def _mistral(call_id: str) -> str:
    return re.sub(r"[^a-zA-Z0-9]", "", call_id)[:_MISTRAL_LENGTH].ljust(_MISTRAL_LENGTH, "0")


def _digest(text: str) -> str:
    """Nine characters that depend on the whole text."""
    return "".join(BASE62[byte % 62] for byte in hashlib.sha256(text.encode()).digest()[:_MISTRAL_LENGTH])
