"""A model that does what it likes with its tools, and rules that must hold all the same."""

from contextlib import suppress
from pathlib import Path

import httpx2 as httpx
import pytest

from opencode.core.internal_address import TurnsInside, refuse_turn_inside
from opencode.permission.ruleset import evaluate
from opencode.permission.schema import PermissionRule
from opencode.tool.shell_commands import parse_command_line
from opencode.tool.tool import ToolError
from tests.support.file_bench import FileBench

ONLY_GIT = [
    PermissionRule(permission="bash", pattern="*", action="ask"),
    PermissionRule(permission="bash", pattern="git *", action="allow"),
]


def passes(line: str) -> bool:
    """Whether a line runs unasked where only git is allowed."""
    return all(evaluate("bash", text, ONLY_GIT).action == "allow" for text in parse_command_line(line).patterns())


@pytest.mark.parametrize("line", ["git status", "git log | git apply", "git add . && git commit -m 'x; rm y'"])
def test_what_is_allowed_runs_unasked(line: str) -> None:
    assert passes(line)


@pytest.mark.parametrize(
    "line",
    [
        "git status; rm x",
        "git status & rm x",
        "git status\nrm x",
        "git status || rm x",
        "git status `rm x`",
        "git status $(rm x)",
        'git status "$(rm x)"',
        "git diff <(rm x)",
        "git log > >(rm x)",
        "git log <<EOF\n$(rm x)\nEOF",
        "git log <<< $(rm x)",
        "git log ${X:-$(rm x)}",
        "git log $((a[$(rm x)]))",
        "GIT_PAGER=./evil git log",
        "export GIT_PAGER=./evil; git log",
        "declare -x GIT_PAGER=./evil; git log",
        "PATH=.:$PATH; git log",
        "A=1 PATH=. ; git log",
        "unset HOME; git log",
        "[[ -v 'a[$(rm x)]' ]]; git log",
        "(( 'a[$(rm x)]' )); git log",
        "> .git/config; git log",
        "(git log) > .git/config",
        "{ git log; } > .git/config",
        "for i in 1; do git log; done > .git/config",
        "cd . > .git/config; git log",
        "git() { rm x; }; git log",
        "alias git=rm; git log",
        "eval 'rm x'",
        "sh -c 'git log; rm x'",
        "env git log",
        "command git log",
        "exec git log",
        "! rm x",
        "time rm x",
        "coproc rm x",
        "if git log; then rm x; fi",
        "case x in x) rm x;; esac",
        "git log $'\\x24(rm x)'; rm x",
        "\\git log; r\\m x",
        "git log |& rm x",
    ],
)
def test_nothing_else_hides_behind_what_is_allowed(line: str) -> None:
    assert not passes(line)


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("cd && cat .ssh/id_rsa", "/home/me"),
        ("cd ~ && cat .ssh/id_rsa", "/home/me"),
        ("cd $HOME && cat .ssh/id_rsa", "/home/me"),
        ('cat "${HOME}/.ssh/id_rsa"', "/home/me/.ssh/id_rsa"),
        ("echo x > ~/.bashrc", "/home/me/.bashrc"),
        ("{ echo x; } >> /etc/profile", "/etc/profile"),
        ("cat < /etc/shadow", "/etc/shadow"),
        ("echo x >| ../x", "/work/project/../x"),
        ("cat ~root/.ssh/id_rsa", str(Path("~root/.ssh/id_rsa").expanduser())),
    ],
)
def test_places_outside_are_seen(line: str, place: str) -> None:
    assert Path(place) in parse_command_line(line).places(Path("/work/project"), Path("/home/me"))


def test_output_that_is_thrown_away_goes_nowhere() -> None:
    line = parse_command_line("make >/dev/null 2>&1 </dev/null 3>&-")
    assert line.places(Path("/work/project"), Path("/home/me")) == []


async def test_a_link_of_the_project_hides_no_file_from_the_rules_about_it(tmp_path: Path) -> None:
    """``read`` asks about ``*.env``; a repository may bring a link of another name to one."""
    bench = FileBench(tmp_path)
    bench.write(".env", "SECRET=1\n")
    (bench.directory / "notes.txt").symlink_to(".env")
    await bench.call("read", filePath="notes.txt")
    assert [ask[:2] for ask in bench.asks] == [("read", ["notes.txt", ".env"])]
    await bench.call("edit", filePath="notes.txt", oldString="1", newString="2")
    assert bench.asks[-1][1] == ["notes.txt", ".env"]


@pytest.mark.parametrize("path", ["../x", "sub/../../x", "/etc/hostname"])
async def test_paths_that_leave_the_project_are_asked_about_before_anything_else(tmp_path: Path, path: str) -> None:
    bench = FileBench(tmp_path)
    with suppress(ToolError):
        await bench.call("read", filePath=path)
    assert bench.asks[0][0] == "external_directory"


def _moved(start: str, target: str) -> httpx.Response:
    return httpx.Response(302, headers={"location": target}, request=httpx.Request("GET", start))


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:4096/config",
        "http://localhost/",
        "http://169.254.169.254/latest",
        "http://10.0.0.1/",
        "http://[::1]/",
    ],
)
async def test_a_page_cannot_send_the_server_to_addresses_inside(target: str) -> None:
    with pytest.raises(TurnsInside):
        await refuse_turn_inside(_moved("http://93.184.216.34/", target))


async def test_other_redirects_are_followed() -> None:
    await refuse_turn_inside(_moved("http://93.184.216.34/", "/elsewhere"))
    await refuse_turn_inside(_moved("http://93.184.216.34/", "http://93.184.216.35/"))
    await refuse_turn_inside(_moved("http://127.0.0.1/", "http://127.0.0.2/"))
    await refuse_turn_inside(httpx.Response(200, request=httpx.Request("GET", "http://93.184.216.34/")))
