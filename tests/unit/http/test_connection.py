"""Heads and bodies on their way out."""

import asyncio
from collections.abc import Iterable
from typing import Any

import anyio.lowlevel

from opencode.http.connection import _HeadJoiner

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


class Wire:
    """Where a transport leads: remembers each system call."""

    def __init__(self) -> None:
        self.calls: list[list[bytes] | str] = []

    def write(self, data: bytes) -> None:
        self.calls.append([data])

    def writelines(self, data: Iterable[bytes]) -> None:
        self.calls.append(list(data))

    def close(self) -> None:
        self.calls.append("close")

    def get_extra_info(self, name: str) -> str:
        return f"the {name}"


def joiner(wire: Any) -> _HeadJoiner:
    return _HeadJoiner(wire, asyncio.get_running_loop())


async def test_a_head_goes_out_together_with_its_body() -> None:
    wire = Wire()
    transport = joiner(wire)
    transport.write(HEAD)
    transport.write(b"body")
    transport.write(b"more")
    assert wire.calls == [[HEAD, b"body"], [b"more"]]


async def test_a_head_without_a_body_goes_out_in_the_next_turn_of_the_loop() -> None:
    wire = Wire()
    joiner(wire).write(HEAD)
    assert wire.calls == []
    await anyio.lowlevel.checkpoint()
    assert wire.calls == [[HEAD]]


async def test_closing_sends_what_is_held_back_first() -> None:
    wire = Wire()
    transport = joiner(wire)
    transport.write(HEAD)
    transport.close()
    await anyio.lowlevel.checkpoint()
    assert wire.calls == [[HEAD], "close"]


async def test_everything_else_is_the_transport_s() -> None:
    assert joiner(Wire()).get_extra_info("peername") == "the peername"
