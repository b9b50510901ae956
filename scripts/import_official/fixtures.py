"""The data of an official server as a small text file, for tests that run without the program.

Sessions are our own words, but servers add texts of theirs: those are replaced. So are the paths of this machine.
"""

import json
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Final

from scripts.import_official.accounts import Json, account_of

HOME: Final = "/home/user"
UNREAD: Final = ("event", "event_sequence", "session_message", "migration", "data_migration", "__drizzle_migrations")
"""Tables whose rows nobody needs to read sessions."""


def write_fixture(folder: Path, version: str, data: Path, answers: list[Json], root: Path) -> None:
    """``VERSION.storage.json`` (a file's text by its name) or ``VERSION.sql``, and ``VERSION.api.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    if (data / "opencode.db").exists():
        files = {f"{version}.sql": database_dump(data / "opencode.db")}
    else:
        files = {f"{version}.storage.json": json.dumps(storage_files(data / "storage"), indent=1, ensure_ascii=False)}
    answers = json.loads(json.dumps([with_neutral_parts(one) for one in answers]).replace(str(root), HOME))
    files[f"{version}.api.json"] = json.dumps(account_of(answers), indent=1, ensure_ascii=False)
    for name, text in files.items():
        (folder / name).write_text(text.replace(str(root), HOME) + "\n")


def storage_files(storage: Path) -> Json:
    """The JSON of every record by its file's name."""
    names = sorted(path.relative_to(storage).as_posix() for path in storage.rglob("*.json"))
    records = {name: json.loads((storage / name).read_text()) for name in names}
    return {name: neutral(record) if name.startswith("part/") else record for name, record in records.items()}


def database_dump(database: Path) -> str:
    """The SQL that makes the database again."""
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("", "-wal"):
            if (source := database.with_name(database.name + suffix)).exists():
                shutil.copyfile(source, Path(folder) / source.name)
        with closing(sqlite3.connect(Path(folder) / database.name)) as connection:
            for id, data in connection.execute("SELECT id, data FROM part").fetchall():
                text = json.dumps(neutral(json.loads(data)), ensure_ascii=False, separators=(",", ":"))
                connection.execute("UPDATE part SET data = ? WHERE id = ?", (text, id))
            present = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            for table in present.intersection(UNREAD):
                connection.execute(f"DELETE FROM {table}")
            connection.commit()
            return "\n".join(connection.iterdump())


def with_neutral_parts(answers: Json) -> Json:
    """What a server answers about a session whose parts are neutral."""
    messages = [{**message, "parts": [neutral(part) for part in message["parts"]]} for message in answers["messages"]]
    return {**answers, "messages": messages}


def neutral(part: Json) -> Json:
    """A part without the texts that a server put there."""
    if part.get("synthetic"):
        return {**part, "text": "A text that the server added."}
    if part.get("type") == "tool" and part["tool"] != "bash":
        given = {"output": f"What {part['tool']} gave.", "error": f"Why {part['tool']} failed."}
        state = part["state"]
        return {**part, "state": {**state, **{name: text for name, text in given.items() if name in state}}}
    if part.get("type") == "text" and part["text"].startswith("The following tool was"):
        return {**part, "text": "A text that the server added."}
    return part
