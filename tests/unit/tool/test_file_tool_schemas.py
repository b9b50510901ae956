"""What the model is told about the file tools. Source: tool sets of the golden traces of 1.18.33."""

from pathlib import Path
from typing import Any

import pytest

from opencode.tool.arguments import parameters_schema
from tests.support.file_bench import FileBench

STRING = {"type": "string"}
INTEGER = {"minimum": 0, "type": "integer", "maximum": 9007199254740991}
EXPECTED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "read": ({"filePath": STRING, "offset": INTEGER, "limit": INTEGER}, ["filePath"]),
    "write": ({"content": STRING, "filePath": STRING}, ["content", "filePath"]),
    "edit": (
        {"filePath": STRING, "oldString": STRING, "newString": STRING, "replaceAll": {"type": "boolean"}},
        ["filePath", "oldString", "newString"],
    ),
    "apply_patch": ({"patchText": STRING}, ["patchText"]),
    "glob": ({"pattern": STRING, "path": STRING}, ["pattern"]),
    "grep": ({"pattern": STRING, "path": STRING, "include": STRING}, ["pattern"]),
    "list": ({"path": STRING, "ignore": {"type": "array", "items": STRING}}, []),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_parameters_are_those_of_the_reference_and_each_is_described(name: str, tmp_path: Path) -> None:
    tool = FileBench(tmp_path).tools[name]
    schema = parameters_schema(tool.params)
    properties = schema["properties"]
    assert all(each.pop("description") for each in properties.values())
    assert (properties, schema["required"]) == EXPECTED[name]
    assert list(properties) == list(EXPECTED[name][0])


def test_every_tool_has_a_description(tmp_path: Path) -> None:
    assert all(len(tool.description) > 100 for tool in FileBench(tmp_path).tools.values())
