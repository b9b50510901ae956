"""Looking for model servers on this machine."""

import anyio

from opencode.provider.local import LocalServers
from opencode.provider.model_entry import catalogue_models
from tests.support.scripted_model.server import scripted_model

NOBODY = ("nobody", "Nobody", "http://127.0.0.1:1/v1")


async def test_who_answers_is_found_with_its_models() -> None:
    async with scripted_model() as server:
        server.models = ["qwen3:8b", "nomic-embed-text"]
        local = LocalServers({}, (NOBODY, ("mine", "Mine (local)", server.url)))
        [found] = await local.discover()
        model = catalogue_models(found)["qwen3:8b"]
        assert local.found() == [found]
        assert list(catalogue_models(found)) == ["qwen3:8b"]
        assert (model.api.url, model.capabilities.toolcall, found.name) == (server.url, True, "Mine (local)")


async def test_who_is_silent_or_odd_is_passed_over_quickly() -> None:
    async def odd(client: anyio.abc.SocketStream) -> None:
        async with client:
            await client.send(b"SSH-2.0-x\r\n")
            await anyio.sleep_forever()

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, odd)
        url = f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}/v1"
        with anyio.fail_after(5):
            assert await LocalServers({}, (NOBODY, ("odd", "Odd", url))).discover() == []
        tasks.cancel_scope.cancel()


async def test_it_can_be_switched_off() -> None:
    async with scripted_model() as server:
        server.models = ["m"]
        local = LocalServers({"OPENCODE_DISABLE_LOCAL_MODELS": "1"}, (("mine", "Mine", server.url),))
        assert await local.discover() == []
