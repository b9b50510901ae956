"""Summaries are made beside the steps: when each is told is chance, what the last one says is not."""

from typing import Any

Event = dict[str, Any]

TOTALS = {"tokens", "cost", "summary", "time"}
"""What changes in a session with each step, and is told with its summary."""


def summaries_last(events: list[Event]) -> list[Event]:
    """The events with the last summary of each turn just before its session rests, and none before it."""
    kept: list[Event] = []
    held: dict[str, dict[str, Event]] = {}
    known: dict[str, Event] = {}
    for event in events:
        session = event["properties"].get("sessionID", "")
        if event["type"] == "session.status":
            if event["properties"]["status"]["type"] == "idle":
                kept += held.pop(session, {}).values()
            else:
                held.setdefault(session, {})
        if session in held and (name := _summary(event, known.get(session))) is not None:
            held[session].pop(name, None)
            held[session][name] = event
        else:
            kept.append(event)
        if event["type"] in ("session.created", "session.updated"):
            known[session] = _without_totals(event)
    return kept + [event for last in held.values() for event in last.values()]


def _summary(event: Event, known: Event | None) -> str | None:
    """What the event is the summary of; None when it tells something else."""
    match event:
        case {"type": "session.updated"} if _without_totals(event) == known:
            return "session"
        case {"type": "session.diff"}:
            return "diff"
        case {"type": "message.updated", "properties": {"info": {"role": "user", "summary": _, "id": message}}}:
            return str(message)
        case _:
            return None


def _without_totals(event: Event) -> Event:
    return {name: value for name, value in event["properties"]["info"].items() if name not in TOTALS}
