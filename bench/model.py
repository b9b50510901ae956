"""A model that answers at once: OpenAI Chat Completions from prepared bytes, in a process of its own.

``[lane:NAME]`` in a prompt picks what is answered; the number of answers since the prompt picks the step. Run as
``python -m bench.model PORT``. ``GET /first_bytes`` tells when the latest answers began (``time.monotonic``), in order.
"""

import asyncio
import json
import re
import sys
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import httptools
import msgspec
import uvloop

DELTAS = 5000
SHORT_DELTAS = 500
REMEMBERED = 20
_LANE = re.compile(rb"\[lane:(\w+)\]")
_USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


class _Turn(msgspec.Struct):
    role: str


class _Body(msgspec.Struct):
    messages: list[_Turn]
    tools: list[msgspec.Raw] | None = None


def _chunk(delta: dict[str, Any], finish: str | None = None, usage: dict[str, int] | None = None) -> bytes:
    """One server-sent event in one HTTP chunk."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    event = f"data: {json.dumps(body | ({'usage': usage} if usage else {}))}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(event), event)


def _end(finish: str) -> bytes:
    done = b"data: [DONE]\n\n"
    return _chunk({}, finish, _USAGE) + b"%x\r\n%b\r\n0\r\n\r\n" % (len(done), done)


def _text(*pieces: str) -> list[bytes]:
    return [*(_chunk({"role": "assistant", "content": piece}) for piece in pieces), _end("stop")]


def _call(name: str, number: int, **arguments: str) -> list[bytes]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    call = {"index": 0, "id": f"call_{number}", "type": "function", "function": function}
    return [_chunk({"role": "assistant", "tool_calls": [call]}), _end("tool_calls")]


def _read(number: int) -> list[bytes]:
    return _call("read", number, filePath="a.txt")


# It waits: 1.2.15 takes its snapshot beside the first tool, and would miss what that does at once.
CHANGE_MANY = 'sleep 2; for file in many/*/*; do echo changed >> "$file"; done'


LANES = {
    b"text": [_text("Hello.")],
    b"loop3": [*map(_read, range(2)), _text("Done.")],
    b"loop10": [*map(_read, range(9)), _text("Done.")],
    b"stream": [_text(*["word "] * DELTAS)],
    b"change": [_call("bash", 0, command=CHANGE_MANY, description="Changes many files"), _text("Done.")],
    b"short": [_text(*["word "] * SHORT_DELTAS)],
}
_TITLE = _text("A title")
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class Model(asyncio.Protocol):
    """One connection."""

    first_bytes: deque[float] = deque(maxlen=REMEMBERED)

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url = url

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        body, self._body = b"".join(self._body), []
        if self._url.endswith(b"/first_bytes"):
            answer = json.dumps(list(Model.first_bytes)).encode()
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(answer), answer))
            return
        chunks = _answer(body)
        self._transport.write(_HEAD + chunks[0])
        Model.first_bytes.append(time.monotonic())
        self._go_on(iter(chunks[1:]))

    def _go_on(self, chunks: Iterator[bytes]) -> None:
        """One write for each piece, as a model does; others get their turn in between."""
        for _ in range(20):
            chunk = next(chunks, None)
            if chunk is None:
                return
            self._transport.write(chunk)
        asyncio.get_running_loop().call_soon(self._go_on, chunks)


def _answer(body: bytes) -> list[bytes]:
    asked = msgspec.json.decode(body, type=_Body)
    if not asked.tools:
        return _TITLE
    lane = _LANE.search(body)
    steps = LANES[lane[1] if lane else b"text"]
    roles = [turn.role for turn in asked.messages]
    since_prompt = roles[len(roles) - roles[::-1].index("user") :]
    return steps[min(since_prompt.count("assistant"), len(steps) - 1)]


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Model, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
