"""How connections are opened: their settings, and why.

* WAL: readers never wait for the writer. ``synchronous=NORMAL`` commits without waiting for the disk; a killed
  process loses nothing, a power cut what was committed since the last checkpoint. ``FULL`` waits at every commit.
* No automatic checkpoints: they would make the event loop wait for the disk (:mod:`opencode.storage.checkpoint`).
* Small caches and no memory map: the file system caches the file anyway, once for all connections.
"""

import sqlite3
from pathlib import Path
from typing import Final, Literal

Durability = Literal["normal", "full"]

WRITER_CACHE_KIB: Final = 2048
READER_CACHE_KIB: Final = 512
STATEMENTS: Final = 256


def connect(path: Path, *, cache_kib: int = READER_CACHE_KIB) -> sqlite3.Connection:
    """A connection without settings that change the file. Waits for nobody's lock; any thread may use it in turn."""
    connection = sqlite3.connect(
        path, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=STATEMENTS
    )
    try:
        connection.execute(f"PRAGMA cache_size = -{cache_kib}")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
    except BaseException:
        connection.close()
        raise
    return connection


def prepare_writer(connection: sqlite3.Connection, durability: Durability) -> None:
    """Make the database a WAL one and set how durable a commit is."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {durability.upper()}")


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write."""
    connection = connect(path)
    connection.execute("PRAGMA query_only = ON")
    return connection
