"""The official programs, from npm into a cache outside the repository."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

OFFICIAL = ("1.18.33", "1.2.15")


class NotAvailable(Exception):
    """An official program cannot be had here; the message says why and what helps."""


def cache_folder() -> Path:
    """Where they are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "opencode-bench"


def official_binary(version: str) -> Path:
    """The program of one version, installed if it is not yet. Raises ``NotAvailable``."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine())
    if platform.system() != "Linux" or machine is None:
        raise NotAvailable("the comparison runs on Linux (x64, arm64): it reads /proc and needs a network namespace")
    package = f"opencode-linux-{machine}"
    folder = cache_folder() / version
    binary = folder / "node_modules" / package / "bin" / "opencode"
    if not binary.exists():
        _install(f"{package}@{version}", folder)
    if not binary.exists():
        raise NotAvailable(f"npm installed {package}@{version} without the program {binary}")
    return binary


def _install(package: str, folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NotAvailable("npm is not installed: it fetches the official programs")
    folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotAvailable(f"npm could not install {package}: {done.stderr.strip()[-500:]}")
