"""What is added to the newest prompt before it is sent."""

from opencode.core.clock import SystemClock
from opencode.core.ids import IdGenerator, ProjectID, SessionID
from opencode.core.wire import replace
from opencode.loop.reminders import Reminders, StepNotes
from opencode.provider.request import AssistantTurn, TextContent, UserTurn
from opencode.session.schema import MessageWithParts, Session, SessionTime, TextPart
from tests.support.records import assistant_message, text_part, user_message

REMINDERS = Reminders("only plan", "now build", IdGenerator(SystemClock()))
SESSION = Session(
    id=SessionID("ses_1"),
    slug="calm-cove",
    project_id=ProjectID("p"),
    directory="/",
    title="t",
    version="1",
    time=SessionTime(created=1, updated=1),
)


def prompt(id: str) -> MessageWithParts:
    return MessageWithParts(info=user_message("ses_1", id), parts=[text_part("ses_1", id, f"prt_{id}", "go")])


def answer(id: str, parent: str, *, agent: str) -> MessageWithParts:
    return MessageWithParts(info=replace(assistant_message("ses_1", id, parent), agent=agent), parts=[])


async def texts(history: list[MessageWithParts], agent: str) -> list[list[str]]:
    reminded = await REMINDERS.insert(SESSION, history, agent)
    return [[part.text for part in message.parts if isinstance(part, TextPart)] for message in reminded]


PLANNED = [prompt("msg_1"), answer("msg_2", "msg_1", agent="plan"), prompt("msg_3")]
BUILT = [prompt("msg_1"), answer("msg_2", "msg_1", agent="build"), prompt("msg_3")]


async def test_the_planner_is_reminded_on_its_newest_prompt_only() -> None:
    assert await texts(BUILT, "plan") == [["go"], [], ["go", "only plan"]]


async def test_the_builder_is_told_that_planning_is_over() -> None:
    assert await texts(PLANNED, "build") == [["go"], [], ["go", "now build"]]
    assert await texts(BUILT, "build") == [["go"], [], ["go"]]


async def test_other_agents_are_reminded_of_nothing() -> None:
    assert await REMINDERS.insert(SESSION, PLANNED, "general") == PLANNED


async def test_the_history_itself_is_left_alone_and_the_reminder_is_synthetic() -> None:
    history = [*BUILT]
    reminded = (await REMINDERS.insert(SESSION, history, "plan"))[-1].parts[-1]
    assert isinstance(reminded, TextPart)
    assert (reminded.synthetic, history) == (True, BUILT)


def test_the_last_word_is_the_assistants_own_where_models_allow_it() -> None:
    notes, text = StepNotes("stop here", "call it"), [TextContent(text="stop here")]
    assert notes.out_of_steps(prefill=True) == AssistantTurn(content=text)
    assert notes.out_of_steps(prefill=False) == UserTurn(content=text)
    assert notes.no_words() == UserTurn(content=[TextContent(text="call it")])
