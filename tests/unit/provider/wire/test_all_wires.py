"""What every wire must do, against a server that speaks the real formats."""

import socket
from collections import Counter

import anyio
import pytest

from opencode.auth.secret import Secret
from opencode.core.version import SERVER_VERSION
from opencode.provider.adapters import AdapterPool
from opencode.provider.connection import Connection
from opencode.provider.errors import ApiCallFailed, ContextOverflow, ModelCallError, StreamFault
from opencode.provider.request import ToolDefinition
from opencode.provider.stream import (
    ReasoningDelta,
    StepFinish,
    StreamEvent,
    TextDelta,
    TextEnd,
    TextStart,
    ToolCall,
    ToolInputDelta,
    ToolInputStart,
    Usage,
)
from opencode.provider.wire.http_model import EVENTS_IN_A_ROW
from tests.support.scripted_model.script import (
    Call,
    Cut,
    Fail,
    Raw,
    Reasoning,
    StreamError,
    Tokens,
    Wait,
    turn,
)
from tests.support.wires import ANTHROPIC, CHAT, WIRES, WireUnderTest, request_of, text_of, whole


def kinds(events: list[StreamEvent]) -> list[str]:
    """The kinds of the events, runs of deltas counted once."""
    names = [type(event).__name__ for event in events]
    return [name for place, name in enumerate(names) if place == 0 or name != names[place - 1]]


async def failure(wire: WireUnderTest) -> ModelCallError:
    with pytest.raises(ModelCallError) as raised:
        await wire.ask()
    return raised.value


async def test_text_comes_in_the_pieces_the_model_sends(wire: WireUnderTest) -> None:
    wire.server.push(turn(*["Hel", "lo ", "you"]))
    events = await wire.ask()
    assert kinds(events) == ["TextStart", "TextDelta", "TextEnd", "StepFinish"]
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["Hel", "lo ", "you"]
    start, end = events[0], events[-2]
    assert isinstance(start, TextStart) and isinstance(end, TextEnd) and start.id == end.id


async def test_reasoning_comes_before_text_as_a_part_of_its_own(wire: WireUnderTest) -> None:
    wire.server.push(turn(Reasoning("Let me think.", chunks=2), "So."))
    events = await wire.ask()
    expected = ["ReasoningStart", "ReasoningDelta", "ReasoningEnd", "TextStart", "TextDelta", "TextEnd", "StepFinish"]
    assert kinds(events) == expected
    assert "".join(event.text for event in events if isinstance(event, ReasoningDelta)) == "Let me think."


async def test_a_tool_call_is_announced_then_whole(wire: WireUnderTest) -> None:
    wire.server.push(turn(Call("read", {"filePath": "/a b.txt"}, id="call_7", chunks=3)))
    events = await wire.ask()
    assert kinds(events) == ["ToolInputStart", "ToolInputDelta", "ToolCall", "StepFinish"]
    call = next(event for event in events if isinstance(event, ToolCall))
    assert (call.call_id, call.name, call.input, call.fault) == ("call_7", "read", {"filePath": "/a b.txt"}, None)
    assert "".join(event.text for event in events if isinstance(event, ToolInputDelta)) == '{"filePath":"/a b.txt"}'
    finish = events[-1]
    assert isinstance(finish, StepFinish) and finish.reason == "tool-calls"


async def test_parallel_calls_stay_apart_and_in_order(wire: WireUnderTest) -> None:
    wire.server.push(turn(Call("read", {"n": 1}, id="a", chunks=2), Call("glob", {"n": 2}, id="b", chunks=2)))
    events = await wire.ask()
    calls = [(e.call_id, e.name, e.input) for e in events if isinstance(e, ToolCall)]
    assert calls == [("a", "read", {"n": 1}), ("b", "glob", {"n": 2})]
    assert [e.call_id for e in events if isinstance(e, ToolInputStart)] == ["a", "b"]


async def test_arguments_that_are_no_json_come_as_text_with_the_fault(wire_of_texts: WireUnderTest) -> None:
    wire_of_texts.server.push(turn(Call("read", raw='{"filePath": oops')))
    call = next(event for event in await wire_of_texts.ask() if isinstance(event, ToolCall))
    assert call.input == '{"filePath": oops'
    assert call.fault is not None and "not valid JSON" in call.fault


async def test_a_call_without_arguments_has_empty_input(wire_of_texts: WireUnderTest) -> None:
    wire_of_texts.server.push(turn(Call("list", raw="")))
    call = next(event for event in await wire_of_texts.ask() if isinstance(event, ToolCall))
    assert (call.input, call.fault) == ({}, None)


async def test_usage_counts_cached_tokens_as_input_and_reasoning_as_output(wire: WireUnderTest) -> None:
    wire.server.push(turn("x", tokens=Tokens(input=500, output=50, cached=100, cache_write=40, reasoning=10)))
    finish = (await wire.ask())[-1]
    assert isinstance(finish, StepFinish)
    if wire.npm == ANTHROPIC:
        assert finish.usage == Usage(input=540, output=50, cache_read=100, cache_write=40, total=590)
    else:
        assert finish.usage == Usage(input=500, output=50, reasoning=10, cache_read=100, total=550)


@pytest.mark.parametrize(
    ("finish", "reason"), [("stop", "stop"), ("length", "length"), ("content_filter", "content-filter")]
)
async def test_the_finish_reason_is_told_in_our_words(wire: WireUnderTest, finish: str, reason: str) -> None:
    wire.server.push(turn("x", finish=finish))
    end = (await wire.ask())[-1]
    assert isinstance(end, StepFinish) and end.reason == reason


async def test_an_empty_answer_is_an_answer(wire: WireUnderTest) -> None:
    wire.server.push(turn())
    assert kinds(await wire.ask()) == ["StepFinish"]


async def test_think_tags_are_text_like_any_other(wire: WireUnderTest) -> None:
    """Splitting by chunks once swallowed whole answers into reasoning."""
    wire.server.push(turn("<think>", " plan</think>", "answer"))
    assert text_of(await wire.ask()) == "<think> plan</think>answer"


async def test_chat_template_tokens_reach_the_model_unchanged(wire: WireUnderTest) -> None:
    """A coding agent edits files that hold such tokens: nothing may be inserted into them."""
    await wire.ask(wire.request("<|im_start|>user </s> [INST]"))
    assert b"<|im_start|>user </s> [INST]" in wire.server.requests[0].raw
    assert "\u200d" not in wire.server.requests[0].raw.decode()


async def test_tool_schemas_are_sent_untouched(wire_of_texts: WireUnderTest) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    await wire_of_texts.ask(wire_of_texts.request(tools=[ToolDefinition(name="t", description="d", parameters=schema)]))
    sent = wire_of_texts.server.requests[0].body["tools"][0]
    function = sent.get("function", sent)
    assert function.get("parameters", function.get("input_schema")) == schema
    assert not function.get("strict")


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529])
async def test_passing_failures_are_retryable_and_asked_only_once(wire: WireUnderTest, status: int) -> None:
    wire.server.push(turn(Fail(status, "slow down", {"retry-after-ms": "300", "Retry-After": "7"}, reason="Busy")))
    error = await failure(wire)
    assert isinstance(error, ApiCallFailed)
    assert (error.status_code, error.is_retryable, error.message) == (status, True, "slow down")
    assert error.headers is not None
    assert (error.headers["retry-after-ms"], error.headers["retry-after"]) == ("300", "7")
    assert error.body is not None and "slow down" in error.body
    assert error.metadata["url"].startswith(wire.server.url)
    assert len(wire.server.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_refusals_are_final(wire: WireUnderTest, status: int) -> None:
    wire.server.push(turn(Fail(status, "refused")))
    error = await failure(wire)
    assert isinstance(error, ApiCallFailed)
    assert (error.status_code, error.is_retryable, error.message) == (status, False, "refused")


async def test_a_body_without_a_message_leaves_the_status_line(wire: WireUnderTest) -> None:
    wire.server.push(turn(Fail(400, body={"detail": "odd body"}, reason="Scripted")))
    assert (await failure(wire)).message == "Scripted"
    wire.server.push(turn(Fail(400, body={"detail": "odd body"})))
    assert (await failure(wire)).message == 'Bad Request: {"detail": "odd body"}'
    wire.server.push(turn(Fail(403, body="<html>Forbidden</html>")))
    message = (await failure(wire)).message
    assert message.startswith("Forbidden: a gateway") and "<html>" not in message


async def test_an_error_in_place_of_a_stream_is_told(wire: WireUnderTest) -> None:
    wire.server.push(turn(Fail(200, "model not loaded", type="server_error")))
    error = await failure(wire)
    assert isinstance(error, ApiCallFailed) and error.message == "model not loaded"


async def test_a_redirect_is_not_followed_with_the_key(wire: WireUnderTest) -> None:
    wire.server.push(turn(Fail(307, "moved", {"location": "http://127.0.0.1:1/"})))
    error = await failure(wire)
    assert isinstance(error, ApiCallFailed) and (error.status_code, error.is_retryable) == (307, False)


async def test_a_too_long_request_is_a_context_overflow(wire: WireUnderTest) -> None:
    wire.server.push(turn(Fail(400, "This model's maximum context length is 1000 tokens")))
    assert isinstance(await failure(wire), ContextOverflow)
    wire.server.push(turn(Fail(400, "nope", code="context_length_exceeded")))
    assert isinstance(await failure(wire), ContextOverflow)
    wire.server.push(turn(Fail(413, "big")))
    assert isinstance(await failure(wire), ContextOverflow)
    wire.server.push(turn(Fail(429, "Rate limit: too many tokens per minute")))
    assert isinstance(await failure(wire), ApiCallFailed)


@pytest.mark.parametrize("clean", [True, False])
async def test_a_cut_stream_is_never_taken_for_an_answer(wire: WireUnderTest, clean: bool) -> None:
    wire.server.push(turn("Half an ans", Cut(clean=clean)))
    error = await failure(wire)
    assert isinstance(error, ApiCallFailed) and error.is_retryable and error.status_code is None
    assert ("ended early" if clean else "Connection reset by server") in error.message


async def test_a_cut_in_the_middle_of_a_call_gives_no_call(wire_of_texts: WireUnderTest) -> None:
    seen: list[StreamEvent] = []
    wire_of_texts.server.push(turn(Raw(b""), Cut()))
    wire_of_texts.server.push(turn(Call("read", raw='{"file'), Cut(clean=True)))
    await failure(wire_of_texts)
    with pytest.raises(ApiCallFailed):
        async with wire_of_texts.model.stream(wire_of_texts.request()) as events:
            async for event in events:
                seen.append(event)
    assert not [event for event in seen if isinstance(event, StepFinish)]


async def test_an_error_event_ends_the_answer(wire: WireUnderTest) -> None:
    wire.server.push(turn("Half ", StreamError("backend exploded")))
    error = await failure(wire)
    if wire.npm != CHAT:
        assert isinstance(error, ApiCallFailed) and error.is_retryable and error.message == "backend exploded"
    else:
        text = '{"message":"backend exploded","type":"server_error","code":"server_error"}'
        assert isinstance(error, StreamFault) and error.message == text


async def test_an_overflow_in_the_stream_is_a_context_overflow(wire: WireUnderTest) -> None:
    wire.server.push(turn(StreamError("prompt is too long", code="context_length_exceeded")))
    assert isinstance(await failure(wire), ContextOverflow)


async def test_what_is_no_json_is_a_fault(wire: WireUnderTest) -> None:
    wire.server.push(turn(Raw(b"data: {oops\n\n")))
    error = await failure(wire)
    assert isinstance(error, StreamFault) and "not JSON" in error.message


async def test_unknown_events_and_comments_are_passed_over(wire: WireUnderTest) -> None:
    odd = b': comment\n\nevent: response.future\ndata: {"type":"something.new","x":[1]}\n\n'
    wire.server.push(turn("a", Raw(odd), "b"))
    assert text_of(await wire.ask()) == "ab"


async def test_leaving_the_context_closes_the_socket_at_once(wire: WireUnderTest) -> None:
    wire.server.push(turn("first", Wait(anyio.Event())))
    with anyio.fail_after(5):
        async with wire.model.stream(wire.request()) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    break
        with anyio.fail_after(1):
            await wire.server.requests[0].ended.wait()
    assert wire.server.requests[0].outcome == "left"


async def test_cancelling_the_reader_closes_the_socket_at_once(wire: WireUnderTest) -> None:
    reached = anyio.Event()
    wire.server.push(turn("first", Wait(anyio.Event(), reached)))
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wire.ask)
            await reached.wait()
            tasks.cancel_scope.cancel()
        with anyio.fail_after(1):
            await wire.server.requests[0].ended.wait()
    assert wire.server.requests[0].outcome == "left"


async def test_many_answers_at_once_share_one_adapter(wire: WireUnderTest) -> None:
    wire.server.push(*(turn(f"answer {number}") for number in range(20)))
    texts: list[str] = []

    async def ask() -> None:
        texts.append(text_of(await wire.ask()))

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(ask)
    assert sorted(texts) == sorted(f"answer {number}" for number in range(20))


async def test_a_burst_of_one_answer_keeps_nobody_else_waiting(chat: WireUnderTest) -> None:
    piece = b'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'
    chat.server.push(turn(Raw(piece * 200)))
    turns, seen = 0, []

    async def somebody_else() -> None:
        nonlocal turns
        while True:
            await anyio.lowlevel.checkpoint()
            turns += 1

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(somebody_else)
        async with chat.model.stream(chat.request()) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    seen.append(turns)
        tasks.cancel_scope.cancel()
    assert len(seen) == 200
    assert max(Counter(seen).values()) <= EVENTS_IN_A_ROW


async def test_we_name_ourselves_and_later_headers_win(wire: WireUnderTest) -> None:
    await wire.ask(wire.request(headers={"x-session-affinity": "ses_1"}))
    await wire.ask(wire.request(headers={"User-Agent": "mine"}))
    first, second = wire.server.requests
    assert first.headers["user-agent"] == f"opencode-server/{SERVER_VERSION}"
    assert first.headers["x-session-affinity"] == "ses_1"
    assert second.headers["user-agent"] == "mine"


@pytest.mark.parametrize("npm", WIRES)
async def test_a_server_that_is_not_there_is_a_retryable_failure(npm: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    async with AdapterPool() as pool:
        model = pool.language_model(Connection("wire", npm, url, Secret("k")))
        with pytest.raises(ApiCallFailed) as raised:
            await whole(model, request_of(npm))
    assert raised.value.is_retryable and raised.value.status_code is None
    assert raised.value.message.startswith("Cannot connect to API")


@pytest.mark.parametrize("npm", WIRES)
async def test_a_provider_that_never_answers_runs_into_the_header_timeout(npm: str) -> None:
    async def silent(client: anyio.abc.SocketStream) -> None:
        async with client:
            await anyio.sleep_forever()

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, silent)
        url = f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}/v1"
        async with AdapterPool() as pool:
            model = pool.language_model(Connection("wire", npm, url, Secret("k"), header_timeout_seconds=0.05))
            with pytest.raises(ApiCallFailed) as raised:
                await whole(model, request_of(npm))
        tasks.cancel_scope.cancel()
    assert raised.value.is_retryable and raised.value.metadata["timeoutMs"] == "50"
