"""What a directory is and offers, through the running application."""

import json
from pathlib import Path

import httpx2 as httpx
import pytest

from opencode.instance.shared import Shared


async def test_paths_are_those_of_the_directory(client: httpx.AsyncClient, project: Path, tmp_path: Path) -> None:
    """Source: golden traces ``project`` and ``directory``."""
    (project / "src").mkdir()
    home = tmp_path / "home"
    own = {
        "home": str(home),
        "state": str(home / ".local/state/opencode"),
        "config": str(home / ".config/opencode"),
        "worktree": str(project),
        "directory": str(project),
    }
    assert (await client.get("/path")).json() == own
    below = await client.get("/path", params={"directory": str(project / "src")})
    assert below.json() == {**own, "directory": str(project / "src")}
    nowhere = await client.get("/path", headers={"x-opencode-directory": "%2Fdoes%2Fnot%2Fexist"})
    assert nowhere.json() == {**own, "worktree": "/", "directory": "/does/not/exist"}


@pytest.mark.parametrize("spelling", ["/{}", "//{}", "/./{}/", "/{}/x/.."])
async def test_a_directory_is_the_same_however_it_is_spelt(
    client: httpx.AsyncClient, project: Path, shared: Shared, spelling: str
) -> None:
    asked = await client.get("/path", params={"directory": spelling.format(str(project)[1:])})
    assert asked.json()["directory"] == str(project)
    assert shared.registry.open_directories() == {str(project)}


async def test_a_directory_that_nobody_may_look_into_is_answered_with_words(client: httpx.AsyncClient) -> None:
    """The root of process 1 leads somewhere only for those who may watch that process."""
    answer = await client.get("/path", params={"directory": "/proc/1/root"})
    assert answer.status_code in (200, 400)


async def test_the_branch_is_told(client: httpx.AsyncClient, tmp_path: Path) -> None:
    assert (await client.get("/vcs")).json() == {"branch": "main", "default_branch": "main"}
    plain = await client.get("/vcs", params={"directory": str(tmp_path)})
    assert plain.json() == {"branch": None, "default_branch": None}


async def test_the_project_is_listed_and_changed(client: httpx.AsyncClient, project: Path) -> None:
    """Source: golden trace ``project``."""
    current = (await client.get("/project/current")).json()
    assert (current["worktree"], current["vcs"], current["sandboxes"]) == (str(project), "git", [])
    assert current in (await client.get("/project/")).json()
    change = {"name": "Renamed", "icon": {"color": "blue"}, "commands": {"start": "make"}}
    changed = (await client.patch(f"/project/{current['id']}", json=change)).json()
    assert {key: changed[key] for key in change} == change
    assert (await client.patch(f"/project/{current['id']}", json={"name": 5})).status_code == 400
    directories = await client.get(f"/project/{current['id']}/directories")
    assert directories.json() == [{"directory": str(project)}]


async def test_an_unknown_project_answers_404(client: httpx.AsyncClient) -> None:
    answer = await client.patch("/project/nothing", json={"name": "x"})
    fields = {"projectID": "nothing", "message": "Project not found: nothing"}
    assert answer.status_code == 404
    assert answer.json() == {"name": "NotFoundError", "_tag": "ProjectNotFoundError", "data": fields, **fields}


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/lsp", []),
        ("/formatter", []),
        ("/mcp", {}),
        ("/experimental/resource", {}),
        ("/experimental/capabilities", {"backgroundSubagents": False}),
        ("/experimental/console", {"consoleManagedProviders": [], "switchableOrgCount": 0}),
        ("/experimental/workspace", []),
        ("/experimental/workspace/status", []),
        ("/experimental/workspace/adapter", []),
        ("/permission", []),
        ("/question", []),
    ],
)
async def test_what_is_not_there_is_answered_truthfully(client: httpx.AsyncClient, path: str, answer: object) -> None:
    assert (await client.get(path)).json() == answer


async def test_agents_commands_skills_and_providers_are_listed(client: httpx.AsyncClient) -> None:
    """Source: golden trace ``catalogues``."""
    agents = (await client.get("/agent")).json()
    assert agents[0]["name"] == "build"
    assert {agent["name"] for agent in agents} >= {"build", "plan", "general", "explore"}
    assert {"init", "review"} <= {command["name"] for command in (await client.get("/command")).json()}
    assert isinstance((await client.get("/skill")).json(), list)
    usable = (await client.get("/config/providers")).json()
    assert {provider["id"] for provider in usable["providers"]} == usable["default"].keys()
    everything = (await client.get("/provider")).json()
    assert set(everything["connected"]) >= {provider["id"] for provider in usable["providers"]}


async def test_tools_are_listed_for_a_model(client: httpx.AsyncClient) -> None:
    assert {"bash", "read", "edit"} <= set((await client.get("/experimental/tool/ids")).json())
    usable = (await client.get("/config/providers")).json()["default"]
    provider, model = next(iter(usable.items()))
    tools = (await client.get("/experimental/tool", params={"provider": provider, "model": model})).json()
    assert all({"id", "description", "parameters"} == tool.keys() for tool in tools)
    missing = await client.get("/experimental/tool")
    assert (missing.status_code, missing.json()["data"]["message"]) == (400, 'Missing key\n  at ["provider"]')


async def test_disposing_answers_first_and_the_next_request_opens_anew(
    client: httpx.AsyncClient, shared: object
) -> None:
    """Source: golden trace ``dispose``."""
    created = (await client.post("/session", json={"title": "Stays"})).json()
    for path in ("/instance/dispose", "/global/dispose"):
        assert (await client.post(path)).json() is True
        assert (await client.get(f"/session/{created['id']}")).json() == created


async def test_a_broken_configuration_is_the_answer_of_every_request_that_needs_it(
    client: httpx.AsyncClient, project: Path
) -> None:
    """Source: golden trace ``config_broken``."""
    (project / "opencode.jsonc").write_text('{ "model": 5, }')
    for method, path in (("GET", "/event"), ("GET", "/config"), ("GET", "/session"), ("POST", "/session")):
        answer = await client.request(method, path)
        assert (answer.status_code, answer.json()["name"]) == (400, "ConfigInvalidError")
        assert answer.json()["data"]["path"] == str(project / "opencode.jsonc")
    assert (await client.get("/global/health")).status_code == 200
    (project / "opencode.jsonc").write_text("{}")
    assert (await client.get("/config")).status_code == 200


async def test_configuration_is_read_and_changed(client: httpx.AsyncClient, project: Path) -> None:
    """Source: golden trace ``config_patch``."""
    (project / "opencode.json").write_text(json.dumps({"model": "demo/demo"}))
    assert (await client.get("/config")).json()["model"] == "demo/demo"
    changed = await client.patch("/config", json={"username": "patched"})
    assert (changed.status_code, changed.json()["username"]) == (200, "patched")
    assert (await client.get("/config")).json()["username"] == "patched"
    assert (await client.patch("/config", json={"model": 5})).status_code == 400
    everywhere = await client.patch("/global/config", json={"username": "everywhere"})
    assert everywhere.json()["username"] == "everywhere"
    assert (await client.get("/global/config")).json()["username"] == "everywhere"
