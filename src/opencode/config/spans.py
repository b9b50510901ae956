"""Where things stand in a JSONC text: the ranges of values, and of the keys of objects."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import pyjson5

_TOKEN = re.compile(
    r"(?P<skip>[\s\ufeff]+|//[^\n\r]*|/\*.*?\*/)"
    r"|(?P<text>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')"
    r"|(?P<mark>[{}\[\]:,])"
    r"|(?P<word>[^\s{}\[\]:,\"'/]+)",
    re.DOTALL,
)


class _Token(NamedTuple):
    text: str
    start: int
    end: int


@dataclass(slots=True)
class Span:
    """A value's range. ``members``: of an object, its keys in order; None for any other value."""

    start: int
    end: int
    members: "list[Member] | None" = None


@dataclass(frozen=True, slots=True)
class Member:
    """A key of an object: where it begins, its value, and where the comma after it is, if there is one."""

    key: str
    start: int
    value: Span
    comma: int | None


def read_spans(text: str) -> Span:
    """The outermost value of a text that is known to be valid."""
    return _Reader(_tokens(text)).value()


def _tokens(text: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(text):
        if found.lastgroup != "skip":
            yield _Token(found.group(), found.start(), found.end())


class _Reader:
    """Reads values from tokens, one token ahead."""

    def __init__(self, tokens: Iterator[_Token]) -> None:
        self._tokens = tokens
        self._next = next(tokens)

    def value(self) -> Span:
        first = self._take()
        match first.text:
            case "{":
                return self._object(first)
            case "[":
                return self._array(first)
            case _:
                return Span(first.start, first.end)

    def _object(self, opening: _Token) -> Span:
        span = Span(opening.start, opening.end, members=[])
        members: list[Member] = []
        while self._next.text != "}":
            key = self._take()
            self._take()  # the colon
            members.append(Member(_decode(key.text), key.start, self.value(), self._comma()))
        span.members, span.end = members, self._take().end
        return span

    def _array(self, opening: _Token) -> Span:
        while self._next.text != "]":
            self.value()
            self._comma()
        return Span(opening.start, self._take().end)

    def _comma(self) -> int | None:
        return self._take().start if self._next.text == "," else None

    def _take(self) -> _Token:
        token = self._next
        self._next = next(self._tokens, _Token("", token.end, token.end))
        return token


def _decode(key: str) -> str:
    return str(pyjson5.decode(key)) if key[0] in "\"'" else key
