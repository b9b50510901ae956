"""Each wire over a real socket."""

from collections.abc import AsyncIterator

import pytest

from tests.support.wires import (
    ANTHROPIC,
    CHAT,
    GOOGLE,
    RESPONSES,
    WIRES,
    WIRES_OF_TEXTS,
    WireUnderTest,
    wire_under_test,
)


@pytest.fixture(params=WIRES)
async def wire(request: pytest.FixtureRequest) -> AsyncIterator[WireUnderTest]:
    """Every wire in turn."""
    async with wire_under_test(request.param) as opened:
        yield opened


@pytest.fixture(params=WIRES_OF_TEXTS)
async def wire_of_texts(request: pytest.FixtureRequest) -> AsyncIterator[WireUnderTest]:
    """Every wire that sends arguments as text, in turn."""
    async with wire_under_test(request.param) as opened:
        yield opened


@pytest.fixture
async def chat() -> AsyncIterator[WireUnderTest]:
    async with wire_under_test(CHAT) as opened:
        yield opened


@pytest.fixture
async def responses() -> AsyncIterator[WireUnderTest]:
    async with wire_under_test(RESPONSES) as opened:
        yield opened


@pytest.fixture
async def anthropic() -> AsyncIterator[WireUnderTest]:
    async with wire_under_test(ANTHROPIC) as opened:
        yield opened


@pytest.fixture
async def google() -> AsyncIterator[WireUnderTest]:
    async with wire_under_test(GOOGLE) as opened:
        yield opened
