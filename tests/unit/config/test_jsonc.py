"""JSON with comments. Source: configuration, section 4."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.config.errors import ConfigJsonError
from opencode.config.jsonc import read_jsonc

LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
COMMENTS = st.lists(st.sampled_from(["// x {env:A}\n", "/* } ] , */", " ", "\n", "\t", "//\n"]), max_size=3).map(
    "".join
)


@given(VALUES, st.sampled_from([None, 2]), st.booleans())
def test_all_json_is_read(value: object, indent: int | None, ascii_only: bool) -> None:
    assert read_jsonc(json.dumps(value, indent=indent, ensure_ascii=ascii_only), "f") == value


@given(st.dictionaries(st.text(string.ascii_letters), st.integers()), st.lists(COMMENTS, min_size=40, max_size=40))
def test_comments_and_trailing_commas_change_nothing(value: dict[str, int], comments: list[str]) -> None:
    words = ["{", *(word for key, item in value.items() for word in (json.dumps(key), ":", str(item), ",")), "}"]
    text = "".join(word + comments[index % 40] for index, word in enumerate(words))

    assert read_jsonc(text, "f") == value


@given(st.text(alphabet=st.sampled_from("{}[]:,\"/*\\ \n'atrue0-.é\ufeff"), max_size=30))
def test_any_text_is_read_or_explained(text: str) -> None:
    try:
        read_jsonc(text, "f")
    except ConfigJsonError as error:
        assert error.message.startswith("f: ")
        assert " at line " in error.message


@pytest.mark.parametrize("text", ["", " \r\n\t", "\ufeff"])
def test_an_empty_text_is_an_empty_object(text: str) -> None:
    assert read_jsonc(text, "f") == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{ "a": 1,, }', "Stray comma at line 1, column 10"),
        ('{\n\t"a":\n ]}', "Expected a value, found ']' at line 3, column 2"),
        ('{"a" 1}', "Expected colon, found '1' at line 1, column 6"),
        ('{\n"a":1', "Unclosed object at line 1, column 1"),
        ('{"é":"😀", "b":?}', "Expected a value, found '?' at line 1, column 15"),
        ("[" * 100, "Maximum nesting level exceeded at line 1, column 33"),
    ],
)
def test_a_fault_has_a_place_and_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ConfigJsonError) as raised:
        read_jsonc(text, "f")

    assert raised.value.message.splitlines()[0] == f"f: {reason}"


def test_the_caret_stands_under_the_place() -> None:
    with pytest.raises(ConfigJsonError) as raised:
        read_jsonc('{\n\t"a": ?\n}', "f")

    assert raised.value.message.splitlines()[1:] == ['\t"a": ?', "\t     ^"]


def test_no_secret_gets_into_a_message() -> None:
    with pytest.raises(ConfigJsonError) as raised:
        read_jsonc('{"key": "pass"word"}', "f", original='{"key": "{env:KEY}"}')

    assert "word" not in raised.value.message.replace("once {env:...}", "")
    assert "{env:...}" in raised.value.message
