from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.tool.arguments import check_arguments, parameters_schema
from opencode.tool.builtin.bash import BashParams
from opencode.tool.builtin.question import QuestionParams
from opencode.tool.builtin.todowrite import TodoWriteParams
from opencode.tool.builtin.webfetch import WebFetchParams
from opencode.tool.tool import ToolError


class Inner(Wire):
    """An item."""

    name: str


class Params(Wire):
    """All kinds of arguments."""

    file_path: str
    count: Annotated[int, Meta(gt=0, description="How many.")] | UnsetType = UNSET
    items: list[Inner] | UnsetType = UNSET
    mode: Literal["fast", "slow"] = "fast"
    deep: bool = False


def fault(arguments: Any) -> str:
    with pytest.raises(ToolError) as caught:
        check_arguments("read", Params, arguments)
    text = str(caught.value)
    begin, end = (
        "The read tool was called with invalid arguments: SchemaError(",
        (").\nPlease rewrite the input so it satisfies the expected schema."),
    )
    assert text.startswith(begin)
    assert text.endswith(end)
    return text[len(begin) : -len(end)]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"wrong": "a.txt"}, 'Missing key\n  at ["filePath"]'),
        ({"filePath": 5}, 'Expected string, got 5\n  at ["filePath"]'),
        ([], "Expected object, got []"),
        ({"filePath": "a", "count": -5}, 'Expected a value greater than 0, got -5\n  at ["count"]'),
        ({"filePath": "a", "items": [{}]}, 'Missing key\n  at ["items"][0]["name"]'),
        ({"filePath": "a", "items": [{"name": "x"}, {"name": None}]},
         'Expected string, got null\n  at ["items"][1]["name"]'),
        ({"filePath": "a", "mode": "odd"}, 'Expected "fast" | "slow", got "odd"\n  at ["mode"]'),
    ],
)  # fmt: skip
def test_a_fault_names_what_was_expected_what_was_there_and_where(arguments: Any, expected: str) -> None:
    assert fault(arguments) == expected


def test_what_models_write_as_text_by_mistake_is_understood() -> None:
    sent = {"filePath": "5", "count": "7", "deep": "true", "items": '[{"name": "x"}]', "unknown": 1}
    assert check_arguments("read", Params, sent) == Params(file_path="5", count=7, deep=True, items=[Inner(name="x")])


def test_text_that_looks_like_json_stays_text_where_text_is_wanted() -> None:
    assert check_arguments("read", Params, {"filePath": "[1]"}) == Params(file_path="[1]")


@pytest.mark.parametrize(
    ("params", "names", "required"),
    [
        (BashParams, ["command", "timeout", "workdir"], ["command"]),
        (TodoWriteParams, ["todos"], ["todos"]),
        (WebFetchParams, ["url", "format", "timeout"], ["url"]),
        (QuestionParams, ["questions"], ["questions"]),
    ],
)
def test_the_schemas_have_the_official_names(params: type[Wire], names: list[str], required: list[str]) -> None:
    schema = parameters_schema(params)
    assert (list(schema["properties"]), schema["required"]) == (names, required)


def test_a_schema_holds_no_references_and_only_safe_integers() -> None:
    assert parameters_schema(Params) == {
        "type": "object",
        "properties": {
            "filePath": {"type": "string"},
            "count": {
                "type": "integer",
                "description": "How many.",
                "exclusiveMinimum": 0,
                "minimum": -9007199254740991,
                "maximum": 9007199254740991,
            },
            "items": {
                "type": "array",
                "items": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
            },
            "mode": {"type": "string", "enum": ["fast", "slow"], "default": "fast"},
            "deep": {"type": "boolean", "default": False},
        },
        "required": ["filePath"],
    }
