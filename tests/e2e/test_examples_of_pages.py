"""What README.md and docs/ print works as it is printed: shell commands, requests, programs."""

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.support.pages import example, examples, run_example, shell_tools_are_missing
from tests.support.scripted_config import says, scripted_config, write_config
from tests.support.scripted_model.script import Call, turn
from tests.support.scripted_model.server import scripted_model
from tests.support.server_process import Home, ServerProcess, run_opencode, server_process

needs_tools = pytest.mark.skipif(shell_tools_are_missing(), reason="the examples use bash, curl, jq and git")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Of a user with no model but the demonstration."""
    return Home(tmp_path / "home", {"OPENCODE_DISABLE_LOCAL_MODELS": "1"})


@pytest.fixture
async def server(home: Home, project: Path) -> AsyncIterator[ServerProcess]:
    async with server_process(home, project) as server:
        yield server


def shell(page: str, *headings: str) -> str:
    """The shell examples of a page one after the other; of some headings only, if they are named."""
    found = [one for one in examples(page) if one.language == "sh" and (not headings or one.heading in headings)]
    return "\n".join(one.text for one in found)


def shape(value: Any) -> Any:
    """The keys of an answer, at every depth."""
    match value:
        case dict():
            return {key: shape(inner) for key, inner in value.items()}
        case list():
            return [shape(inner) for inner in value]
    return None


def answer_in(console: str) -> Any:
    """The JSON that a console example shows after its command."""
    return json.loads(console.partition("\n")[2])


async def run_python(program: str, directory: Path, home: Home, *arguments: str) -> str:
    with anyio.fail_after(60):
        ended = await anyio.run_process(
            [sys.executable, "-c", program, *arguments], cwd=directory, env=home.environment, check=False
        )
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout.decode()


@needs_tools
async def test_the_readme(home: Home, project: Path, server: ServerProcess) -> None:
    shown = await run_example("curl -s http://127.0.0.1:4096/global/health", project, home.environment, server.url)
    assert json.loads(shown) == answer_in(next(one.text for one in examples("README.md") if one.language == "console"))

    commands = [line.removeprefix(".venv/bin/") for line in example("README.md", "Use", "sh").splitlines()]
    ours = [line for line in commands if line.startswith("opencode run")]
    assert len(ours) == 2
    shown = await run_example("\n".join(ours), project, home.environment, server.url)
    assert "I am the demonstration model" in shown
    assert '"type":"step_finish"' in shown

    assert "app.py" in await run_python(example("README.md", "Use", "python"), project, home)


@needs_tools
async def test_the_life_of_a_session(home: Home, project: Path, server: ServerProcess) -> None:
    script = shell("docs/sessions.md") + "\ncat new.txt"
    shown = await run_example(script, project, home.environment, server.url)
    for line in (
        "Renamed",
        '{"type":"permission","permission":"bash","patterns":["git --version"]}',
        "added new.txt +1 -0",
        "Renamed: ",
    ):
        assert line in shown, shown
    assert shown.rstrip().endswith("hello")
    exported = json.loads((project / "talk.json").read_text())
    assert exported["info"]["title"] == "Renamed"


@needs_tools
async def test_requests_of_any_language_and_scripts(home: Home, project: Path, server: ServerProcess) -> None:
    headings = (
        "Events",
        "Files of the project",
        "The terminal interface",
        "In the manner of OpenAI's API",
    )
    shown = await run_example(shell("docs/programs.md", *headings), project, home.environment, server.url)
    for line in (
        '"type":"session.idle"',
        "file app.py",
        '["app.py"]',
        '["app.py",1]',
        'print("Hello")',
        "[]truetrue",
        "1 message_stop",
        "demo/demo",
    ):
        assert line in shown, shown
    shown = await run_example(example("docs/programs.md", "Shell scripts", "sh"), project, home.environment, server.url)
    assert shown.count("app.py") >= 2


async def test_a_python_client_of_a_server(home: Home, project: Path, server: ServerProcess) -> None:
    program = example("docs/programs.md", "Python: a client of a server", "python")
    assert "app.py" in await run_python(program, project, home, server.url)


async def test_a_python_program_with_the_server_inside(home: Home, project: Path) -> None:
    program = example("docs/programs.md", "Python: the server inside the program", "python")
    assert "app.py" in await run_python(program, Path("/"), home, str(project))


async def test_a_program_with_the_server_inside_finds_the_server_that_runs_already(
    home: Home, project: Path, server: ServerProcess
) -> None:
    program = example("docs/programs.md", "Python: the server inside the program", "python")
    assert "app.py" in await run_python(program, Path("/"), home, str(project))
    listed = await run_opencode(home, project, "stats", "--json")
    assert json.loads(listed.stdout)["sessions"] == 1


@needs_tools
async def test_an_answer_of_a_given_shape(home: Home, project: Path) -> None:
    async with scripted_model() as model:
        model.push_for(says("licence"), turn(Call("StructuredOutput", {"licence": "MIT"})))
        write_config(project, scripted_config(model.url))
        async with server_process(home, project) as server:
            script = 'ID=$(curl -s localhost:4096/session -d "{}" | jq -r .id)\n' + shell("docs/prompts.md")
            shown = await run_example(script, project, home.environment, server.url)
    assert json.loads(shown) == {"licence": "MIT"}


@needs_tools
async def test_prompts_that_wait(home: Home, project: Path) -> None:
    """With the configuration of the page: the ask that is shown has a deadline."""
    config = json.loads(example("docs/waiting.md", "When nobody is there", "jsonc"))
    write_config(project, {**config, "permission": {"bash": "ask"}})
    busy = """
        ID=$(curl -s localhost:4096/session -d "{}" | jq -r .id)
        curl -s localhost:4096/session/$ID/prompt_async -d '{"parts": [{"type": "text", "text": "run make test"}]}'
        until curl -s localhost:4096/permission | jq -e '.[0].id' > /dev/null; do sleep 0.1; done
    """
    console = example("docs/waiting.md", "What a session waits for", "console")
    ask_why = console.splitlines()[0].removeprefix("$ ")
    async with server_process(home, project) as server:
        why = json.loads(await run_example(f"{busy}\n{ask_why}", project, home.environment, server.url))
        queue = shell("docs/waiting.md", "A prompt for a busy session")
        shown = await run_example(f"{busy}\n{queue}", project, home.environment, server.url)
    assert shape(why) == shape(answer_in(console))
    assert "then run the tests" in shown


@needs_tools
async def test_export_and_import_of_one_session(home: Home, project: Path, server: ServerProcess) -> None:
    made = await run_example(
        "curl -s localhost:4096/session -d '{}' | jq -r .id", project, home.environment, server.url
    )
    script = shell("docs/import.md", "One session").replace("ses_...", made.strip())
    assert "Imported session" in await run_example(script, project, home.environment, server.url)


@needs_tools
async def test_credentials_and_models(home: Home, project: Path) -> None:
    """Those of the commands that need neither a person nor a network."""
    shown = await run_example(
        "ANTHROPIC_API_KEY=x opencode models anthropic", project, home.environment, "http://127.0.0.1:9"
    )
    assert shown == example("docs/accounts.md", "`opencode models [provider]`", "console").partition("\n")[2]
    commands = [line for line in shell("docs/accounts.md").splitlines() if "anthropic" in line or "auth list" in line]
    shown = await run_example(
        "echo k > key.txt\n" + "\n".join(commands), project, home.environment, "http://127.0.0.1:9"
    )
    assert "Anthropic api" in shown


@needs_tools
async def test_what_an_operator_asks_and_backs_up(home: Home, project: Path, server: ServerProcess) -> None:
    """The copy that is made beside the running server is a database that a server starts on."""
    await run_example(shell("docs/sessions.md", "A prompt"), project, home.environment, server.url)
    shown = await run_example(shell("docs/operating.md"), project, home.environment, server.url)
    assert '"snapshots"' in shown and '"sessions": 1' in shown
    restored = Home(home.root.with_name("restored"), home.variables)
    restored.data.mkdir(parents=True)
    (project / "sessions-backup.db").rename(restored.data / "opencode-server.db")
    listed = await run_opencode(restored, project, "stats", "--json")
    assert json.loads(listed.stdout)["sessions"] == 1
