"""Finding what an edit means: each strategy, its limits, and what always holds."""

import contextlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from opencode.tool import replace as chain
from opencode.tool.replace import is_much_larger, replace_text
from opencode.tool.tool import ToolError

NOT_FOUND = r"^Could not find oldString in the file\."
AMBIGUOUS = r"^Found multiple matches for oldString\."


def test_an_exact_match_is_replaced_literally() -> None:
    assert replace_text("cost: 1\n", "1", r"$& \1 $$") == "cost: $& \\1 $$\n"


def test_an_exact_match_that_is_not_unique_is_refused() -> None:
    with pytest.raises(ToolError, match=AMBIGUOUS):
        replace_text("a b a", "a", "c")


def test_overlapping_occurrences_are_not_unique() -> None:
    with pytest.raises(ToolError, match=AMBIGUOUS):
        replace_text("aaa", "aa", "b")


def test_replace_all_replaces_every_occurrence() -> None:
    assert replace_text("a b a", "a", "c", replace_all=True) == "c b c"


def test_nothing_alike_is_not_found() -> None:
    with pytest.raises(ToolError, match=NOT_FOUND):
        replace_text("a\n", "b", "c")


def test_lines_may_differ_in_white_space_at_their_ends() -> None:
    content = "def a():\n    if x:\n        return 1\n"
    assert list(chain.line_trimmed(content, "if x:\n  return 1\n")) == ["    if x:\n        return 1"]
    assert list(chain.line_trimmed(content, "if x:\n  return 2\n")) == []


def test_anchored_lines_must_be_alike_in_between() -> None:
    content = "start\n  compute(alpha, beta)\n  finish\nend\n"
    assert list(chain.block_anchor(content, "start\n  compute(alpha, betta)\n  finish\nend")) == [content[:-1]]
    assert list(chain.block_anchor(content, "start\n  nothing of the kind\n  at all\nend")) == []


def test_anchors_need_three_lines() -> None:
    assert list(chain.block_anchor("a\nb\n", "a\nb")) == []


def test_a_block_much_longer_than_the_search_is_no_match() -> None:
    content = "start\n" + "line\n" * 10 + "end\n"
    assert list(chain.block_anchor(content, "start\nline\nline\nend")) == []


def test_of_several_anchored_blocks_the_most_alike_wins() -> None:
    content = "start\n  alpha beta gamma\nend\nstart\n  alpha beta delta!\nend\n"
    assert list(chain.block_anchor(content, "start\n  alpha beta delta\nend")) == ["start\n  alpha beta delta!\nend"]


def test_runs_of_white_space_count_as_one_blank() -> None:
    assert list(chain.whitespace_normalized("x =  1\ny = 2\n", "x = 1")) == ["x =  1"]
    assert list(chain.whitespace_normalized("if (a  &&  b) {\n", "a && b")) == ["a  &&  b"]
    assert list(chain.whitespace_normalized("a  b\nc\td\n", "a b\nc d")) == ["a  b\nc\td"]
    assert list(chain.whitespace_normalized("ab\n", "a b")) == []


def test_a_block_may_be_indented_as_a_whole() -> None:
    content = "class A:\n    def f(self):\n        return 1\n"
    assert list(chain.indentation_flexible(content, "def f(self):\n    return 1")) == [
        "    def f(self):\n        return 1"
    ]
    assert list(chain.indentation_flexible(content, "def f(self):\n        return 1")) == []


def test_escapes_are_taken_for_what_they_stand_for() -> None:
    assert list(chain.escape_normalized("a\n\tb", r"a\n\tb")) == ["a\n\tb"]
    assert list(chain.escape_normalized('say \\"hi\\"\n', 'say "hi"')) == ['say \\"hi\\"']
    assert list(chain.escape_normalized("a", r"b\n")) == []


def test_white_space_around_the_text_may_differ() -> None:
    assert list(chain.trimmed_boundary("x = 1", "\n\nx = 1\n")) == ["x = 1"]
    assert list(chain.trimmed_boundary("x = 1", "x = 1")) == []


def test_half_of_the_lines_between_equal_ends_must_be_equal() -> None:
    content = "start\none\ntwo\nend\n"
    assert list(chain.context_aware(content, "start\none\nzzz\nend")) == ["start\none\ntwo\nend"]
    assert list(chain.context_aware(content, "start\nyyy\nzzz\nend")) == []
    assert list(chain.context_aware(content, "start\none\nend")) == []


def test_every_occurrence_is_a_candidate_at_the_end() -> None:
    assert list(chain.multi_occurrence("a b a", "a")) == ["a", "a"]


def test_a_match_much_larger_than_the_search_is_refused() -> None:
    assert is_much_larger("1\n2\n3\n4", "1")
    assert not is_much_larger("1\n2\n3", "1")
    assert is_much_larger("a\n" + "b" * 600, "a\nb")
    assert not is_much_larger("a\n" + "b" * 500, "a\nb")
    assert not is_much_larger("b" * 5000, "b"), "long single lines are found by a part of them"


def test_an_oversized_candidate_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(content: str, old: str) -> list[str]:
        return [content]

    monkeypatch.setattr(chain, "STRATEGIES", (greedy, chain.exact))
    with pytest.raises(ToolError, match="much larger"):
        replace_text("1\n2\n3\n4\n5", "3", "x")


def test_blank_text_never_matches_between_characters() -> None:
    with pytest.raises(ToolError):
        replace_text("a\n\nb\n\nc", " \n", "x", replace_all=True)


TEXT = st.text(alphabet="ab \n\t\\'\"{}", max_size=60)


@given(TEXT, TEXT, TEXT, st.booleans())
def test_any_input_gives_a_text_or_an_answer_for_the_model(content: str, old: str, new: str, every: bool) -> None:
    with contextlib.suppress(ToolError):
        replace_text(content, old, new, replace_all=every)


@given(TEXT, TEXT, TEXT, TEXT)
def test_an_exact_unique_match_always_wins(before: str, old: str, after: str, new: str) -> None:
    content = before + old + after
    assume(old and content.find(old) == content.rfind(old))
    assert replace_text(content, old, new) == content.replace(old, new)
