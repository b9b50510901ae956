"""A turn as a stream of text, for clients of ``/v1/chat/stream``."""

from typing import Final

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from opencode.core.errors import NamedError
from opencode.core.ids import PartID, SessionID
from opencode.core.tasks import task_group
from opencode.core.wire import UNSET, decode, encode
from opencode.http.answer import Receive, Scope, Send
from opencode.http.sse import HEADERS
from opencode.instance.chat_answer import completion
from opencode.instance.chat_schema import ChatChunk
from opencode.instance.instance import Instance
from opencode.session.inputs import PromptInput
from opencode.session.schema import MessagePartDelta, MessagePartUpdated, MessageWithParts, TextPart

QUIET_SECONDS: Final = 10.0
PENDING_CHUNKS: Final = 10_000
"""The turn of a client that is further behind is stopped."""


class ChatStream:
    """ASGI app: runs a prompt and sends its texts as they grow. A client that leaves stops the turn."""

    def __init__(self, instance: Instance, session_id: SessionID, prompt: PromptInput) -> None:
        self._instance = instance
        self._session_id = session_id
        self._prompt = prompt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        chunks, written = anyio.create_memory_object_stream[ChatChunk](PENDING_CHUNKS)
        async with task_group() as tasks:
            texts = Texts(self._session_id, chunks)
            tasks.start_soon(self._run, texts, chunks)
            tasks.start_soon(self._stop_with_client, receive)
            tasks.start_soon(self._stop_when_behind, texts)
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            await _write(written, send)
            tasks.cancel_scope.cancel()

    async def _run(self, texts: "Texts", chunks: MemoryObjectSendStream[ChatChunk]) -> None:
        async with chunks:
            await chunks.send(ChatChunk(type="message_start", session_id=self._session_id))
            failure = await self._answer(texts)
            if failure is not None:
                error = {"type": failure.name, "message": failure.message}
                await chunks.send(ChatChunk(type="error", error=error))
            await chunks.send(ChatChunk(type="message_stop"))

    async def _answer(self, texts: "Texts") -> NamedError | None:
        """Wait for the end of the turn; what went wrong, if something did."""
        events = self._instance.events
        stops = (
            events.subscribe_function(MessagePartUpdated, texts.on_part),
            events.subscribe_function(MessagePartDelta, texts.on_delta),
        )
        try:
            answer = await self._instance.prompts.prompt(self._session_id, self._prompt)
            completion(decode(answer, MessageWithParts), UNSET)
        except NamedError as error:
            return error
        finally:
            for stop in stops:
                stop()
        return None

    async def _stop_with_client(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        await self._instance.prompts.abort(self._session_id)

    async def _stop_when_behind(self, texts: "Texts") -> None:
        await texts.are_behind.wait()
        await self._instance.prompts.abort(self._session_id)


class Texts:
    """The answer's texts as blocks, numbered from 0 in the order in which they begin."""

    def __init__(self, session_id: SessionID, chunks: MemoryObjectSendStream[ChatChunk]) -> None:
        self.are_behind = anyio.Event()
        """Set when the client reads so slowly that something had to be left out."""
        self._session_id = session_id
        self._chunks = chunks
        self._blocks: dict[PartID, int] = {}
        self._open: set[PartID] = set()

    def on_part(self, event: MessagePartUpdated) -> None:
        """A text of the answer begins or is complete; those of prompts have no time."""
        part = event.part
        if event.session_id != self._session_id or not isinstance(part, TextPart) or part.time is UNSET:
            return
        if part.id not in self._blocks:
            self._blocks[part.id] = len(self._blocks)
            self._open.add(part.id)
            self._send(ChatChunk(type="content_block_start", index=self._blocks[part.id]))
        if part.time.end is not UNSET and part.id in self._open:
            self._open.remove(part.id)
            self._send(ChatChunk(type="content_block_stop", index=self._blocks[part.id]))

    def on_delta(self, event: MessagePartDelta) -> None:
        """A piece of a text."""
        if event.part_id in self._open and event.field == "text":
            chunk = ChatChunk(
                type="content_block_delta", index=self._blocks[event.part_id], delta={"text": event.delta}
            )
            self._send(chunk)

    def _send(self, chunk: ChatChunk) -> None:
        try:
            self._chunks.send_nowait(chunk)
        except anyio.WouldBlock:
            self.are_behind.set()


async def _write(chunks: MemoryObjectReceiveStream[ChatChunk], send: Send) -> None:
    """Everything there is to send, and a comment where nothing came for long."""
    async with chunks:
        while True:
            chunk: ChatChunk | None = None
            try:
                with anyio.move_on_after(QUIET_SECONDS):
                    chunk = await chunks.receive()
            except anyio.EndOfStream:
                break
            frame = b": quiet\n\n" if chunk is None else _frame(chunk)
            await send({"type": "http.response.body", "body": frame, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _frame(chunk: ChatChunk) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (chunk.type.encode(), encode(chunk))
