"""Schemas that others wrote."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.core.json_schema import FAULT_LIMIT, JsonSchema, SchemaInvalid, place

KEYWORDS = st.sampled_from(
    ["type", "properties", "items", "required", "enum", "pattern", "$ref", "anyOf", "minLength", "$defs", "format"]
)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS | st.sampled_from(["object", "string", "#", "#/properties", "(", "date-time"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS | st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(schema=st.dictionaries(KEYWORDS, VALUES, max_size=4), value=VALUES)
def test_whatever_is_given_is_a_schema_or_is_not_and_values_fit_or_do_not(schema: dict[str, Any], value: Any) -> None:
    with suppress(SchemaInvalid):
        assert all(isinstance(fault, str) for fault in JsonSchema(schema).faults(value))


@pytest.mark.parametrize("number", [10**30, -(10**400), 1e308])
def test_numbers_of_any_size_do_no_harm(number: float) -> None:
    with suppress(SchemaInvalid):
        JsonSchema({"minLength": number, "maximum": number}).faults(number)
    assert len(JsonSchema({"type": "string"}).faults(number)) == 1


def test_a_value_that_is_nested_too_deep_is_a_fault() -> None:
    value: Any = []
    for _ in range(900):
        value = [value]
    assert JsonSchema({"type": "object"}).faults(value) == ["Recursion limit reached"]


def test_faults_say_what_and_where() -> None:
    schema = JsonSchema({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "integer"}}}})
    assert schema.faults({"a": [1, "2"]}) == ['"2" is not of type "integer"\n  at ["a"][1]']
    assert schema.faults({"a": []}) == []


def test_not_all_faults_of_a_large_value_are_told_and_none_is_long() -> None:
    schema = JsonSchema({"items": {"type": "integer"}})
    faults = schema.faults(["x" * 10_000] * 1_000)
    assert len(faults) == FAULT_LIMIT
    assert max(map(len, faults)) < 400


def test_the_place_of_a_fault_in_a_schema_is_known() -> None:
    with pytest.raises(SchemaInvalid) as raised:
        JsonSchema({"properties": {"a": {"required": "b"}}})
    assert (raised.value.path, place(raised.value.path)) == (
        ("properties", "a", "required"),
        '\n  at ["properties"]["a"]["required"]',
    )


@pytest.mark.parametrize("reference", ["https://example.com/a.json", "file:///etc/passwd", "other.json"])
def test_nothing_is_fetched(reference: str) -> None:
    with pytest.raises(SchemaInvalid):
        JsonSchema({"$ref": reference})


def test_a_pattern_that_could_take_for_ever_does_not() -> None:
    schema = JsonSchema({"pattern": "^(a+)+$"})
    assert schema.faults("a" * 5_000 + "!")


def test_the_draft_is_the_one_that_is_named() -> None:
    draft_4 = {"$schema": "http://json-schema.org/draft-04/schema#", "maximum": 3, "exclusiveMaximum": True}
    assert JsonSchema(draft_4).faults(3)
    with pytest.raises(SchemaInvalid):
        JsonSchema({**draft_4, "$schema": "https://json-schema.org/draft/2020-12/schema"})
