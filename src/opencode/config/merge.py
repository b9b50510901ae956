"""How layers of configuration become one: pure functions over JSON objects."""

from collections.abc import Iterable, Mapping
from typing import Any

CONCATENATED = ("plugin", "instructions")
"""Lists that add up over the layers; every other list is replaced."""

Json = dict[str, Any]


def merge_deep(low: Mapping[str, Any], high: Mapping[str, Any]) -> Json:
    """Objects merged key by key, ``high`` wins. A key keeps the position it has in ``low``: rule order counts."""
    merged = dict(low)
    for key, value in high.items():
        below = merged.get(key)
        merged[key] = merge_deep(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def merge_layers(layers: Iterable[Mapping[str, Any]]) -> Json:
    """All layers, lowest first; ``plugin`` and ``instructions`` add up without duplicates."""
    merged: Json = {}
    for layer in layers:
        lists = {key: [*merged.get(key, []), *layer[key]] for key in CONCATENATED if key in layer}
        merged = merge_deep(merged, layer)
        for key, items in lists.items():
            merged[key] = unique(items)
    return merged


def unique(items: Iterable[Any]) -> list[Any]:
    """The items in order, each once; they need not be hashable."""
    found: list[Any] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found
