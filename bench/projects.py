"""Scratch directories that the servers work for."""

import json
import subprocess
from pathlib import Path
from typing import Any

FILES = {
    "a.txt": "alpha\nbeta\ngamma\n",
    "src/main.py": "from util import shout\n\n\ndef main():\n    print(shout('hello'))\n",
    "src/util.py": "def shout(word):\n    return word.upper()\n",
    "docs/guide.md": "# Guide\n\nRead the alpha file.\n",
}
MANY = "many"
MODEL = {"providerID": "scripted", "modelID": "m1"}


def config(model_port: int, **more: object) -> dict[str, Any]:
    """One provider, the scripted model; what a project may set besides."""
    model = {"name": "M1", "tool_call": True, "limit": {"context": 100_000, "output": 8000}}
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Scripted",
        "options": {"baseURL": f"http://127.0.0.1:{model_port}/v1", "apiKey": "key"},
        "models": {"m1": model},
    }
    return {"provider": {"scripted": provider}, "model": "scripted/m1", **more}


def make_project(folder: Path, settings: dict[str, Any], many: int = 0) -> None:
    """A git repository with a few files; its first commit, which names the project, is unlike any other's.

    ``many``: so many small files more, a hundred to a directory below ``many/``.
    """
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    for number in range(many):
        path = folder / MANY / f"{number // 100:03}" / f"{number:05}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"file {number}\n" * 20)
    (folder / "opencode.json").write_text(json.dumps(settings))
    author = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "-A"], [*author, "commit", "-q", "-m", f"start {folder}"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
