"""The ends of the pipes to a child are closed exactly once."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path

import anyio

from opencode.core.child import LoopPipe


async def test_closing_a_pipe_leaves_alone_what_has_its_number_by_then(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    reading, writing = os.pipe()
    pipe = LoopPipe(os.fdopen(reading, "rb"), loop)
    transport, _ = await loop.connect_read_pipe(asyncio.Protocol, pipe)
    transport.close()
    await closed(pipe.fileno())
    file = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
    os.dup2(file, pipe.fileno())
    pipe.close()
    assert os.write(pipe.fileno(), b"whole") == 5
    for descriptor in {file, pipe.fileno(), writing}:
        os.close(descriptor)


async def closed(descriptor: int) -> None:
    """Wait until the loop has closed it."""
    with anyio.fail_after(5), suppress(OSError):
        while os.fstat(descriptor):
            await anyio.lowlevel.checkpoint()
