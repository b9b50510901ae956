"""Clients hear of a new catalogue of models."""

import anyio
import anyio.abc

from opencode.config.environment import Environment
from opencode.core.paths import Paths
from opencode.instance.assembly import open_shared
from tests.support.event_world import read, shown


async def test_the_global_stream_tells_of_a_new_catalogue(environ: dict[str, str]) -> None:
    subscribed = anyio.Event()

    async def answer(client: anyio.abc.SocketStream) -> None:
        async with client:
            await client.receive(65536)
            await subscribed.wait()
            await client.send(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}")

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, answer)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        environ |= {"OPENCODE_MODELS_URL": f"http://127.0.0.1:{port}", "OPENCODE_DISABLE_MODELS_FETCH": "0"}
        with anyio.fail_after(30):
            async with (
                open_shared(Environment(environ), Paths.from_environ(environ)) as shared,
                shared.bus.subscribe(None) as subscription,
            ):
                subscribed.set()
                connected, refreshed = await read(subscription, 2)
        tasks.cancel_scope.cancel()
    assert shown([connected, refreshed]) == [("server.connected",), ("models-dev.refreshed",)]
