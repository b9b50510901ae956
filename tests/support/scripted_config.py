"""Configuration that makes a scripted model server the only provider."""

import json
from pathlib import Path
from typing import Any

from tests.support.scripted_model.server import RecordedRequest

MODEL = "scripted/m1"


def scripted_config(url: str, **more: Any) -> dict[str, Any]:
    """The provider ``scripted`` with the model ``m1``, over the Chat Completions wire."""
    model = {"name": "M1", "tool_call": True, "limit": {"context": 100_000, "output": 8_000}}
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": url, "apiKey": "none"},
        "models": {"m1": model},
    }
    return {"provider": {"scripted": provider}, "model": MODEL, **more}


def write_config(directory: Path, config: dict[str, Any]) -> None:
    (directory / "opencode.json").write_text(json.dumps(config))


def says(text: str) -> Any:
    """Accepts requests of conversations in which that was said; not those for titles."""

    def accepts(request: RecordedRequest) -> bool:
        return not request.is_title and text in json.dumps(request.body)

    return accepts
