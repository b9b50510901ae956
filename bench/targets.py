"""What is measured, and how many times less than the official servers it should cost.

``floor`` and ``aim`` are (times less than 1.18.33, times less than 1.2.15); a row without them is for information.
"""

from dataclasses import dataclass
from typing import Literal

Ratios = tuple[float, float]
Unit = Literal["us", "ms", "s", "MiB"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. Every figure is a cost: less is better."""

    key: str
    title: str
    unit: Unit
    floor: Ratios | None = None
    aim: Ratios | None = None
    note: str = ""
    limits_ms: tuple[float, float] | None = None
    """Floor and aim in milliseconds, where times less than another say little."""


ROWS = (
    Row("list_100", "`GET /session`, 100 sessions", "us", (20, 3), (60, 9)),
    Row("list_10000", "the same, 100 of 10,000", "us", (50, 25), (150, 75)),
    Row("get_session", "`GET /session/{id}`", "us", (20, 5), (90, 22)),
    Row("messages_50", "`GET` messages, 50 x 3 parts", "us", (13, 6), (25, 11)),
    Row("messages_1000", "`GET` messages, 1,000 x 3 parts", "ms", (7, 5), (15, 10)),
    Row("create", "`POST /session`", "us", (6, 1.5), (15, 4)),
    Row("create_2000", "create a session with a note, each of 2,000", "us", (15, 3), (40, 8)),
    Row("text", "prompt, one text step", "ms", (4, 1.5), (10, 4)),
    Row("text_plain", "the same, `snapshot: false`", "ms", None, None, "the like-for-like figure"),
    Row("loop10", "prompt, ten model calls with nine reads", "ms", (4, 1.5), (10, 4)),
    Row("loop10_plain", "the same, `snapshot: false`", "ms", None, None, "the like-for-like figure"),
    Row("stream", "5,000 deltas: first byte of the model to idle", "ms", (2.5, 1.5), (6, 4)),
    Row("delta", "the same, per delta", "us", (2.5, 1.5), (6, 4)),
    Row("first_delta", "first byte of the model to the first delta seen", "ms", limits_ms=(20, 5)),
    Row("delta_20", "20 streams at once, 500 deltas each: per delta", "us", (2.5, 1.5), (6, 4)),
    Row("first_delta_20", "the same, first byte of the model to the first delta seen", "ms", None, None, "mean of 20"),
    Row("concurrent", "20 sessions at once, three model calls each: per session", "ms", (6, 1.5), (15, 4)),
    Row("snapshot_first", "first prompt in a repository of 20,000 files", "ms", (1, 1), (2, 2), "measured once"),
    Row("snapshot_next", "prompt there after one file changed", "ms", (1, 1), (4, 2)),
    Row("revert_1000", "`POST` revert of 1,000 changed files", "ms", (1, 1), (4, 4), "measured once"),
    Row("fork_2000", "`POST` fork of 2,000 messages x 3 parts", "ms", (1, 1), (10, 4), "measured once"),
    Row("page_100000", "page of 50 messages of 100,000 parts, p95 of 40", "ms", limits_ms=(30, 10)),
    Row("all_100000", "all messages of 100,000 parts", "s", (1, 1), (4, 4), "measured once"),
    Row("health_100000", "`GET /global/health` meanwhile, p99, asked every 5 ms", "ms", limits_ms=(50, 10)),
    Row("fan_out", "an event delivered to 50 SSE clients, per delivery", "us", (11, 9), (20, 16), "title changes"),
    Row("fan_out_deltas", "the same, deltas of a model", "us", None, None, "500 deltas"),
    Row("crowd_p99", "`GET /session/{id}`, p99 under 200 SSE clients", "ms", (5, 3), (9, 4)),
    Row("start", "cold start to the first 200", "ms", (4, 3), (8, 6)),
    Row("start_2000", "start with 2,000 sessions stored", "ms", (4, 3), (8, 6)),
    Row("idle_rss", "memory idle, resident", "MiB", (5, 5), (8, 8)),
    Row("idle_pss", "memory idle, proportional (PSS)", "MiB", (5, 5), (8, 8)),
    Row("loaded_rss", "memory after this load, resident", "MiB", (7, 5), (10, 7)),
    Row("loaded_pss", "memory after this load, proportional (PSS)", "MiB", (7, 5), (10, 7)),
)
