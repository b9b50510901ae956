"""Smaller answers for clients that ask for them (spec: HTTP 10)."""

import re
import zlib

from anyio import to_thread

from opencode.http.answer import Answer
from opencode.http.request import Request

MINIMUM_BYTES = 1024
THREAD_BYTES = 128 * 1024
"""From here on compressing takes long enough to leave the event loop."""

LEVEL = 1
_COMPRESSIBLE = re.compile(rb"text/(?!event-stream)|application/(json|javascript|xml|wasm)|[^;]*\+(json|xml|text|yaml)")
_NEVER = re.compile(r"/event|/global/event|/session/[^/]+/(message|prompt_async)")


async def compressed(answer: Answer, request: Request) -> Answer:
    """The answer, compressed where the client wants it and it pays."""
    encoding = wanted_encoding(answer, request)
    if encoding is None:
        return answer
    if len(answer.body) < THREAD_BYTES:
        body = _deflate(answer.body, encoding)
    else:
        body = await to_thread.run_sync(_deflate, answer.body, encoding)
    return Answer(answer.status, body, (*answer.headers, (b"content-encoding", encoding)), answer.then)


def wanted_encoding(answer: Answer, request: Request) -> bytes | None:
    """How the client wants the answer compressed; ``None`` when it does not, or when it does not pay."""
    if len(answer.body) < MINIMUM_BYTES or request.method == "HEAD":
        return None
    encoding = _encoding(request.headers.get(b"accept-encoding", b""))
    if encoding is None or not _is_compressible(answer):
        return None
    return None if request.method == "POST" and _NEVER.fullmatch(request.raw_path) else encoding


def _encoding(accepted: bytes) -> bytes | None:
    accepted = accepted.lower()
    for encoding in (b"gzip", b"deflate"):
        if encoding in accepted and not re.search(encoding + rb"\s*;\s*q=0(\.0*)?\s*(,|$)", accepted):
            return encoding
    return None


def _is_compressible(answer: Answer) -> bool:
    headers = dict(answer.headers)
    return (
        b"content-encoding" not in headers
        and b"no-transform" not in headers.get(b"cache-control", b"")
        and _COMPRESSIBLE.match(headers.get(b"content-type", b"")) is not None
    )


def _deflate(body: bytes, encoding: bytes) -> bytes:
    packer = zlib.compressobj(LEVEL, wbits=31 if encoding == b"gzip" else 15)
    return packer.compress(body) + packer.flush()
