"""``make run``: a server in a scratch project, and one prompt that shows the agent at work.

Nothing of the user's is read or written: the project, the home and OpenCode's directories are all in one new directory.
The model is the built-in ``demo``, which needs no credentials and no network.
"""

import argparse
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

MODEL: Final = "demo/demo"
PROMPT: Final = (
    "read test_greeting.py then replace Hello with Welcome in greeting.py then run python3 -m unittest -q test_greeting"
)
FILES: Final = {
    "greeting.py": 'def greet(name):\n    return f"Hello, {name}!"\n',
    "test_greeting.py": (
        "import unittest\n\nfrom greeting import greet\n\n\n"
        "class GreetingTest(unittest.TestCase):\n"
        "    def test_greets_by_name(self):\n"
        '        self.assertEqual(greet("Ada"), "Welcome, Ada!")\n'
    ),
}
LISTENING: Final = "opencode server listening on "
OPENCODE: Final = str(Path(sys.executable).with_name("opencode"))


def main() -> int:
    """The exit code: 0 when the prompt was answered and the file really changed."""
    parser = argparse.ArgumentParser(description="Show the agent at work in a scratch project.")
    parser.add_argument("--once", action="store_true", help="stop the server at the end")
    once = parser.parse_args().once

    scratch = Path(tempfile.mkdtemp(prefix="opencode-demo-"))
    project, environment = make_project(scratch), scratch_environment(scratch)
    server = subprocess.Popen(
        [OPENCODE, "serve"], cwd=project, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        url = listening_url(server)
        say(f"project   {project}\nserver    {url}\n\n$ opencode run --attach {url} -m {MODEL} {shlex.quote(PROMPT)}\n")
        status = run_prompt(url, project, environment)
        say(f"\n$ git diff\n{git(project, 'diff', '--unified=0')}")
        if status or "Welcome" not in (project / "greeting.py").read_text():
            return status or 1
        if not once:
            stay(url, project, server)
        return 0
    finally:
        stop(server)


def make_project(scratch: Path) -> Path:
    """A small git repository with a Python file and a test that fails until the file is changed."""
    project = scratch / "project"
    project.mkdir()
    for name, text in FILES.items():
        (project / name).write_text(text)
    git(project, "init", "--quiet")
    git(project, "add", ".")
    git(project, "-c", "user.name=demo", "-c", "user.email=demo@localhost", "commit", "--quiet", "-m", "Start")
    return project


def scratch_environment(scratch: Path) -> dict[str, str]:
    """A home of its own, and no credentials: only what programs need to be found."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TERM", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "HOME": str(scratch / "home"),
        "OPENCODE_CONFIG_CONTENT": '{"enabled_providers": ["demo"]}',  # even where a real model is running
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def listening_url(server: subprocess.Popen[str]) -> str:
    """The server's address, from the line it prints when it is ready."""
    assert server.stdout is not None
    for line in server.stdout:
        if line.startswith(LISTENING):
            return line.removeprefix(LISTENING).strip()
    raise SystemExit("the server ended before it was ready")


def run_prompt(url: str, project: Path, environment: dict[str, str]) -> int:
    command = [OPENCODE, "run", "--attach", url, "--dir", str(project), "--model", MODEL, PROMPT]
    return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False).returncode


def stay(url: str, project: Path, server: subprocess.Popen[str]) -> None:
    """Wait for Ctrl-C."""
    say(
        f"\nThe server is still running at {url} (its API: {url}/doc). In another terminal:\n\n"
        f"    {OPENCODE} run --attach {url} -m {MODEL} 'run git status'\n"
        f"    curl '{url}/session'\n\n"
        f"Ctrl-C stops it. The project is {project}."
    )
    try:
        server.wait()
    except KeyboardInterrupt:
        say("\nstopped")


def stop(server: subprocess.Popen[str]) -> None:
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        server.kill()


def git(project: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=project, check=True, capture_output=True, text=True).stdout


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
