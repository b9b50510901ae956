"""The official JavaScript SDK, unmodified, against the real server. ``make test`` installs its node modules."""

import json
import subprocess
from pathlib import Path

import anyio
import pytest

from tests.support.pages import example
from tests.support.scripted_config import says, scripted_config, write_config
from tests.support.scripted_model.script import Call, Text, Turn, turn
from tests.support.scripted_model.server import ScriptedModel, scripted_model
from tests.support.server_process import Home, server_process

HERE = Path(__file__).parent
SHELL = turn(Call("bash", {"command": "echo from-the-shell", "description": "x"}))
SLOW = turn(Call("bash", {"command": "sleep 60", "description": "x"}))
SCENARIOS = [
    "answersAPrompt",
    "repliesToAPermission",
    "rejectsAPermission",
    "abortsARunningPrompt",
    "meetsNamedErrors",
    "readsCatalogues",
]


def prepare(model: ScriptedModel) -> None:
    """Answers by the lane that a prompt names; each lane's first answer calls its tool."""
    lanes: dict[str, list[Turn | str]] = {
        "[lane:hello]": [turn(Text("Hello from the model", chunks=5))],
        "[lane:tool]": [SHELL, "done", SHELL],
        "[lane:slow]": [SLOW],
    }
    for lane, turns in lanes.items():
        model.push_for(says(lane), *turns)


@pytest.fixture(scope="module", autouse=True)
def node_modules() -> None:
    """Installed, if need be, from the lock file: the SDK only, no scripts are run."""
    if not (HERE / "node_modules/@opencode-ai/sdk").exists():
        subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=HERE, check=True, capture_output=True
        )


async def test_the_official_sdk_finds_what_it_expects(tmp_path: Path) -> None:
    project = tmp_path / "project ü"
    project.mkdir()
    async with scripted_model() as model:
        prepare(model)
        write_config(project, scripted_config(model.url, permission={"bash": "ask"}))
        async with server_process(Home(tmp_path / "home"), tmp_path) as server:
            with anyio.fail_after(60):
                ended = await anyio.run_process(
                    ["node", str(HERE / "drive.mjs"), server.url, str(project)], check=False, cwd=HERE
                )
    report = json.loads(ended.stdout or "null")
    assert report is not None, ended.stderr.decode()
    assert {name: result.get("error") for name, result in report.items()} == dict.fromkeys(SCENARIOS)
    assert ended.returncode == 0


async def test_the_example_of_the_page_runs(tmp_path: Path) -> None:
    """``docs/programs.md``: it asks, allows what is asked for, and shows the answer as it grows."""
    project, program = tmp_path / "project", tmp_path / "program.mjs"
    project.mkdir()
    program.write_text(example("docs/programs.md", "JavaScript: the official SDK", "js"))
    (tmp_path / "node_modules").symlink_to(HERE / "node_modules")
    async with scripted_model() as model:
        model.push_for(says("list"), SHELL, turn(Text("The files are listed", chunks=4)))
        write_config(project, scripted_config(model.url, permission={"bash": "ask"}))
        async with server_process(Home(tmp_path / "home"), project) as server:
            with anyio.fail_after(60):
                ended = await anyio.run_process(["node", str(program), server.url], check=False, cwd=tmp_path)
    assert (ended.returncode, ended.stdout.decode()) == (0, "The files are listed"), ended.stderr.decode()
