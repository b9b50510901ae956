"""How layers of configuration become one: pure functions over JSON objects."""

from collections.abc import Iterable, Mapping
from typing import Any

CONCATENATED = ("plugin", "instructions")
"""Lists that add up over the layers; every other list is replaced."""
LEAST = ("budget",)
"""Objects of limits: of several layers the least amount counts, so that a project can lower it and not raise it."""

Json = dict[str, Any]


def merge_deep(low: Mapping[str, Any], high: Mapping[str, Any]) -> Json:
    """Objects merged key by key, ``high`` wins. A key keeps the position it has in ``low``: rule order counts.

    Objects of two kinds (``type``) are not mixed: the fields of one mean nothing in the other.
    """
    merged = dict(low)
    for key, value in high.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict) and _are_of_a_kind(below, value):
            merged[key] = merge_deep(below, value)
        else:
            merged[key] = value
    return merged


def _are_of_a_kind(low: Mapping[str, Any], high: Mapping[str, Any]) -> bool:
    return "type" not in low or "type" not in high or low["type"] == high["type"]


def merge_layers(layers: Iterable[Mapping[str, Any]]) -> Json:
    """All layers, lowest first; ``plugin`` and ``instructions`` add up without duplicates."""
    merged: Json = {}
    for layer in layers:
        lists = {key: [*merged.get(key, []), *layer[key]] for key in CONCATENATED if key in layer}
        limits = {key: _least(merged.get(key), layer[key]) for key in LEAST if key in layer}
        merged = merge_deep(merged, layer) | limits
        for key, items in lists.items():
            merged[key] = unique(items)
    return merged


def _least(low: Any, high: Any) -> Any:
    if not isinstance(low, dict) or not isinstance(high, dict):
        return high
    both = {key for key in low.keys() & high.keys() if _is_amount(low[key]) and _is_amount(high[key])}
    return {**low, **high, **{key: min(low[key], high[key]) for key in both}}


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def unique(items: Iterable[Any]) -> list[Any]:
    """The items in order, each once; they need not be hashable."""
    found: list[Any] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found
