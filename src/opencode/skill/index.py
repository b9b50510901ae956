"""Downloads skills from indexes on the web into the cache (spec: commands and skills, section 4.2).

An index is ``<url>/index.json``: ``{"skills": [{"name", "files": [...], "version"?}]}``; a file of a skill is at
``<url>/<name>/<file>``. What is in the cache is not fetched again unless the version has changed.
"""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread
from msgspec import ValidationError

from opencode.core.log import Logger
from opencode.core.wire import UNSET, UnsetType, Wire, decode
from opencode.skill.errors import SkillIndexInvalid
from opencode.skill.places import SKILL_FILE

if TYPE_CHECKING:
    import httpx2

log = Logger("skill")

FETCH_SECONDS = 10
FILE_BYTES = 1024 * 1024
FILE_LIMIT = 200
SKILL_LIMIT = 200
_VERSION_FILE = ".version"


class IndexedSkill(Wire):
    """One skill of an index."""

    name: str
    files: list[str]
    version: str | UnsetType = UNSET


class SkillIndex(Wire):
    """What an address offers."""

    skills: list[IndexedSkill]


async def download_indexes(urls: Sequence[str], cache: Path) -> list[Path]:
    """The folders of the skills at these addresses, in order, as far as they could be had now or before."""
    folders: dict[str, list[Path]] = {}
    async with anyio.create_task_group() as tasks:
        for url in dict.fromkeys(urls):
            tasks.start_soon(_download_index, url.rstrip("/"), cache, folders)
    return [folder for url in urls for folder in folders.get(url.rstrip("/"), [])]


async def _download_index(url: str, cache: Path, folders: dict[str, list[Path]]) -> None:
    # Slow to import, and seldom needed.
    import httpx2

    home = cache / hashlib.sha256(url.encode()).hexdigest()[:16]
    try:
        with anyio.fail_after(FETCH_SECONDS):
            async with httpx2.AsyncClient(follow_redirects=True, timeout=FETCH_SECONDS) as client:
                index = decode(await _get(client, f"{url}/index.json"), SkillIndex)
                for skill in index.skills[:SKILL_LIMIT]:
                    await _download_skill(client, url, skill, home)
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValidationError, SkillIndexInvalid, OSError) as error:
        log.warning("skills not downloaded", url=url, reason=str(error) or type(error).__name__)
    folders[url] = [home]


async def _download_skill(client: "httpx2.AsyncClient", url: str, skill: IndexedSkill, home: Path) -> None:
    """Fetch one skill whole and put it in place at once, unless this version is there."""
    names = [_inside(name) for name in skill.files[:FILE_LIMIT]]
    folder = home / _inside(skill.name)
    if SKILL_FILE not in skill.files or _is_current(folder, skill):
        return
    files = {name: await _get(client, f"{url}/{skill.name}/{name}") for name in names}
    version = "" if skill.version is UNSET else skill.version
    await to_thread.run_sync(_replace, folder, {**files, PurePosixPath(_VERSION_FILE): version.encode()}, home.parent)


async def _get(client: "httpx2.AsyncClient", url: str) -> bytes:
    async with client.stream("GET", url) as response:
        response.raise_for_status()
        data = bytearray()
        async for chunk in response.aiter_bytes():
            data += chunk
            if len(data) > FILE_BYTES:
                raise SkillIndexInvalid(f"{url} is larger than {FILE_BYTES} bytes")
        return bytes(data)


def _inside(name: str) -> PurePosixPath:
    """The name as a path that stays below the folder it is put in."""
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise SkillIndexInvalid(f"not a name of a file in the skill: {name!r}")
    return path


def _is_current(folder: Path, skill: IndexedSkill) -> bool:
    if not (folder / SKILL_FILE).is_file():
        return False
    stored = folder / _VERSION_FILE
    return skill.version is UNSET or (stored.is_file() and stored.read_text("utf-8") == skill.version)


def _replace(folder: Path, files: dict[PurePosixPath, bytes], staging: Path) -> None:
    """Put new contents in place of a folder, so that nobody sees half of them."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(mkdtemp(prefix=".new-", dir=staging))
    try:
        for name, data in files.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_bytes(data)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.replace(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
