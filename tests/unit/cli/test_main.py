import pytest

from opencode.cli import main as program
from opencode.cli.main import run_program
from opencode.cli.options import GlobalOptions, NetworkOptions, RunOptions
from opencode.core.version import API_VERSION, SERVER_VERSION

Called = list[tuple[GlobalOptions, NetworkOptions | RunOptions]]


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Called:
    """What the commands were called with, instead of running them."""
    calls: Called = []

    def record(globals_: GlobalOptions, options: NetworkOptions | RunOptions) -> int:
        calls.append((globals_, options))
        return 0

    monkeypatch.setattr("opencode.cli.serve.serve_command", record)
    monkeypatch.setattr("opencode.cli.run.run_command", record)
    for name in ("AGENT", "OPENCODE", "OPENCODE_PID"):
        monkeypatch.setenv(name, "")
    return calls


def test_the_version_alone_is_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_program(["--version"]) == 0
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == (f"{API_VERSION}\n", f"opencode-server {SERVER_VERSION}\n")


@pytest.mark.parametrize(
    "arguments",
    [["--bogus"], ["nothing"], ["serve", "--bogus"], ["serve", "--port", "x"], ["run", "hi", "--format", "xml"]],
)
def test_a_wrong_command_line_is_explained_and_ends_with_1(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program(arguments) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("Usage: opencode")


def test_serve_takes_the_options_of_the_official_server(called: Called) -> None:
    assert run_program(["serve"]) == 0
    assert called == [(GlobalOptions(), NetworkOptions())]


def test_every_network_option_is_read(called: Called) -> None:
    line = "serve --port=0 --hostname 0.0.0.0 --mdns --mdns-domain x.local --cors http://a --cors http://b"
    run_program([*line.split(), "--allow-unauthenticated"])
    assert called[0][1] == NetworkOptions(
        port=0,
        hostname="0.0.0.0",
        mdns=True,
        mdns_domain="x.local",
        cors=("http://a", "http://b"),
        allow_unauthenticated=True,
    )


def test_server_is_serve_with_another_default_port(called: Called) -> None:
    run_program(["server", "--host", "localhost"])
    assert called[0][1] == NetworkOptions(hostname="localhost", default_port=3000)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--print-logs", "--log-level", "DEBUG", "--pure", "serve"],
        ["serve", "--print-logs", "--log-level=DEBUG", "--pure"],
        ["--log-level", "ERROR", "--pure", "serve", "--log-level=DEBUG", "--print-logs"],
    ],
)
def test_global_options_may_stand_on_either_side_of_the_command(arguments: list[str], called: Called) -> None:
    run_program(arguments)
    assert called[0][0] == GlobalOptions(print_logs=True, log_level="DEBUG", pure=True)


def test_every_option_of_run_is_read(called: Called) -> None:
    line = (
        "run fix the --command review -c -s ses_1 --fork --share --title T -m a/b --variant high --agent plan -f x -f y"
        " --attach http://h -p pw -u me --dir /d --port 1 --thinking --format json --auto -- --bug"
    )
    run_program(line.split())
    assert called[0][1] == RunOptions(
        message=("fix", "the", "--bug"),
        command="review",
        continue_=True,
        session="ses_1",
        fork=True,
        share=True,
        title="T",
        model="a/b",
        variant="high",
        agent="plan",
        file=("x", "y"),
        attach="http://h",
        password="pw",
        username="me",
        dir="/d",
        port=1,
        thinking=True,
        format="json",
        auto=True,
    )


@pytest.mark.parametrize("flag", ["--auto", "--yolo", "--dangerously-skip-permissions"])
def test_auto_has_its_older_names(flag: str, called: Called) -> None:
    run_program(["run", "x", flag])
    options = called[0][1]
    assert isinstance(options, RunOptions) and options.auto


def test_a_title_without_a_value_is_empty(called: Called) -> None:
    run_program(["run", "x", "--title"])
    assert called[0][1] == RunOptions(message=("x",), title="")


def test_children_can_see_that_an_agent_started_them(called: Called) -> None:
    run_program(["serve"])
    assert (program.os.environ["AGENT"], program.os.environ["OPENCODE"]) == ("1", "1")
    assert program.os.environ["OPENCODE_PID"].isdigit()
