"""Readers of what others wrote: whatever comes, they say what it is or raise their own error.

The readers of configuration, wildcards, edits, patches, routes and shell commands have their properties beside
their other tests: ``test_jsonc``, ``test_ruleset``, ``test_replace``, ``test_patch``, ``test_router``,
``test_shell_commands``.
"""

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opencode.config.errors import ConfigFrontmatterError
from opencode.config.markdown import parse_markdown
from opencode.provider.errors import ModelCallError
from opencode.provider.stream import ToolCall, ToolInputStart
from opencode.provider.wire.anthropic_stream import AnthropicDecoder
from opencode.provider.wire.http_model import Decoder
from opencode.provider.wire.openai_chat_stream import ChatDecoder
from opencode.provider.wire.openai_responses_stream import ResponsesDecoder
from opencode.provider.wire.sse import SseReader

# --- server-sent events ---------------------------------------------------------------------------------------------

SSE_BYTES = st.lists(
    st.sampled_from([b"data:", b"data: ", b"event: x", b":", b"\n", b"\r\n", b"\n\n", b"a", b" "])
).map(b"".join)


def events(pieces: list[bytes]) -> list[bytes]:
    reader = SseReader()
    return [*itertools.chain.from_iterable(reader.feed(piece) for piece in pieces), *reader.rest()]


@given(SSE_BYTES, st.lists(st.integers(0, 60), max_size=8))
def test_events_do_not_depend_on_how_the_bytes_arrive(stream: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    assert events([stream[start:end] for start, end in itertools.pairwise(places)]) == events([stream])


@given(st.lists(st.lists(st.text("ab ", min_size=1).map(str.strip).filter(bool), min_size=1), max_size=5))
def test_every_event_that_was_written_is_read(written: list[list[str]]) -> None:
    stream = "".join("".join(f"data: {line}\n" for line in event) + "\n" for event in written)
    assert events([stream.encode()]) == ["\n".join(event).encode() for event in written]


# --- streams of models ----------------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    ["choices", "delta", "content", "tool_calls", "index", "id", "function", "name", "arguments", "finish_reason",
     "usage", "prompt_tokens", "completion_tokens", "error", "message", "type", "content_block", "stop_reason",
     "partial_json", "text", "thinking", "signature", "item", "item_id", "output_index", "call_id", "response",
     "output", "summary", "status", "incomplete_details", "reasoning", "reasoning_content"]
)  # fmt: skip
WORDS = st.sampled_from(
    ["", "a", "{}", "[", "stop", "tool_calls", "call_1", "message_start", "message_delta", "message_stop",
     "content_block_start", "content_block_delta", "content_block_stop", "tool_use", "text", "text_delta", "thinking",
     "input_json_delta", "redacted_thinking", "error", "response.completed", "response.failed", "function_call",
     "response.output_item.added", "response.output_item.done", "response.output_text.delta", "response.incomplete",
     "response.function_call_arguments.delta", "response.function_call_arguments.done", "reasoning", "message"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.just(1e300) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=12,
)
CHUNKS = st.lists(
    st.dictionaries(NAMES, VALUES, max_size=5).map(msgspec.json.encode) | st.binary(max_size=8), max_size=6
)


@pytest.mark.parametrize("decoder", [ChatDecoder, AnthropicDecoder, ResponsesDecoder])
@given(chunks=CHUNKS)
@example(chunks=[b"[DONE]", b"null", b"[]", b'"x"', b"1"])
def test_an_answer_is_read_or_is_a_fault_of_the_model(decoder: type[Decoder], chunks: list[bytes]) -> None:
    """And every call was announced before it is made."""
    reader = decoder()
    announced: set[Any] = set()
    try:
        for event in itertools.chain(*(reader.feed(chunk) for chunk in chunks), reader.finish()):
            if isinstance(event, ToolInputStart):
                announced.add(event.call_id)
            if isinstance(event, ToolCall):
                assert event.call_id in announced
    except ModelCallError:
        pass


# --- front matter ---------------------------------------------------------------------------------------------------

MARKDOWN = st.lists(
    st.sampled_from(
        ["---", "a: b", "a: b: c", "- x", "key:", "{", "[", "&a", "*a", "!!python", "a: *a", "\t", "body", "'"]
    )
    | st.text(max_size=6),
    max_size=10,
).map("\n".join)


@given(MARKDOWN)
def test_any_text_is_a_document_or_an_error_of_its_front_matter(text: str) -> None:
    try:
        front_matter, body = parse_markdown(text, "x.md")
    except ConfigFrontmatterError:
        return
    assert body == body.strip()
    assert all(isinstance(key, str) for key in front_matter)
