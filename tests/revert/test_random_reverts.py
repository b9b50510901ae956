"""Whatever tools did to files, a revert gives the tree that was there, byte for byte, and an unrevert the other."""

from pathlib import Path

from tests.revert.program import Program
from tests.support.scripted_config import scripted_config
from tests.trace.world import open_world

PATIENCE_SECONDS = 300
FILES = {".gitignore": "*.log\n", "x/y": "first\nsecond\n", "docs/guide.md": "# Guide\n"}
ENVIRON = {"OPENCODE_DISABLE_FILETIME_CHECK": "true"}
"""The guard against blind overwrites would refuse most of what is tried."""


async def test_every_tree_is_the_one_that_was_recorded(tmp_path: Path, seed: int) -> None:
    model = scripted_config("")["provider"]["scripted"]["models"]["m1"]
    config = {"permission": "allow", "provider": {"scripted": {"models": {"gpt-5": model}}}}
    async with open_world(tmp_path, config, FILES, ENVIRON, patience_seconds=PATIENCE_SECONDS) as world:
        await Program(world, seed).play()
