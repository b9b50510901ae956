import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.core.wire import UNSET
from opencode.permission.ruleset import evaluate, is_disabled, matches, permission_of, rules_from_config
from opencode.permission.schema import PermissionAction, PermissionRule, PermissionRuleset

short_text = st.text(alphabet="ab/ .*?\\\n", max_size=12)


def rule(permission: str, pattern: str, action: PermissionAction) -> PermissionRule:
    return PermissionRule(permission=permission, pattern=pattern, action=action)


def by_regex(text: str, pattern: str) -> bool:
    text, pattern = text.replace("\\", "/"), pattern.replace("\\", "/")
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    if expression.endswith(r"\ .*"):
        expression = expression[:-4] + r"(\ .*)?"
    return re.fullmatch(expression, text, re.DOTALL) is not None


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("ls", "ls *", True),
        ("ls -la", "ls *", True),
        ("lsof", "ls *", False),
        ("a/b/.env", "*.env", True),
        ("src\\main.py", "src/*", True),
        ("one\ntwo", "one*", True),
        ("abc", "a?c", True),
        ("ac", "a?c", False),
        ("Git", "git", False),
        ("", "*", True),
        ("", "", True),
        # pieces follow one another, none twice, and all before the end
        ("ab", "a*b", True),
        ("aba", "*a*b*", True),
        ("xxab", "*ab*b*", False),
        ("xab", "*?b*?b*", False),
        ("xxab", "*ab*ab*", False),
        ("xa", "*xa*a", False),
        ("xa", "*?a*a", False),
        ("ac", "*?b*", False),
    ],
)
def test_a_wildcard_covers_the_whole_text(text: str, pattern: str, expected: bool) -> None:
    assert matches(text, pattern) is expected


@given(short_text, short_text)
def test_a_wildcard_is_the_regular_expression_it_stands_for(text: str, pattern: str) -> None:
    assert matches(text, pattern) == by_regex(text, pattern)


@given(st.text(alphabet=string.printable, max_size=50))
def test_every_text_without_wildcards_covers_itself(text: str) -> None:
    assert matches(text, text)


def test_a_hostile_pattern_is_decided_at_once() -> None:
    assert not matches("a" * 20_000, "*a" * 200 + "b")
    assert not matches("a" * 2_000, "*?a?" * 100 + "b")


def test_the_last_rule_that_matches_decides() -> None:
    general: PermissionRuleset = [rule("*", "*", "allow"), rule("bash", "rm *", "deny")]
    session: PermissionRuleset = [rule("bash", "rm build/*", "allow")]
    assert evaluate("bash", "rm -rf /", general, session).action == "deny"
    assert evaluate("bash", "rm build/x", general, session).action == "allow"
    assert evaluate("my_mcp_tool", "*", [rule("my_*", "*", "deny")]).action == "deny"


def test_without_a_rule_a_person_is_asked() -> None:
    assert evaluate("bash", "ls").action == "ask"


def test_the_order_of_the_configuration_decides() -> None:
    home = "/home/me"
    strict = rules_from_config({"bash": {"*": "ask", "git *": "allow"}}, home)
    loose = rules_from_config({"bash": {"git *": "allow", "*": "ask"}}, home)
    assert evaluate("bash", "git status", strict).action == "allow"
    assert evaluate("bash", "git status", loose).action == "ask"


def test_short_settings_and_the_home_directory_are_expanded() -> None:
    assert rules_from_config("deny", "/home/me") == [rule("*", "*", "deny")]
    assert rules_from_config(UNSET, "/home/me") == []
    written = {"external_directory": {"~/work/*": "allow", "$HOME/x": "deny", "~": "ask", "~other": "deny"}}
    assert [r.pattern for r in rules_from_config(written, "/home/me")] == [  # type: ignore[arg-type]
        "/home/me/work/*", "/home/me/x", "/home/me", "~other",
    ]  # fmt: skip


def test_a_tool_is_hidden_only_when_the_last_rule_about_it_denies_everything() -> None:
    assert is_disabled("edit", [rule("*", "*", "allow"), rule("edit", "*", "deny")])
    assert not is_disabled("edit", [rule("edit", "*", "deny"), rule("edit", "x.md", "allow")])
    assert not is_disabled("edit", [rule("edit", "*", "ask")])
    assert not is_disabled("edit", [])


def test_all_tools_that_change_files_are_decided_by_edit() -> None:
    assert {permission_of(id) for id in ("edit", "write", "apply_patch", "patch", "multiedit")} == {"edit"}
    assert permission_of("bash") == "bash"


def test_without_a_rule_everything_is_asked_for() -> None:
    assert evaluate("bash", "ls", []) == PermissionRule(permission="bash", pattern="*", action="ask")


def test_every_key_of_the_setting_gives_its_rules() -> None:
    rules = rules_from_config(
        {"bash": {"*": "ask", "ls *": "allow"}, "edit": "deny", "read": {"*.env": "deny"}}, "/home/u"
    )
    assert [(rule.permission, rule.pattern, rule.action) for rule in rules] == [
        ("bash", "*", "ask"),
        ("bash", "ls *", "allow"),
        ("edit", "*", "deny"),
        ("read", "*.env", "deny"),
    ]


def test_a_command_without_arguments_is_covered_by_its_pattern_with_some() -> None:
    assert [matches(text, "git log *") for text in ("git log", "git log -1", "git", "git logs")] == [
        True,
        True,
        False,
        False,
    ]
