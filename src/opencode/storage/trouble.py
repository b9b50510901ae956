"""That the database takes no changes at present."""

from dataclasses import dataclass

from opencode.storage.errors import StorageError


@dataclass(frozen=True, slots=True)
class StorageTrouble:
    """What the last write failed with, and since when all have failed, in ms."""

    error: StorageError
    since_ms: int
