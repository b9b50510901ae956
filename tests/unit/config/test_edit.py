"""Changing a JSONC text in place."""

import json

import pyjson5
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.config.edit import edit_jsonc
from opencode.config.merge import merge_deep

LEAVES = st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
OBJECTS = st.dictionaries(st.text(max_size=3), VALUES, max_size=4)


@given(OBJECTS, OBJECTS, st.sampled_from([None, 1, 2]), st.booleans())
def test_the_new_text_reads_as_the_merged_value(
    old: dict[str, object], patch: dict[str, object], indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(old, indent=indent, ensure_ascii=ascii_only)

    assert pyjson5.decode(edit_jsonc(text, patch)) == merge_deep(old, patch)


@given(OBJECTS, st.data(), st.sampled_from([None, 2]), st.sampled_from(["", ","]))
def test_removed_keys_are_gone_and_the_others_are_not(
    old: dict[str, object], data: st.DataObject, indent: int | None, trailing: str
) -> None:
    removed = data.draw(st.sets(st.sampled_from([*old, "none"])))
    text = json.dumps(old, indent=indent)
    text = text[:-1] + trailing + "}" if old else text

    new = edit_jsonc(text, {}, removed)

    assert pyjson5.decode(new) == {key: value for key, value in old.items() if key not in removed}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", '{\n  "b": {\n    "c": 2\n  }\n}\n'),
        ("{}", '{\n  "b": {\n    "c": 2\n  }\n}'),
        ("// x\n{ // y\n}\n", '// x\n{ // y\n  "b": {\n    "c": 2\n  }\n}\n'),
        ('{\n\t"a": 1 // one\n}', '{\n\t"a": 1, // one\n\t"b": {\n\t  "c": 2\n\t}\n}'),
        ('{\r\n  "a": 1\r\n}', '{\r\n  "a": 1,\r\n  "b": {\r\n    "c": 2\r\n  }\r\n}'),
        ("{a: 1, 'b': /* two */ 2,}", "{a: 1, 'b': /* two */ {\n  \"c\": 2\n},}"),
        ('{"b": {"c": 1, "d": [{}]}}', '{"b": {"c": 2, "d": [{}]}}'),
    ],
)
def test_everything_but_the_change_stays(old: str, new: str) -> None:
    assert edit_jsonc(old, {"b": {"c": 2}}) == new
