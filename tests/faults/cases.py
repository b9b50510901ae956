"""What providers and networks do instead of answering, and the state that each fault ends in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from math import nan
from typing import Any

from tests.support.scripted_model.encoders import amazon_frame
from tests.support.scripted_model.script import (
    Call,
    Cut,
    Fail,
    Raw,
    Silence,
    Sleep,
    StreamError,
    Tokens,
    Turn,
    turn,
)
from tests.support.scripted_model.server import Improvised, RecordedRequest
from tests.support.wires import BEDROCK, WIRES, WIRES_OF_TEXTS

EVERY = (*WIRES, BEDROCK)
RETRIES = 2
DONE = turn("Recovered.")
NOT_A_NUMBER: Any = nan


@dataclass(frozen=True)
class Fault:
    """What the provider does, first to last, and what becomes of the message.

    ``calls``: how often it is called in all. ``error``: the name of the message's error, none when it is answered;
    ``says``: a piece of what that tells. ``text``: everything the message says in the end.
    """

    turns: tuple[Turn | Improvised, ...]
    calls: int
    error: str | None = None
    says: str = ""
    text: str = "Recovered."
    status: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    retries: int = RETRIES
    wires: tuple[str, ...] = EVERY


def passes(*faults: Turn | Improvised, **more: Any) -> Fault:
    """The provider recovers, and nothing of the fault is left."""
    return Fault((*faults, DONE), calls=len(faults) + 1, **more)


def stays(*faults: Turn, says: str, **more: Any) -> Fault:
    """It does not recover within the retries there are."""
    turns = faults if len(faults) > 1 else faults * (RETRIES + 1)
    return Fault(turns, calls=len(turns), error="APIError", says=says, **{"text": "", **more})


def final(fault: Turn, says: str, error: str = "APIError", **more: Any) -> Fault:
    """No other try can help, and none is made."""
    return Fault((fault,), calls=1, error=error, says=says, **{"text": "", **more})


def limit(**headers: str) -> Turn:
    """A 429 with these headers (``_`` for ``-``)."""
    return turn(Fail(429, "slow down", {name.replace("_", "-"): value for name, value in headers.items()}))


def limit_until(seconds: int) -> Improvised:
    """A 429 with a date."""

    def answer(_: RecordedRequest) -> Turn:
        return limit(retry_after=format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True))

    return answer


OVERLOADED = turn(Fail(503, "Overloaded"))
NO_MONEY = Fail(429, "You exceeded your current quota", code="insufficient_quota")
PAGE = "<!doctype html><title>Sign in</title>"
HALF_FRAME = amazon_frame({":message-type": "event", ":event-type": "contentBlockDelta"}, {"delta": {"text": "x"}})[:-4]
WRITES = Call("bash", {"command": "echo ran >> runs"}, chunks=2, is_whole=False)
SHORT = {"headerTimeout": 700, "chunkTimeout": 700}

LIMITS = {
    "a limit, with seconds to wait": passes(limit(retry_after="0.02"), limit(retry_after="0.02")),
    "a limit, with milliseconds to wait": passes(limit(retry_after_ms="5", retry_after="600")),
    "a limit, with a date": passes(limit_until(1)),
    "a limit, with a date that is over": passes(limit_until(-3600)),
    "a limit, with no word on how long": passes(limit()),
    "a limit, with nonsense for a time": passes(limit(retry_after="soon"), limit(retry_after="-5")),
    "a limit on tokens is no full context": passes(turn(Fail(429, "Rate limit: too many tokens per minute"))),
    "a storm of limits": stays(limit(), says="slow down", status=429),
    "a storm of limits, with times": stays(limit(retry_after_ms="2"), says="slow down", status=429),
    "a limit until tomorrow": final(limit(retry_after="86400"), "slow down", status=429),
    "no money left": final(turn(NO_MONEY), "quota", status=429),
}
FAILURES = {
    "a server that fails once": passes(turn(Fail(500, "boom"))),
    "a server that fails for ever": stays(turn(Fail(500, "boom")), says="boom", status=500),
    "a gateway without a server": passes(turn(Fail(502, body=PAGE)), turn(Fail(504, body=""))),
    "an overloaded server": passes(OVERLOADED, turn(Fail(529, "Overloaded", reason="Busy"))),
    "a conflict and a timeout of the server": passes(turn(Fail(409, "busy")), turn(Fail(408, "too slow"))),
    "a moderation that fails as a server": final(
        turn(Fail(500, "flagged", code="content_policy_violation")), "flagged", status=500
    ),
    "a refused key": final(turn(Fail(401, "bad key")), "bad key", status=401),
    "a page of a proxy": final(turn(Fail(403, body=PAGE)), "gateway or proxy", status=403),
    "a model that is gone": final(turn(Fail(404, "The model `m1` does not exist")), "does not exist", status=404),
    "a request at fault": final(turn(Fail(400, "tools.0: bad schema")), "bad schema", status=400),
    "a redirect": final(turn(Fail(307, "moved", {"location": "http://127.0.0.1:1/"})), "moved", status=307),
    "a request that is too large": final(turn(Fail(413, "big")), "big", "ContextOverflowError"),
    "a context that is full": final(
        turn(Fail(400, "This model's maximum context length is 1000 tokens")), "1000", "ContextOverflowError"
    ),
}
NO_STREAM = {
    "200 with an error inside": passes(turn(Fail(200, "model not loaded", type="server_error"))),
    "200 with an error that stays": final(
        turn(Fail(200, "no", code="insufficient_quota")), "Quota exceeded"
    ),
    "200 with a page": final(turn(Fail(200, body=PAGE)), "text/html in place of a stream", status=200),
    "200 with nothing": passes(turn(Fail(200, body=""))),
    "200 with broken compression": passes(turn(Fail(200, body="plain", headers={"content-encoding": "gzip"}))),
    "a connection that is closed": passes(turn(Silence(hangs_up=True))),
    "a connection that is half open": final(
        turn(Silence()), "did not come within 700 ms", options=SHORT, retries=0
    ),
}  # fmt: skip
STREAMS = {
    "a stream that breaks": passes(turn("Half ", Cut())),
    "a stream without an end": passes(turn("Half ", Cut(clean=True))),
    "a stream that always breaks": stays(turn("Half ", Cut()), says="Connection reset", text="Half "),
    "words, and then a storm": stays(
        turn("Half ", Cut()), OVERLOADED, OVERLOADED, says="Overloaded", status=503, text="Half "
    ),
    "an event that breaks off": passes(turn("Half ", Raw(b'data: {"ty'), Cut(clean=True)), wires=WIRES),
    "a frame that breaks off": passes(turn("Half ", Raw(HALF_FRAME), Cut(clean=True)), wires=(BEDROCK,)),
    "a call that breaks off": passes(turn("So: ", WRITES, Cut()), wires=(*WIRES_OF_TEXTS, BEDROCK)),
    "an error event": passes(turn("Half ", StreamError("server_error: backend exploded"))),
    "an error event that stays": final(
        turn("Half ", StreamError("insufficient_quota", code="insufficient_quota", type="billing_error")), "",
        text="Half ",
    ),
    "an event that is no JSON": final(
        turn("Half ", Raw(b"data: {oops, no JSON\n\n")), "The provider sent", "UnknownError", text="Half "
    ),
    "silence after some words": final(
        turn("Half ", Sleep(60)), "did not come within 700 ms", options=SHORT, retries=0, text="Half "
    ),
    "signs of life and no words": final(
        turn("Half ", *[Raw(b": alive\n\n"), Sleep(0.1)] * 300), "did not come within", options=SHORT, retries=0,
        text="Half ", wires=WIRES,
    ),
    "words that come slowly": Fault(
        (turn("Slow", Sleep(0.2), "ly ", Sleep(0.2), "said."),), calls=1, text="Slowly said."
    ),
    "usage that is no number": Fault(
        (turn("Said.", tokens=Tokens(input=NOT_A_NUMBER, output=NOT_A_NUMBER)),), calls=1, text="Said."
    ),
    "usage below nothing": Fault((turn("Said.", tokens=Tokens(input=-5, output=-7)),), calls=1, text="Said."),
    "an end of an unknown kind": Fault((turn("Said.", finish="tired"),), calls=1, text="Said."),
    "an answer that is filtered": final(
        turn("So far.", finish="content_filter"), "content filter", "ContentFilterError", text="So far."
    ),
}  # fmt: skip

FAULTS: dict[str, Fault] = {**LIMITS, **FAILURES, **NO_STREAM, **STREAMS}
