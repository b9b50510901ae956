"""Who answers the agent's requests for permission and its questions during ``opencode run``."""

import os
import sys
from typing import Final, Protocol

import anyio

from opencode.permission.schema import PermissionAsked, PermissionReply
from opencode.question.schema import QuestionAnswers, QuestionAsked, QuestionInfo

_REPLIES: Final[dict[str, PermissionReply]] = {
    "": "once", "y": "once", "o": "once", "once": "once", "a": "always", "always": "always",
    "n": "reject", "r": "reject", "reject": "reject",
}  # fmt: skip


LINE_BYTES: Final = 4096


class Asker(Protocol):
    """Decides. ``None`` as answers: the questions are dismissed."""

    async def permission(self, asked: PermissionAsked) -> PermissionReply: ...

    async def question(self, asked: QuestionAsked) -> QuestionAnswers | None: ...


class Refusing:
    """Nobody is there: every request is refused."""

    async def permission(self, asked: PermissionAsked) -> PermissionReply:
        return "reject"

    async def question(self, asked: QuestionAsked) -> QuestionAnswers | None:
        return None


class Allowing(Refusing):
    """``--auto``: every permission is given once; questions still need a person."""

    async def permission(self, asked: PermissionAsked) -> PermissionReply:
        return "once"


class Terminal:
    """Asks the person at the terminal ``keyboard`` (a file descriptor). The end of the input refuses."""

    def __init__(self, keyboard: int) -> None:
        self._keyboard = keyboard

    async def permission(self, asked: PermissionAsked) -> PermissionReply:
        """Asks until the answer is understood; just Enter means once."""
        _say(f"\n? The agent wants: {asked.permission}  {', '.join(asked.patterns)}")
        if asked.always:
            _say(f"  always would allow: {', '.join(asked.always)}")
        while True:
            line = await self._line("  Allow? [o]nce / [a]lways / [r]eject: ")
            reply = "reject" if line is None else _REPLIES.get(line.strip().lower())
            if reply is not None:
                return reply

    async def question(self, asked: QuestionAsked) -> QuestionAnswers | None:
        """Asks each question in turn."""
        answers: QuestionAnswers = []
        for question in asked.questions:
            answer = await self._answer(question)
            if not answer:
                return None
            answers.append(answer)
        return answers

    async def _answer(self, question: QuestionInfo) -> list[str]:
        _say(f"\n? {question.question}")
        for number, option in enumerate(question.options, start=1):
            _say(f"  {number}. {option.label}  {option.description}")
        hint = "numbers separated by commas" if question.multiple is True else "a number"
        line = await self._line(f"  Answer ({hint}, or text; empty to dismiss): ")
        return chosen(question, line or "")

    async def _line(self, prompt: str) -> str | None:
        """One line without its end; ``None`` at the end of the input. Waiting can be cancelled."""
        print(prompt, end="", file=sys.stderr, flush=True)
        await anyio.wait_readable(self._keyboard)
        line = os.read(self._keyboard, LINE_BYTES)  # a terminal gives whole lines, one at a time
        return line.decode(errors="replace").rstrip("\r\n") if line else None


def chosen(question: QuestionInfo, line: str) -> list[str]:
    """The labels that the typed numbers name; other text as it is. Empty: nothing was typed."""
    labels = [option.label for option in question.options]
    words = [word.strip() for word in line.split(",")] if question.multiple is True else [line.strip()]
    if words and all(word.isdecimal() and 1 <= int(word) <= len(labels) for word in words):
        return [labels[int(word) - 1] for word in words]
    return [line.strip()] if line.strip() else []


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
