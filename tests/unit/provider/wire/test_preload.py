"""Loading what the first call needs, in a thread, while the first call may already come."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx2
import pytest

from opencode.provider.connection import Connection
from opencode.provider.wire.http_model import HttpModel
from opencode.provider.wire.openai_chat import OpenAIChat

AT_ONCE = 8


def test_of_calls_that_come_at_once_only_one_makes_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    make = httpx2.AsyncClient

    def slowly(**options: Any) -> httpx2.AsyncClient:
        made.append(options)
        time.sleep(0.02)
        return make(**options)

    monkeypatch.setattr(httpx2, "AsyncClient", slowly)
    model = HttpModel(Connection(provider_id="p", npm="n", base_url="http://127.0.0.1:9"), OpenAIChat())
    together = Barrier(AT_ONCE)

    def preload() -> None:
        together.wait()
        model.preload()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        for done in [threads.submit(preload) for _ in range(AT_ONCE)]:
            done.result()
    assert len(made) == 1
