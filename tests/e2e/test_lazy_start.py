"""A server that has called no model has loaded nothing of any provider."""

import signal
import subprocess
import sys
from pathlib import Path

import anyio
import anyio.to_thread

from tests.support.server_process import LISTENING, Home

OF_PROVIDERS = frozenset(
    {
        "anthropic",
        "boto3",
        "botocore",
        "cohere",
        "google.auth",
        "google.genai",
        "httpx",
        "httpx2",
        "jsonschema_rs",
        "mistralai",
        "openai",
        "pydantic_ai",
        "rapidfuzz",
    }
)
SERVE = """
import sys
from opencode.cli.main import run_program
run_program(["serve", "--port", "0"])
print(*sys.modules)
"""
ASK = """
import json, sys, urllib.request
def ask(path, body=None):
    with urllib.request.urlopen(urllib.request.Request(sys.argv[1] + path, body)) as answer:
        return json.load(answer)
assert ask("/global/health")["healthy"]
assert ask("/config/providers")["providers"]
assert ask("/session", b"{}")["id"]
"""


async def test_the_libraries_of_providers_are_loaded_by_the_first_call_of_a_model(home: Home, project: Path) -> None:
    home.root.mkdir(parents=True)
    home.variables["OPENCODE_DISABLE_LOCAL_MODELS"] = "1"
    with anyio.fail_after(60):
        loaded = await anyio.to_thread.run_sync(_modules_of_a_session, home, project, abandon_on_cancel=True)
    assert "opencode.provider.service" in loaded
    assert sorted(loaded & OF_PROVIDERS) == []


def _modules_of_a_session(home: Home, project: Path) -> set[str]:
    """Start a server, open a directory on it, end it; what it had loaded by then."""
    command = [sys.executable, "-c", SERVE]
    with subprocess.Popen(command, cwd=project, env=home.environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            line = next(line for line in server.stdout if line.startswith(LISTENING))
            subprocess.run([sys.executable, "-c", ASK, line.removeprefix(LISTENING).strip()], check=True)
            server.send_signal(signal.SIGINT)
            return set(server.stdout.read().split())
        finally:
            server.kill()


def test_a_start_does_not_wait_for_what_directories_are_made_of() -> None:
    """It is loaded once the server listens."""
    ended = subprocess.run(
        [sys.executable, "-c", "import sys, opencode.cli.serve; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    of_directories = {
        f"opencode.{name}" for name in ("loop.prompt", "tool.registry", "snapshot.service", "file.finder")
    }
    assert of_directories.intersection(ended.stdout.split()) == set()
