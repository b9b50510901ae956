"""A model provider on a loopback port that answers from a script, over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import anyio

from tests.support.loopback import listening, read_request
from tests.support.scripted_model.encoders import ENCODERS, Encoder
from tests.support.scripted_model.script import (
    Call,
    Cut,
    Fail,
    Raw,
    Reasoning,
    Redacted,
    Repeat,
    Silence,
    Sleep,
    StreamError,
    Text,
    Turn,
    Wait,
    pieces,
    turn,
)

Json = dict[str, Any]
Predicate = Callable[["RecordedRequest"], bool]
Improvised = Callable[["RecordedRequest"], Turn]
"""Makes up an answer when it is asked for one."""
TITLE_MARK = "title"
TASK_CHARACTERS = 300


@dataclass
class RecordedRequest:
    """One request. ``outcome``: ``open``, ``done``, ``failed``, ``cut``, or ``left`` when the client hung up."""

    path: str
    headers: dict[str, str]
    body: Json
    raw: bytes
    outcome: str = "open"
    ended: anyio.Event = field(default_factory=anyio.Event)

    @property
    def system_text(self) -> str:
        """All system texts, whatever the wire."""
        system = self.body.get("system")
        if isinstance(system, str):
            return system
        if isinstance(system, list):
            return "\n".join(block.get("text", "") for block in system)
        turns = self.body.get("messages") or self.body.get("input") or []
        texts = [item["content"] for item in turns if item.get("role") in ("system", "developer")]
        return "\n".join(text if isinstance(text, str) else json.dumps(text) for text in texts)

    @property
    def is_title(self) -> bool:
        """Whether the title agent asks: no tools, and a system text that opens by speaking of titles."""
        return not self.body.get("tools") and TITLE_MARK in self.system_text[:TASK_CHARACTERS].lower()

    def end(self, outcome: str) -> None:
        self.outcome = outcome
        self.ended.set()


class ScriptedModel:
    """Answers requests in the order of the pushed turns; title requests have a lane of their own.

    ``url`` is the base URL to configure (it ends in ``/v1``). When the script has run out the answer is ``OK.``.
    ``models`` is what ``GET /models`` lists.
    """

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[RecordedRequest] = []
        self.title = turn("A scripted title")
        self.models: list[str] = []
        self._turns: list[Turn | Improvised] = []
        self._lanes: list[tuple[Predicate, list[Turn]]] = []

    def push(self, *turns: Turn | Improvised | str) -> None:
        """Append answers for ordinary requests."""
        self._turns += [turn(item) if isinstance(item, str) else item for item in turns]

    def push_for(self, predicate: Predicate, *turns: Turn | str) -> None:
        """Append a lane: requests that the predicate accepts get these answers first."""
        self._lanes.append((predicate, [turn(item) if isinstance(item, str) else item for item in turns]))

    @property
    def turns(self) -> list[RecordedRequest]:
        """The requests that were not for titles."""
        return [request for request in self.requests if not request.is_title]

    def answer(self, request: RecordedRequest) -> Turn:
        """The next turn for this request."""
        for predicate, turns in self._lanes:
            if turns and predicate(request):
                return turns.pop(0)
        if request.is_title:
            return self.title
        next_turn = self._turns.pop(0) if self._turns else turn("OK.")
        return next_turn if isinstance(next_turn, Turn) else next_turn(request)


@asynccontextmanager
async def scripted_model() -> AsyncIterator[ScriptedModel]:
    """A scripted model server that listens until the context is left."""
    model = ScriptedModel()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await _exchange(model, reader, writer):
            pass

    async with listening(serve) as port:
        model.url = f"http://127.0.0.1:{port}/v1"
        yield model


async def _exchange(model: ScriptedModel, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """One request and its answer; True when the connection can carry another."""
    _, path, headers, raw = await read_request(reader)
    request = RecordedRequest(path, headers, json.loads(raw) if raw else {}, raw)
    wire = next((suffix for suffix in ENCODERS if request.path.endswith(suffix)), None)
    if request.path.endswith("/models"):
        writer.write(_plain(200, {"object": "list", "data": [{"id": name} for name in model.models]}))
        await writer.drain()
        return True
    if wire is None:
        writer.write(_plain(404, {"error": {"message": f"no such path {request.path}"}}))
        await writer.drain()
        return True
    model.requests.append(request)
    answer = model.answer(request)
    first = answer.ops[0] if answer.ops else None
    if isinstance(first, Fail):
        writer.write(_failure(first))
        await writer.drain()
        request.end("failed")
        return True
    if isinstance(first, Silence):
        if not first.hangs_up:
            await reader.read(1)
        request.end("left")
        return False
    encoder = ENCODERS[wire](answer, request.body, len(model.requests))
    return await _stream(request, answer, encoder, reader, writer)


async def _stream(
    request: RecordedRequest,
    answer: Turn,
    encoder: Encoder,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> bool:
    """Send the answer, watching for a client that hangs up."""
    sending = asyncio.ensure_future(_send(answer, encoder, writer))
    leaving = asyncio.ensure_future(reader.read(1))
    await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
    if not sending.done():
        sending.cancel()
        await asyncio.gather(sending, leaving, return_exceptions=True)
        request.end("left")
        return False
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    try:
        outcome = sending.result()
    except ConnectionError:
        outcome = "left"
    request.end(outcome)
    return False


async def _send(answer: Turn, encoder: Encoder, writer: asyncio.StreamWriter) -> str:
    writer.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    _chunk(writer, encoder.start())
    for op in answer.ops:
        match op:
            case Sleep(seconds=seconds):
                await asyncio.sleep(seconds)
            case Wait(until=until, reached=reached):
                await writer.drain()
                if reached is not None:
                    reached.set()
                await until.wait()
            case Cut(clean=clean):
                if clean:
                    writer.write(b"0\r\n\r\n")
                await writer.drain()
                return "cut"
            case _:
                for data in _encoded(op, encoder):
                    _chunk(writer, data)
        await writer.drain()
    _chunk(writer, encoder.end())
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return "done"


def _encoded(op: Any, encoder: Encoder) -> Iterator[bytes]:
    match op:
        case Text(text=text, chunks=chunks):
            yield from (encoder.text(piece) for piece in pieces(text, chunks))
        case Repeat(text=text, count=count):
            yield from (encoder.text(text) for _ in range(count))
        case Reasoning():
            yield from encoder.reasoning(op)
        case Redacted():
            yield encoder.redacted(op)
        case Call(is_whole=is_whole):
            yield from encoder.call(op)[: None if is_whole else -1]
        case StreamError():
            yield encoder.error(op)
        case Raw(data=data):
            yield data


def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    if data:
        writer.write(b"%x\r\n%b\r\n" % (len(data), data))


def _failure(op: Fail) -> bytes:
    body = op.body
    if body is None:
        body = {"error": {"message": op.message, "type": op.type, "code": op.code}}
    return _plain(op.status, body, dict(op.headers), op.reason)


def _plain(status: int, body: Any, headers: dict[str, str] | None = None, reason: str | None = None) -> bytes:
    text = body if isinstance(body, str) else json.dumps(body)
    kind = "text/html" if text.startswith("<") else "application/json"
    payload = text.encode()
    lines = [f"HTTP/1.1 {status} {reason or HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in {"content-type": kind, **(headers or {})}.items()]
    lines += [f"content-length: {len(payload)}", "", ""]
    return "\r\n".join(lines).encode() + payload
