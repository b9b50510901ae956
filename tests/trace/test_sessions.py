"""Sessions and their messages as records: made, read, changed, removed."""

from tests.trace.scenario import scenario
from tests.trace.world import World

MISSING = "ses_000000000000AAAAAAAAAAAAAA"


@scenario()
async def test_sessions_are_made_listed_changed_and_removed(world: World) -> None:
    first = await world.session(title="One")
    second = await world.session(title="Two other", parentID=first)
    extras = {"agent": "plan", "model": {"providerID": "scripted", "id": "m1"}, "metadata": {"k": 1}}
    await world.session(title="Extras", permission=[{"permission": "bash", "pattern": "*", "action": "deny"}], **extras)
    await world.send("POST", "/session", {"parentID": MISSING})
    await world.get(f"/session/{first}")
    await world.get(f"/session/{first}/children")
    for query in ("", "?roots=true", "?search=other", "?limit=1", "?start=9999999999999", "?limit=abc", "?path=src"):
        await world.get(f"/session{query}")
    rules = [{"permission": "edit", "pattern": "*", "action": "ask"}]
    archived = {"archived": 1_400_000_000_000}
    for change in ({"title": "One renamed"}, {"time": archived}, {"metadata": {"a": "b"}}, {"permission": rules}, {}):
        await world.send("PATCH", f"/session/{first}", change)
    await world.get("/session")
    await world.send("PATCH", f"/session/{first}", {"title": 5})
    await world.send("DELETE", f"/session/{first}")
    await world.get(f"/session/{first}")
    await world.get(f"/session/{second}")
    await world.send("DELETE", f"/session/{first}")


@scenario()
async def test_messages_and_parts_are_changed_and_removed(world: World) -> None:
    session = await world.session()
    note = await world.prompt(session, "before", noReply=True)
    part = note["parts"][0]
    path = f"/session/{session}/message/{note['info']['id']}"
    await world.send("PATCH", f"{path}/part/{part['id']}", {**part, "text": "after"})
    await world.send("PATCH", f"{path}/part/{part['id']}", {**part, "id": "prt_other"})
    await world.send("PATCH", f"{path}/part/{part['id']}", {"text": "no type"})
    await world.get(path)
    await world.send("DELETE", f"{path}/part/{part['id']}")
    await world.get(path)
    await world.send("DELETE", path)
    await world.get(path)
    await world.send("DELETE", path)


@scenario()
async def test_messages_are_read_in_pages_from_the_newest(world: World) -> None:
    session = await world.session()
    notes = [await world.prompt(session, f"note {n}", noReply=True) for n in range(5)]
    for query in ("", "?limit=2", "?limit=0", "?limit=-1", "?limit=x", "?before=odd", "?limit=2&before=odd"):
        await world.get(f"/session/{session}/message{query}")
    await world.get(f"/session/{session}/message/{notes[0]['info']['id']}")
    await world.get(f"/session/{session}/message/msg_000000000000AAAAAAAAAAAAAA")
    await world.get(f"/session/{MISSING}/message")
