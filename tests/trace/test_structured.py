"""Answers of a given shape."""

from tests.support.scripted_model.script import Call, turn
from tests.trace.scenario import scenario
from tests.trace.world import World

FORMAT = {
    "type": "json_schema",
    "schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "count": {"type": "integer"}},
        "required": ["city", "count"],
    },
}


def gives(id: str, **value: object) -> Call:
    return Call("StructuredOutput", value, id=id)


@scenario(
    turn(gives("call_1", city="Oslo", count=3)),
    "I refuse to use the tool.",
    turn(gives("call_2", city=5)),
    turn(gives("call_3", city="Rome", count=1)),
    "In words.",
    shows=["tools"],
)
async def test_an_object_is_given_at_once_not_at_all_and_at_the_second_try(world: World) -> None:
    session = await world.session()
    await world.prompt(session, "Structured please", format=FORMAT)
    await world.prompt(session, "Again", format={**FORMAT, "retryCount": 0})
    await world.prompt(session, "Bad arguments", format=FORMAT)
    await world.prompt(session, "Plain text", format={"type": "text"})


@scenario("It is Oslo.", turn(gives("call_1", city="Oslo", count=1)))
async def test_words_instead_of_an_object_are_followed_by_a_reminder(world: World) -> None:
    await world.prompt(await world.session(), "Structured please", format=FORMAT)
