"""The official program, from npm."""

import platform
import subprocess
from pathlib import Path
from typing import Final

PACKAGE: Final = "opencode-ai"
PROCESSORS: Final = {"x86_64": "x64", "aarch64": "arm64"}


class CannotInstall(Exception):
    """npm did not give us the program."""


def install(version: str, directory: Path) -> Path:
    """Put the official program of a version below ``directory``; its path. Raises ``CannotInstall``.

    Only the package for this processor is fetched and no install script runs: the program is started where we choose.
    npm's cache and logs stay below the directory too.
    """
    package = f"opencode-linux-{PROCESSORS.get(platform.machine(), platform.machine())}"
    directory.mkdir(parents=True)
    (directory / "package.json").write_text("{}")
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--cache=cache"]
    done = subprocess.run(
        [*command, f"{package}@{version}"], cwd=directory, capture_output=True, text=True, check=False
    )
    program = directory / "node_modules" / package / "bin/opencode"
    if done.returncode or not program.exists():
        raise CannotInstall(f"npm cannot install {PACKAGE} {version} ({package}): {done.stderr.strip()}")
    return program
