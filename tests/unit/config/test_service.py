"""Changing configuration files. Source: configuration, section 8; operations ``config.update``, ``global.config.*``."""

import json
import os
import stat
from pathlib import Path

import anyio
import pytest

from opencode.config.errors import ConfigInvalidError, ConfigJsonError, ConfigPatchInvalid
from opencode.config.service import ConfigService
from opencode.core.whole_file import FileNotStored
from tests.unit.config.conftest import Json, Places


@pytest.fixture
def service(places: Places) -> ConfigService:
    return ConfigService(places.paths, places.environment)


async def test_without_files_the_global_configuration_is_empty(service: ConfigService) -> None:
    assert await service.global_config() == {}


async def test_a_change_makes_a_new_private_file(service: ConfigService, places: Places) -> None:
    answer = await service.update_global({"username": "everywhere", "agent": {"a": {"steps": 1}}})

    path = places.paths.config / "opencode.jsonc"
    assert answer == {"username": "everywhere", "agent": {"a": {"steps": 1, "options": {}, "permission": {}}}}
    assert json.loads(path.read_text()) == {"username": "everywhere", "agent": {"a": {"steps": 1}}}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(places.paths.config) == ["opencode.jsonc"]


async def test_comments_stay(service: ConfigService, places: Places) -> None:
    path = places.write(
        places.paths.config / "opencode.jsonc",
        '{\n    // who\n    "username": "a", // me\n    "permission": {"bash": "ask" /* careful */},\n}\n',
    )
    path.chmod(0o644)

    await service.update_global({"username": "b", "permission": {"edit": "deny"}, "model": "x/y"})

    assert path.read_text() == (
        '{\n    // who\n    "username": "b", // me\n'
        '    "permission": {"bash": "ask", /* careful */\n      "edit": "deny"\n    },\n    "model": "x/y"\n}\n'
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("name", ["opencode.json", "config.json"])
async def test_the_existing_file_is_the_one_that_changes(service: ConfigService, places: Places, name: str) -> None:
    places.write(places.paths.config / "config.json", {"model": "a/b"})
    path = places.write(places.paths.config / name, {"model": "a/b"})

    assert await service.update_global({"model": "c/d"}) == {"model": "c/d"}
    assert json.loads(path.read_text()) == {"model": "c/d"}
    assert not (places.paths.config / "opencode.jsonc").exists()


async def test_a_linked_file_stays_linked(service: ConfigService, places: Places) -> None:
    real = places.write(places.root / "dotfiles" / "opencode.json", {"model": "a/b"})
    places.paths.config.mkdir(parents=True)
    (places.paths.config / "opencode.json").symlink_to(real)

    await service.update_global({"model": "c/d"})

    assert (places.paths.config / "opencode.json").is_symlink()
    assert json.loads(real.read_text()) == {"model": "c/d"}


async def test_tokens_stay_tokens(service: ConfigService, places: Places) -> None:
    path = places.write(places.paths.config / "opencode.json", {"username": "{env:SECRET}"})

    await service.update_global({"model": "c/d"})

    assert json.loads(path.read_text()) == {"username": "{env:SECRET}", "model": "c/d"}


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ({"model": 5}, 'Expected string | null, got 5\n  at ["model"]'),
        ({"nonsense": True}, 'Unknown key `nonsense`\n  at ["nonsense"]'),
        ({"username": None}, 'Expected string | null, got null\n  at ["username"]'),
        (
            {"permission": "often"},
            'Expected "allow" | "ask" | "deny" | object | null, got "often"\n  at ["permission"]',
        ),
        ([], "Expected object, got an array\n  at the top"),
    ],
)
async def test_what_does_not_fit_is_refused_and_nothing_is_written(
    service: ConfigService, places: Places, patch: Json, message: str
) -> None:
    with pytest.raises(ConfigPatchInvalid) as raised:
        await service.update_project(places.app, places.app, patch)

    assert (raised.value.name, raised.value.data) == ("BadRequest", {"message": message, "kind": "Payload"})
    assert os.listdir(places.app) == []


async def test_a_broken_file_is_not_touched(service: ConfigService, places: Places) -> None:
    path = places.write(places.app / "opencode.json", '{"model": ')
    with pytest.raises(ConfigJsonError):
        await service.update_project(places.app, places.app, {"model": "a/b"})

    path.write_text('{"model": 5}')
    with pytest.raises(ConfigInvalidError):
        await service.update_project(places.app, places.app, {"username": "x"})

    assert path.read_text() == '{"model": 5}'


async def test_a_project_change_is_read_back_and_answers_itself(service: ConfigService, places: Places) -> None:
    assert await service.update_project(places.app, places.app, {"username": "patched"}) == {"username": "patched"}

    assert (await places.load()).username == "patched"
    assert os.listdir(places.app) == ["opencode.json"]


async def test_of_two_project_files_the_one_that_wins_changes(service: ConfigService, places: Places) -> None:
    for name in ("opencode.json", "opencode.jsonc"):
        places.write(places.app / name, {"username": name})

    await service.update_project(places.app, places.app, {"username": "patched"})

    assert (await places.load()).username == "patched"


async def test_an_empty_shell_takes_the_setting_away(service: ConfigService, places: Places) -> None:
    path = places.write(places.paths.config / "opencode.jsonc", '{\n  "model": "a/b",\n  "shell": "zsh"\n}')

    await service.update_global({"shell": ""})

    assert json.loads(path.read_text()) == {"model": "a/b"}


async def test_changes_made_at_once_are_all_kept(service: ConfigService, places: Places) -> None:
    async with anyio.create_task_group() as tasks:
        for index in range(10):
            tasks.start_soon(service.update_global, {"agent": {f"a{index}": {"steps": 1}}})

    assert len((await service.global_config())["agent"]) == 10


async def test_credentials_of_the_server_are_masked_and_survive_being_sent_back(
    service: ConfigService, places: Places
) -> None:
    server = {"auth": {"type": "bearer", "tokens": ["secret"]}, "cors": {"origins": ["http://x"], "methods": ["GET"]}}
    path = places.write(places.paths.config / "opencode.json", {"server": server})

    shown = await service.global_config()
    await service.update_global({**shown, "username": "x"})

    assert shown["server"] == {
        "auth": {"type": "bearer", "tokens": ["***"]},
        "cors": ["http://x"],
        "corsOptions": {"origins": ["http://x"], "methods": ["GET"]},
    }
    assert json.loads(path.read_text()) == {"server": server, "username": "x"}


async def test_a_failed_write_leaves_nothing_behind(
    service: ConfigService, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("disk full")

    path = places.write(places.app / "opencode.json", {"model": "a/b"})
    monkeypatch.setattr(Path, "replace", refuse)

    with pytest.raises(FileNotStored, match="disk full"):
        await service.update_project(places.app, places.app, {"model": "c/d"})

    assert (os.listdir(places.app), json.loads(path.read_text())) == (["opencode.json"], {"model": "a/b"})
