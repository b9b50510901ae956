from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from opencode.cli.errors import CliError
from opencode.cli.options import RunOptions
from opencode.cli.session_choice import check_options, choose_agent, choose_session, parse_model
from opencode.client.client import OpenCodeClient
from opencode.provider.schema import ModelRef


def session(session_id: str) -> dict[str, Any]:
    ids = {"id": session_id, "slug": "s", "projectID": "p", "directory": "/d", "title": "t"}
    return {**ids, "version": "1", "time": {"created": 1, "updated": 1}}


def server(requests: list[str], newest: list[str]) -> Callable[[httpx2.Request], httpx2.Response]:
    def respond(request: httpx2.Request) -> httpx2.Response:
        requests.append(f"{request.method} {request.url.raw_path.decode()} {request.content.decode()}".strip())
        match request.method, request.url.path:
            case "GET", "/session":
                return httpx2.Response(200, json=[session(name) for name in newest])
            case "GET", "/session/ses_known":
                return httpx2.Response(200, json=session("ses_known"))
            case "POST", "/session/ses_known/fork":
                return httpx2.Response(200, json=session("ses_fork"))
            case "POST", "/session":
                return httpx2.Response(200, json=session("ses_new"))
            case "GET", "/agent":
                agents = [("plan", "primary"), ("general", "subagent")]
                rest = {"permission": [], "options": {}}
                return httpx2.Response(200, json=[{"name": name, "mode": mode, **rest} for name, mode in agents])
        return httpx2.Response(404, json={"name": "NotFoundError", "data": {"message": "Session not found: x"}})

    return respond


async def chosen(options: RunOptions, newest: list[str]) -> tuple[str, list[str]]:
    requests: list[str] = []
    transport = httpx2.MockTransport(server(requests, newest))
    async with OpenCodeClient("http://s", transport=transport) as client:
        return (await choose_session(client, options, "fix it")).id, requests


async def test_a_new_session_denies_what_would_wait_for_a_person() -> None:
    found, requests = await chosen(RunOptions(title=""), [])
    assert found == "ses_new"
    denied = ",".join(
        f'{{"permission":"{name}","pattern":"*","action":"deny"}}' for name in ("question", "plan_enter", "plan_exit")
    )
    assert requests == [f'POST /session {{"title":"fix it","permission":[{denied}]}}']


async def test_continue_takes_the_newest_root_session_or_a_new_one() -> None:
    assert (await chosen(RunOptions(continue_=True), ["ses_a", "ses_b"]))[0] == "ses_a"
    assert (await chosen(RunOptions(continue_=True), []))[0] == "ses_new"


async def test_a_named_session_is_used_or_its_copy() -> None:
    assert (await chosen(RunOptions(session="ses_known"), []))[0] == "ses_known"
    assert (await chosen(RunOptions(session="ses_known", fork=True), []))[0] == "ses_fork"


async def test_an_unknown_session_is_told() -> None:
    with pytest.raises(CliError, match="Session not found"):
        await chosen(RunOptions(session="ses_x"), [])


def test_a_fork_needs_a_session() -> None:
    with pytest.raises(CliError, match="--fork needs"):
        check_options(RunOptions(fork=True))
    check_options(RunOptions(fork=True, continue_=True))


@pytest.mark.parametrize(
    ("name", "agent", "warning"),
    [
        (None, None, None),
        ("plan", "plan", None),
        ("general", None, 'agent "general" is a subagent, not a primary agent. Falling back to default agent'),
        ("nobody", None, 'agent "nobody" not found. Falling back to default agent'),
    ],
)
async def test_an_agent_that_cannot_be_used_is_replaced_by_the_default(
    name: str | None, agent: str | None, warning: str | None
) -> None:
    async with OpenCodeClient("http://s", transport=httpx2.MockTransport(server([], []))) as client:
        assert await choose_agent(client, name) == (agent, warning)


def test_a_model_is_named_by_its_provider_and_its_id_which_may_have_slashes() -> None:
    assert parse_model(None) is None
    assert parse_model("router/org/model") == ModelRef(provider_id="router", model_id="org/model")
    for wrong in ("model", "/model", "provider/"):
        with pytest.raises(CliError, match="provider/model"):
            parse_model(wrong)
