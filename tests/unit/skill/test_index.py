from collections.abc import AsyncIterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from opencode.core.wire import encode
from opencode.skill.index import download_indexes


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    return tmp_path / "site"


@pytest.fixture
async def url(site: Path) -> AsyncIterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def publish(site: Path, name: str = "greet", text: str = "one", **more: Any) -> None:
    """An index with one skill of two files."""
    (site / "greet/scripts").mkdir(parents=True, exist_ok=True)
    (site / "greet/SKILL.md").write_text(text)
    (site / "greet/scripts/run.sh").write_text("echo hi")
    entry = {"name": name, "files": ["SKILL.md", "scripts/run.sh"], **more}
    (site / "index.json").write_bytes(encode({"skills": [entry]}))


async def test_a_skill_is_downloaded_with_all_its_files(site: Path, url: str, tmp_path: Path) -> None:
    publish(site)
    (home,) = await download_indexes([f"{url}/"], tmp_path / "cache")
    assert (home / "greet/SKILL.md").read_text() == "one"
    assert (home / "greet/scripts/run.sh").read_text() == "echo hi"


async def test_what_is_there_is_fetched_again_only_when_its_version_changes(
    site: Path, url: str, tmp_path: Path
) -> None:
    publish(site, text="one", version="1")
    await download_indexes([url], tmp_path / "cache")
    publish(site, text="two", version="1")
    (home,) = await download_indexes([url], tmp_path / "cache")
    assert (home / "greet/SKILL.md").read_text() == "one"
    publish(site, text="two", version="2")
    await download_indexes([url], tmp_path / "cache")
    assert (home / "greet/SKILL.md").read_text() == "two"


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "../out"},
        {"name": "/out"},
        {"name": "greet", "files": ["SKILL.md", "../../escaped"]},
        {"name": "greet", "files": ["SKILL.md", "a\\..\\b"]},
        {"name": "greet", "files": ["scripts/run.sh"]},
    ],
)
async def test_what_would_leave_the_cache_or_is_no_skill_is_refused(
    site: Path, url: str, tmp_path: Path, entry: dict[str, Any]
) -> None:
    publish(site, **{"name": "greet", **entry})
    await download_indexes([url], tmp_path / "cache")
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []
    assert not (tmp_path / "escaped").exists()


async def test_an_address_without_an_index_gives_what_was_there_before(site: Path, url: str, tmp_path: Path) -> None:
    publish(site)
    (before,) = await download_indexes([url], tmp_path / "cache")
    (site / "index.json").unlink()
    assert await download_indexes([url], tmp_path / "cache") == [before]
    assert (before / "greet/SKILL.md").is_file()
