"""What a server says of its sessions, in a form that two servers can be compared by."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from scripts.import_official.conversations import Author

Json = dict[str, Any]
Account = dict[str, Json]
"""By session id."""

FIELDS: Final = ("id", "slug", "projectID", "directory", "parentID", "title", "version", "permission")
SAID_BY: Final = {
    "text": ("text",),
    "reasoning": ("text",),
    "file": ("url", "mime", "filename"),
    "tool": ("tool", "callID"),
    "patch": ("hash", "files"),
    "step-finish": ("reason", "tokens", "cost"),
}
STATE: Final = ("status", "input", "output", "error", "title", "metadata")


async def answers_of(author: Author, directories: list[Path]) -> list[Json]:
    """What a server answers about every session of these directories' projects."""
    return [
        await _answers(Author(author.client, author.model, directory), session)
        for directory in directories
        for session in await author.request("GET", f"/session?limit=10000&directory={directory}")
    ]


async def _answers(author: Author, session: Json) -> Json:
    at = f"/session/{session['id']}"
    return {"session": session} | {
        name: await author.request("GET", f"{at}/{path}")
        for name, path in (("messages", "message"), ("todos", "todo"), ("children", "children"))
    }


def account_of(answers: list[Json]) -> Account:
    """What an import must not change of each session: counts and hashes."""
    return {one["session"]["id"]: summary(**one) for one in answers}


def summary(session: Json, messages: list[Json], todos: list[Json], children: list[Json]) -> Json:
    """One session's account."""
    totals = session.get("summary") or {}
    # 1.2 gives messages of the same millisecond in any order.
    messages = sorted(messages, key=lambda message: (message["info"]["time"]["created"], message["info"]["id"]))
    return {
        **{name: session[name] for name in FIELDS if name in session},
        "time": {name: session["time"][name] for name in ("created", "updated", "archived") if name in session["time"]},
        "totals": [totals.get(name, 0) for name in ("additions", "deletions", "files")],
        "reverted": (session.get("revert") or {}).get("messageID"),
        "children": sorted(child["id"] for child in children),
        "todos": [[todo["content"], todo["status"], todo["priority"]] for todo in todos],
        "roles": "".join(message["info"]["role"][0] for message in messages),
        "parts": [len(message["parts"]) for message in messages],
        "messages": hashed([message["info"]["id"] for message in messages]),
        "texts": hashed([_said(part) for message in messages for part in message["parts"]]),
        "errors": [(message["info"].get("error") or {}).get("name") for message in messages],
    }


def _said(part: Json) -> list[Any]:
    """The type of a part, and everything it says."""
    said = [part["type"], *(part.get(name) for name in SAID_BY.get(part["type"], ()))]
    if part["type"] == "tool":
        said += [part["state"].get(name) for name in STATE]
    return said


def hashed(value: Any) -> str:
    """A hash of a JSON value; 1 and 1.0 are the same."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, default=str)
    return sha256(text.replace(".0,", ",").replace(".0}", "}").encode()).hexdigest()[:32]


def differences(official: Account, ours: Account) -> list[str]:
    """One line for each thing that is not the same."""
    lines = [f"{id}: {official[id]['title']!r} is missing" for id in official.keys() - ours.keys()]
    lines += [f"{id}: {ours[id]['title']!r} should not be there" for id in ours.keys() - official.keys()]
    for id in official.keys() & ours.keys():
        names = sorted(official[id].keys() | ours[id].keys())
        lines += [
            f"{id}: {name} is {ours[id].get(name)!r}, not {official[id].get(name)!r}"
            for name in names
            if official[id].get(name) != ours[id].get(name)
        ]
    return lines
