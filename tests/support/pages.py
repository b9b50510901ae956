"""The examples in README.md and docs/, as they are printed."""

import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import anyio

ROOT = Path(__file__).parents[2]
FENCED = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
ADDRESS = re.compile(r"(http://)?(127\.0\.0\.1|localhost):4096")
TOOLS = ("bash", "curl", "jq", "git")
"""What the shell examples use besides the program itself."""

CURL = """#!/bin/sh
{curl} --fail-with-body "$@"
code=$?
[ $code = 28 ] && exit 0  # --max-time: how the examples leave a stream
exit $code
"""


@dataclass(frozen=True)
class Example:
    """A fenced block: where it stands, and what it says."""

    page: str
    heading: str
    language: str
    text: str


def examples(page: str) -> list[Example]:
    """All of a page, in order. ``page`` is relative to the repository."""
    text = (ROOT / page).read_text("utf-8")
    headings = [(found.start(), found[1]) for found in HEADING.finditer(text) if not _is_inside(text, found.start())]
    return [
        Example(
            page=page,
            heading=[name for start, name in headings if start < found.start()][-1],
            language=found[2],
            text=re.sub(rf"^{found[1]}", "", found[3], flags=re.MULTILINE),
        )
        for found in FENCED.finditer(text)
    ]


def example(page: str, heading: str, language: str) -> str:
    """The only one of that language below that heading."""
    (found,) = [one for one in examples(page) if (one.heading, one.language) == (heading, language)]
    return found.text


def _is_inside(text: str, position: int) -> bool:
    return any(found.start() < position < found.end() for found in FENCED.finditer(text))


def shell_tools_are_missing() -> bool:
    return any(shutil.which(tool) is None for tool in TOOLS)


async def run_example(
    script: str, directory: Path, environment: Mapping[str, str], url: str, seconds: float = 60
) -> str:
    """Run a shell example against the server at ``url``; what it prints. Fails when any command or request does."""
    programs = directory.parent / "programs"
    programs.mkdir(exist_ok=True)
    curl = programs / "curl"
    curl.write_text(CURL.format(curl=shutil.which("curl")))
    curl.chmod(0o755)
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), environment["PATH"]])
    with anyio.fail_after(seconds):
        ended = await anyio.run_process(
            ["bash", "-euo", "pipefail", "-c", ADDRESS.sub(url, script)],
            cwd=directory,
            env={**environment, "PATH": path},
            check=False,
        )
    shown = ended.stdout.decode()
    assert ended.returncode == 0, f"{script}\nended with {ended.returncode}:\n{shown}\n{ended.stderr.decode()}"
    return shown
