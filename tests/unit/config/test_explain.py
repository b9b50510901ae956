"""What is wrong with a configuration, place by place."""

from typing import Any

import pytest

from opencode.config.parse import find_issues


@pytest.mark.parametrize(
    ("data", "issues"),
    [
        ([], ["Expected object, got an array"]),
        ({"agent": {"a": {"steps": 0}}}, ["agent.a.steps: Expected integer > 0 | undefined, got 0"]),
        (
            {"agent": {"a": {"mode": "x"}}},
            ['agent.a.mode: Expected "all" | "primary" | "subagent" | undefined, got "x"'],
        ),
        ({"mcp": {"a": {"type": "local"}}}, ["mcp.a.command: Expected array, got nothing"]),
        ({"mcp": {"a": {"type": "remote", "url": 1}}}, ["mcp.a.url: Expected string, got 1"]),
        ({"mcp": {"a": {"type": "other"}}}, ['mcp.a.type: Expected "local" | "remote", got "other"']),
        (
            {"mcp": {"a": {"enable": True}}},
            [
                "mcp.a.enabled: Expected boolean, got nothing",
                "mcp.a.enable: Unknown key `enable`; did you mean `enabled`?",
            ],
        ),
        (
            {"permission": {"todowrite": {"*": "ask"}}},
            ['permission.todowrite: Expected "allow" | "ask" | "deny" | undefined, got an object'],
        ),
        (
            {"permission": {"bash": {"*": "never"}}},
            ['permission.bash.*: Expected "allow" | "ask" | "deny", got "never"'],
        ),
        (
            {"provider": {"p": {"options": {"timeout": True}}}},
            ["provider.p.options.timeout: Expected integer > 0 | false | undefined, got true"],
        ),
        (
            {"provider": {"p": {"options": {"apiKey": 5}}}},
            ["provider.p.options.apiKey: Expected string | undefined, got 5"],
        ),
        ({"plugin": ["a", ["b"]]}, ["plugin.1: Expected array of 2, got an array"]),
        ({"lsp": {"a": {"disabled": False}}}, ["lsp.a.disabled: Expected true, got false"]),
        ({"references": {"a": {"path": 1}}}, ["references.a.path: Expected string, got 1"]),
        (
            {"subagent_depth": -1, "tool_output": {"max_lines": 1.5}},
            [
                "subagent_depth: Expected integer >= 0 | undefined, got -1",
                "tool_output.max_lines: Expected integer > 0 | undefined, got 1.5",
            ],
        ),
        (
            {"server": {"auth": {"type": "bearer", "tokens": "secret"}}},
            ["server.auth.tokens: Expected array, got a string"],
        ),
    ],
)
def test_every_fault_is_named(data: Any, issues: list[str]) -> None:
    assert [str(issue) for issue in find_issues(data)] == issues


def test_all_faults_are_found_at_once() -> None:
    data = {"model": 1, "agent": {"a": {"top_p": "x"}, "b": {"tools": {"c": 1}}}, "zzz": 0}

    assert [issue.path for issue in find_issues(data)] == [
        ["model"],
        ["agent", "a", "top_p"],
        ["agent", "b", "tools", "c"],
        ["zzz"],
    ]


def test_what_is_right_has_no_faults() -> None:
    data = {
        "agent": {"a": {"anything": [1], "color": "#12aBef"}, "b": {"color": "info"}},
        "lsp": True,
        "plugin": [["a", {}]],
    }

    assert find_issues(data) == []
