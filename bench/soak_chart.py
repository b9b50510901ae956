"""A drawing of a soak: one line for each thing that must not grow, over the prompts answered."""

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

LINES = (
    ("memory_mib", "resident memory, MiB"),
    ("blocks", "blocks allocated by Python"),
    ("descriptors", "other file descriptors"),
    ("kept_connections", "connections kept to the model"),
    ("tasks", "tasks of the event loop"),
    ("threads", "threads"),
    ("children", "child processes"),
)
WIDTH, HEIGHT, LEFT, GAP = 720, 64, 190, 26
STYLE = (
    "text{font:12px sans-serif;fill:#444}"
    ".line{fill:none;stroke:#2563eb;stroke-width:1.5}"
    ".frame{fill:none;stroke:#ddd}"
    "@media(prefers-color-scheme:dark){text{fill:#bbb}.frame{stroke:#444}.line{stroke:#60a5fa}}"
)


def chart(samples: Sequence[dict[str, Any]]) -> str:
    """An SVG document. Every scale begins at 0, so that what grows is seen and what trembles is not."""
    last = samples[-1]["prompts"]
    total = len(LINES) * (HEIGHT + GAP) + 30
    shapes = [
        _panel(samples, last, name, label, 10 + index * (HEIGHT + GAP)) for index, (name, label) in enumerate(LINES)
    ]
    foot = _text(LEFT, total - 8, "0 prompts") + _text(LEFT + WIDTH, total - 8, f"{last:,} prompts", anchor="end")
    size = f'width="{LEFT + WIDTH + 70}" height="{total}" viewBox="0 0 {LEFT + WIDTH + 70} {total}"'
    body = "\n".join([*shapes, foot])
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<style>{STYLE}</style>\n{body}\n</svg>\n'


def _panel(samples: Sequence[dict[str, Any]], last: int, name: str, label: str, top: int) -> str:
    values = [sample[name] for sample in samples]
    highest = max(*values, 1) * 1.1
    points = " ".join(
        f"{LEFT + WIDTH * sample['prompts'] / last:.1f},{top + HEIGHT * (1 - sample[name] / highest):.1f}"
        for sample in samples
    )
    return (
        f'<rect class="frame" x="{LEFT}" y="{top}" width="{WIDTH}" height="{HEIGHT}"/>'
        f'<polyline class="line" points="{points}"/>'
        + _text(LEFT - 8, top + HEIGHT / 2 + 4, label, anchor="end")
        + _text(LEFT + WIDTH + 6, top + HEIGHT * (1 - values[-1] / highest) + 4, f"{values[-1]:g}")
    )


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y:.0f}" text-anchor="{anchor}">{escape(words)}</text>'
