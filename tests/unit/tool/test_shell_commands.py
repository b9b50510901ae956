from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencode.tool.shell_arity import command_prefix
from opencode.tool.shell_commands import parse_command_line

PIECES = [
    "ls", "-la", "a b", "'", '"', "$(", ")", "`", "|", "||", "&&", ";", "\n", "<<EOF", "EOF", ">", "2>&1", "$x", "${",
    "}", "{", "if", "then", "fi", "for", "do", "done", "case", "esac", "((", "))", "[[", "]]", "\\", "é", "\x00", "#",
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "patterns"),
    [
        ("git status && ls -la | grep x", ["git status", "ls -la", "grep x"]),
        ("cat a > b 2>&1", ["cat a > b 2>&1"]),
        ("echo $(rm -rf x) `pwd`", ["echo $(rm -rf x) `pwd`", "rm -rf x", "pwd"]),
        ("(cd /tmp; rm x)", ["rm x"]),
        ("cd docs", []),
        ("for i in a; do chmod +x $i; done", ["chmod +x $i"]),
        ("echo 'a && b'", ["echo 'a && b'"]),
        ("FOO=1 rm -rf x", ["FOO=1 rm -rf x", "rm -rf x"]),
        ("cat <<EOF\nrm x\nEOF", ["cat <<EOF\nrm x\nEOF"]),
        ("ls; ls", ["ls"]),
    ],
)
def test_rules_are_asked_about_each_command(line: str, patterns: list[str]) -> None:
    assert parse_command_line(line).patterns() == patterns


@pytest.mark.parametrize("line", ["if (", "[[ -f x ]]", "echo 'open", ""])
def test_what_is_not_understood_is_asked_about_as_a_whole(line: str) -> None:
    assert line in parse_command_line(line).patterns()


@pytest.mark.parametrize(
    ("line", "directories"),
    [
        ("cat /etc/hostname", ["/etc"]),
        ("cat /etc/*.conf", ["/etc"]),
        ("rm ~/x/y.txt", ["/home/me/x"]),
        ("mkdir -p ../other", ["/work"]),
        ("cd /etc && cat passwd", ["/etc", "/work/project"]),
        ("cp 'a file' \"/etc/x y\"", ["/work/project", "/etc"]),
        ("cat $HOME/x `pwd`/y", ["/home/me"]),
        ("chmod +x run.sh", ["/work/project"]),
        ("grep x /etc/passwd", []),
    ],
)
def test_path_arguments_give_the_directories_they_point_into(line: str, directories: list[str]) -> None:
    found = parse_command_line(line).directories(
        Path("/work/project"), Path("/home/me"), lambda path: path == Path("/etc")
    )
    assert [str(path) for path in found] == directories


@pytest.mark.parametrize(
    ("words", "prefix"),
    [
        (["npm", "run", "dev", "--port", "1"], "npm run dev"),
        (["git", "checkout", "main"], "git checkout"),
        (["git", "stash", "pop", "-q"], "git stash pop"),
        (["ls", "-la"], "ls"),
        (["docker", "compose", "up"], "docker compose up"),
        (["ip", "addr", "show"], "ip addr show"),
        (["python", "x.py"], "python x.py"),
        (["unknown", "thing"], "unknown"),
        (["git"], "git"),
        ([], ""),
    ],
)
def test_always_covers_the_words_that_name_the_command(words: list[str], prefix: str) -> None:
    assert " ".join(command_prefix(words)) == prefix


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map(" ".join) | st.text(max_size=80))
def test_no_text_makes_the_parser_fail_or_skip_asking(text: str) -> None:
    line = parse_command_line(text)
    line.directories(Path("/p"), Path("/h"), lambda path: False)
    only_moves = bool(line.commands) and all(command.changes_directory for command in line.commands)
    assert line.patterns() or only_moves


@pytest.mark.parametrize("text", ["$(" * 5000, "(" * 5000 + ")" * 5000, "a | " * 20_000 + "b", "'" * 10_001])
def test_deep_and_long_lines_are_parsed_too(text: str) -> None:
    assert parse_command_line(text).patterns()
