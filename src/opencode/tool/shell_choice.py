"""Which shell runs a command, and how it is started (spec: tools core, section 5; prompt loop, section 8)."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

_NOT_POSIX = {"fish", "nu"}
"""Shells whose language models do not write by default."""

_ZSH_STARTUP = """
[[ -f ~/.zshenv ]] && source ~/.zshenv >/dev/null 2>&1 || true
[[ -f "${ZDOTDIR:-$HOME}/.zshrc" ]] && source "${ZDOTDIR:-$HOME}/.zshrc" >/dev/null 2>&1 || true
eval "$1"
"""
_BASH_STARTUP = """
shopt -s expand_aliases
[[ -f ~/.bashrc ]] && source ~/.bashrc >/dev/null 2>&1 || true
eval "$1"
"""


def user_shell(configured: str | None, environ: Mapping[str, str]) -> str:
    """The shell the person prefers: the ``shell`` setting, ``$SHELL``, or what the system has."""
    return _found(configured) or environ.get("SHELL") or _system_shell()


def tool_shell(configured: str | None, environ: Mapping[str, str]) -> str:
    """The shell for a model's commands: the same, except that fish and nu from ``$SHELL`` are passed over."""
    preferred = environ.get("SHELL", "")
    if Path(preferred).name in _NOT_POSIX:
        preferred = ""
    return _found(configured) or preferred or _system_shell()


def plain_argv(shell: str, command: str) -> list[str]:
    """Run a command without the person's start-up files."""
    return [shell, "-c", command]


def login_argv(shell: str, command: str) -> list[str]:
    """Run a command as the person would in a terminal: with their start-up files and aliases where we know how."""
    match Path(shell).name:
        case "zsh":
            return [shell, "-l", "-c", _ZSH_STARTUP, "opencode", command]
        case "bash":
            return [shell, "-l", "-c", _BASH_STARTUP, "opencode", command]
        case _:
            return plain_argv(shell, command)


def _found(configured: str | None) -> str | None:
    return shutil.which(Path(configured).expanduser()) if configured else None


def _system_shell() -> str:
    if sys.platform == "darwin":
        return "/bin/zsh"
    return shutil.which("bash") or "/bin/sh"
