"""From sources to one configuration. Source: configuration, sections 1, 2, 5 and 11."""

import json
from pathlib import Path
from typing import Any

import pytest

from opencode.config.errors import ConfigInvalidError, ConfigJsonError, Issue
from opencode.config.schema import Config
from opencode.core.wire import UNSET, encode
from tests.unit.config.conftest import Places


def shown(config: Config) -> dict[str, Any]:
    """The configuration as clients see it."""
    value: dict[str, Any] = json.loads(encode(config))
    return value


def write_all_sources(places: Places, content: Any) -> list[str]:
    """Every source, lowest first, with the content made from its name; gives the names."""
    user = places.paths.config
    files = {
        "user config.json": user / "config.json",
        "user opencode.json": user / "opencode.json",
        "user opencode.jsonc": user / "opencode.jsonc",
        "OPENCODE_CONFIG": places.root / "named.json",
        "project config.json": places.app / "config.json",
        "repo opencode.jsonc": places.repo / "opencode.jsonc",
        "app opencode.jsonc": places.app / "opencode.jsonc",
        "repo opencode.json": places.repo / "opencode.json",
        "app opencode.json": places.app / "opencode.json",
        "app/.opencode opencode.json": places.app / ".opencode" / "opencode.json",
        "app/.opencode opencode.jsonc": places.app / ".opencode" / "opencode.jsonc",
        "repo/.opencode opencode.json": places.repo / ".opencode" / "opencode.json",
        "home/.opencode opencode.json": places.paths.home / ".opencode" / "opencode.json",
        "OPENCODE_CONFIG_DIR": places.root / "extra" / "opencode.json",
    }
    for name, path in files.items():
        places.write(path, content(name))
    places.values["OPENCODE_CONFIG"] = str(files["OPENCODE_CONFIG"])
    places.values["OPENCODE_CONFIG_DIR"] = str(places.root / "extra")
    places.values["OPENCODE_CONFIG_CONTENT"] = json.dumps(content("OPENCODE_CONFIG_CONTENT"))
    managed = {f"managed {name}": places.root / "managed" / name for name in ("opencode.jsonc", "opencode.json")}
    for name, path in managed.items():
        places.write(path, content(name))
    return [*files, "OPENCODE_CONFIG_CONTENT", *managed]


async def test_every_source_wins_over_those_below_it(places: Places) -> None:
    # Each source sets its own key and that of every source below it.
    names = write_all_sources(places, lambda name: {"agent": {f"x {name}": {"prompt": name}}})
    for index, name in enumerate(names):
        keys = names[: index + 1]
        rewrite(places, name, {"agent": {f"x {key}": {"prompt": name} for key in keys}})

    config = await places.load()

    assert {key: agent.prompt for key, agent in config.agent.items()} == {f"x {name}": names[-1] for name in names}
    assert [*config.agent] == [f"x {name}" for name in names]


def rewrite(places: Places, name: str, content: dict[str, Any]) -> None:
    """Put content into one of the sources of :func:`write_all_sources`."""
    if name == "OPENCODE_CONFIG_CONTENT":
        places.values[name] = json.dumps(content)
        return
    place, _, file = name.rpartition(" ")
    folder = {
        "user": places.paths.config,
        "project": places.app,
        "repo": places.repo,
        "app": places.app,
        "app/.opencode": places.app / ".opencode",
        "repo/.opencode": places.repo / ".opencode",
        "home/.opencode": places.paths.home / ".opencode",
        "managed": places.root / "managed",
    }
    special = {
        "OPENCODE_CONFIG": places.root / "named.json",
        "OPENCODE_CONFIG_DIR": places.root / "extra/opencode.json",
    }
    places.write(special.get(name) or folder[place] / file, content)


@pytest.mark.parametrize("top", range(17))
async def test_the_highest_source_present_decides(places: Places, top: int) -> None:
    names = write_all_sources(places, lambda name: {"username": name})
    for name in names[top + 1 :]:
        rewrite(places, name, {})

    assert (await places.load()).username == names[top]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("fail", {"policy": "fail"}),
        ("deny", {"policy": "deny"}),
        ({"policy": "deny", "afterSeconds": 5}, {"policy": "deny", "afterSeconds": 5}),
    ],
)
async def test_the_policy_for_nobody_being_there_may_stand_with_the_permissions(
    places: Places, written: Any, meant: Any
) -> None:
    places.write(places.app / "opencode.json", {"permission": {"bash": "ask", "unattended": written}})
    config = shown(await places.load())
    assert config["permission"] == {"bash": "ask"}
    assert config["server"]["unattended"] == meant


async def test_a_policy_that_does_not_exist_is_refused_wherever_it_stands(places: Places) -> None:
    places.write(places.app / "opencode.json", {"permission": {"unattended": "perhaps"}})
    with pytest.raises(ConfigInvalidError) as raised:
        await places.load()
    assert [issue.path for issue in raised.value.issues] == [["server", "unattended", "policy"]]


async def test_a_length_of_time_beyond_ten_years_is_refused(places: Places) -> None:
    unattended = {"policy": "deny", "afterSeconds": 1.2e308}
    places.write(places.app / "opencode.json", {"server": {"unattended": unattended}, "retry": {"turn_seconds": 1e12}})
    with pytest.raises(ConfigInvalidError) as raised:
        await places.load()
    assert sorted(issue.path for issue in raised.value.issues) == [
        ["retry", "turn_seconds"],
        ["server", "unattended", "afterSeconds"],
    ]


async def test_plugins_and_instructions_add_up_and_other_lists_are_replaced(places: Places) -> None:
    low = {"instructions": ["a.md", "b.md"], "plugin": ["one@1", "two"], "disabled_providers": ["x", "y"]}
    high = {"instructions": ["b.md", "c.md"], "plugin": ["one@2"], "disabled_providers": ["z"]}
    places.write(places.paths.config / "opencode.json", low)
    places.write(places.app / "opencode.json", high)

    config = await places.load()

    assert config.instructions == ["a.md", "b.md", "c.md"]
    assert config.plugin == ["two", "one@2"]
    assert config.disabled_providers == ["z"]


async def test_an_entry_of_another_kind_takes_the_place_of_the_one_below(places: Places) -> None:
    """Mixed, it would be neither, and no directory could be opened."""
    remote = {"type": "remote", "url": "http://localhost/mcp"}
    places.write(places.paths.config / "opencode.json", {"mcp": {"a": remote, "b": remote, "c": remote}})
    local = {"type": "local", "command": ["serve"]}
    over = {"a": local, "b": {"enabled": False}, "c": {**remote, "url": "http://localhost/other"}}
    places.values["OPENCODE_CONFIG_CONTENT"] = json.dumps({"mcp": over})
    assert shown(await places.load())["mcp"] == {
        "a": local,
        "b": {**remote, "enabled": False},
        "c": {**remote, "url": "http://localhost/other"},
    }


async def test_among_the_users_own_files_all_lists_are_replaced(places: Places) -> None:
    places.write(places.paths.config / "config.json", {"instructions": ["a.md"]})
    places.write(places.paths.config / "opencode.json", {"instructions": ["b.md"]})

    assert (await places.load()).instructions == ["b.md"]


async def test_nothing_configured_gives_what_is_always_present(places: Places) -> None:
    assert shown(await places.load()) == {"agent": {}, "mode": {}, "plugin": [], "command": {}, "username": "unknown"}


async def test_a_directory_that_does_not_exist_has_a_configuration(places: Places) -> None:
    places.app.rmdir()

    assert (await places.load()).agent == {}


async def test_permission_keys_keep_their_order_over_all_layers(places: Places) -> None:
    places.write(
        places.paths.config / "opencode.json", '{"permission": {"zeta": "ask", "bash": {"b *": "ask", "*": "deny"}}}'
    )
    places.write(
        places.app / "opencode.json",
        '{"permission": {"alpha": "deny", "bash": {"*": "allow", "a": "ask"}, "zeta": "allow"}}',
    )
    places.values["OPENCODE_PERMISSION"] = '{"alpha": "allow", "last": "deny"}'

    permission = (await places.load()).permission

    assert json.dumps(shown(await places.load())["permission"]) == json.dumps(permission)
    assert json.dumps(permission) == json.dumps(
        {"zeta": "allow", "bash": {"b *": "ask", "*": "allow", "a": "ask"}, "alpha": "allow", "last": "deny"}
    )


async def test_one_action_for_everything_is_a_rule_for_the_star(places: Places) -> None:
    places.write(places.app / "opencode.json", {"permission": "ask"})

    assert (await places.load()).permission == {"*": "ask"}


async def test_a_broken_environment_permission_is_an_error_not_a_permission(places: Places) -> None:
    places.values["OPENCODE_PERMISSION"] = '{"bash": "never"}'

    with pytest.raises(ConfigInvalidError, match=r'OPENCODE_PERMISSION: bash: Expected "allow" \| "ask" \| "deny"'):
        await places.load()


async def test_the_tools_map_becomes_permissions_before_the_explicit_ones(places: Places) -> None:
    places.write(
        places.app / "opencode.json",
        {"tools": {"write": False, "patch": True, "webfetch": False, "bash": False}, "permission": {"bash": "ask"}},
    )

    config = await places.load()

    assert json.dumps(config.permission) == json.dumps({"edit": "allow", "webfetch": "deny", "bash": "ask"})
    assert config.tools == {"write": False, "patch": True, "webfetch": False, "bash": False}


async def test_agents_are_normalised_as_the_official_server_shows_them(places: Places) -> None:
    writer = {
        "prompt": "You write.",
        "steps": 2,
        "permission": {"bash": "deny"},
        "tools": {"bash": True, "edit": False},
        "reasoningEffort": "high",
        "options": {"a": 1},
    }
    places.write(
        places.app / "opencode.json",
        {"agent": {"writer": writer, "old": {"maxSteps": 3}, "none": {"permission": "ask"}}},
    )

    assert shown(await places.load())["agent"] == {
        "writer": {
            "prompt": "You write.",
            "steps": 2,
            "tools": {"bash": True, "edit": False},
            "options": {"a": 1, "reasoningEffort": "high"},
            "permission": {"bash": "deny", "edit": "deny"},
        },
        "old": {"maxSteps": 3, "steps": 3, "options": {}, "permission": {}},
        "none": {"options": {}, "permission": {"*": "ask"}},
    }


async def test_modes_become_primary_agents(places: Places) -> None:
    places.write(places.app / "opencode.json", {"mode": {"build": {"prompt": "p"}}, "agent": {"build": {"steps": 1}}})

    config = await places.load()

    assert shown(config)["agent"] == {
        "build": {"prompt": "p", "mode": "primary", "steps": 1, "options": {}, "permission": {}}
    }
    assert shown(config)["mode"] == {"build": {"prompt": "p", "options": {}, "permission": {}}}


async def test_legacy_settings_and_flags_take_effect(places: Places) -> None:
    places.write(
        places.app / "opencode.json", {"autoshare": True, "compaction": {"reserved": 5}, "keybinds": {"leader": "x"}}
    )
    places.values.update(OPENCODE_DISABLE_AUTOCOMPACT="TRUE", OPENCODE_DISABLE_PRUNE="1", USER="dev")

    config = shown(await places.load())

    assert (config["share"], config["username"]) == ("auto", "dev")
    assert config["compaction"] == {"reserved": 5, "auto": False, "prune": False}
    assert (config["keybinds"]["leader"], config["keybinds"]["app_exit"]) == ("x", "ctrl+c,ctrl+d,<leader>q")


async def test_every_kind_of_entry_keeps_its_shape(places: Places) -> None:
    content: dict[str, Any] = {
        "mcp": {
            "local": {"type": "local", "command": ["x"], "timeout": 5},
            "remote": {"type": "remote", "url": "http://x", "oauth": False},
            "switch": {"enabled": False},
        },
        "lsp": {"a": {"disabled": True}, "b": {"command": ["x"], "extensions": [".x"]}},
        "formatter": {"a": {"command": ["x", "$FILE"]}},
        "references": {"a": "../a", "b": {"path": "x"}, "c": {"repository": "r", "branch": "b"}},
        "plugin": ["a", ["b", {"option": 1}]],
        "autoupdate": "notify",
        "provider": {"p": {"options": {"apiKey": "k", "other": [1]}, "models": {"m": {"interleaved": {"field": "x"}}}}},
        "server": {"port": 1, "enabled": True, "host": "h", "auth": {"type": "bearer", "tokens": ["t"]}},
        "theme": "dark",
        "tui": {"scroll_speed": 0.5},
        "layout": "stretch",
    }
    places.write(places.app / "opencode.json", content)

    config = shown(await places.load())

    assert {key: config[key] for key in content} == content


async def test_project_configuration_can_be_switched_off(places: Places) -> None:
    for folder in (places.app, places.app / ".opencode"):
        places.write(folder / "opencode.json", {"model": "a/b"})
    places.values["OPENCODE_DISABLE_PROJECT_CONFIG"] = "1"

    assert (await places.load()).model is UNSET


async def test_another_programs_config_json_is_left_alone(places: Places) -> None:
    places.write(places.app / "config.json", {"model": "resnet", "layers": 50})

    assert (await places.load()).model is UNSET


async def test_relative_plugins_become_file_urls(places: Places) -> None:
    places.write(places.app / "opencode.json", {"plugin": ["./p/x.ts", "package", ["../y.js", {}]]})

    assert (await places.load()).plugin == [
        (places.app / "p" / "x.ts").as_uri(),
        "package",
        ((places.repo / "y.js").as_uri(), {}),
    ]


async def test_values_come_from_the_environment_and_from_files(places: Places) -> None:
    places.values["KEY"] = "from-env"
    places.write(places.app / "key.txt", "from-file\n")
    options = {"apiKey": "{env:KEY}", "headers": {"x-file": "{file:key.txt}", "x-none": "{env:NOT_SET}"}}
    places.write(places.app / "opencode.json", {"provider": {"p": {"options": options}}})

    provider = shown(await places.load())["provider"]["p"]

    assert provider["options"] == {"apiKey": "from-env", "headers": {"x-file": "from-file", "x-none": ""}}


async def test_a_fault_names_the_file_the_key_and_what_is_expected(places: Places) -> None:
    path = places.write(places.app / "opencode.jsonc", '{ "model": 5, }')

    with pytest.raises(ConfigInvalidError) as raised:
        await places.load()

    assert raised.value.issues == [Issue(path=["model"], message="Expected string | undefined, got 5")]
    assert raised.value.data == {
        "message": f"{path}: model: Expected string | undefined, got 5",
        "path": str(path),
        "issues": raised.value.issues,
    }


async def test_an_unknown_key_is_a_fault_that_suggests_a_known_one(places: Places) -> None:
    places.write(places.app / "opencode.json", {"permissions": {}})

    with pytest.raises(ConfigInvalidError) as raised:
        await places.load()

    assert raised.value.issues == [
        Issue(path=["permissions"], message="Unknown key `permissions`; did you mean `permission`?")
    ]


async def test_a_text_that_is_no_json_names_line_and_column(places: Places) -> None:
    path = places.write(places.app / "opencode.json", '{\n  "model": ,\n}')

    with pytest.raises(ConfigJsonError) as raised:
        await places.load()

    assert (
        raised.value.message == f"{path}: Expected a value, found ',' at line 2, column 12\n  \"model\": ,\n{' ' * 11}^"
    )


async def test_a_file_that_cannot_be_read_is_named(places: Places) -> None:
    (places.app / "opencode.json").mkdir()

    with pytest.raises(ConfigJsonError, match=r"app/opencode.json: the file cannot be read"):
        await places.load()


async def test_loading_changes_no_file(places: Places) -> None:
    path = places.write(places.app / "opencode.json", {"model": "a/b", "theme": "dark"})
    before = (path.read_text(), path.stat().st_mtime_ns)

    await places.load()

    assert (path.read_text(), path.stat().st_mtime_ns) == before
    assert [entry.name for entry in Path(places.app).iterdir()] == ["opencode.json"]
