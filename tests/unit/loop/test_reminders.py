"""What is added to the newest prompt before it is sent."""

from opencode.core.clock import SystemClock
from opencode.core.ids import IdGenerator
from opencode.core.wire import replace
from opencode.loop.reminders import Reminders
from opencode.provider.request import AssistantTurn, TextContent, UserTurn
from opencode.session.schema import MessageWithParts, TextPart
from tests.support.records import assistant_message, text_part, user_message

REMINDERS = Reminders("only plan", "now build", "stop here", IdGenerator(SystemClock()))


def prompt(id: str) -> MessageWithParts:
    return MessageWithParts(info=user_message("ses_1", id), parts=[text_part("ses_1", id, f"prt_{id}", "go")])


def answer(id: str, parent: str, *, agent: str) -> MessageWithParts:
    return MessageWithParts(info=replace(assistant_message("ses_1", id, parent), agent=agent), parts=[])


def texts(history: list[MessageWithParts]) -> list[list[str]]:
    return [[part.text for part in message.parts if isinstance(part, TextPart)] for message in history]


PLANNED = [prompt("msg_1"), answer("msg_2", "msg_1", agent="plan"), prompt("msg_3")]
BUILT = [prompt("msg_1"), answer("msg_2", "msg_1", agent="build"), prompt("msg_3")]


def test_the_planner_is_reminded_on_its_newest_prompt_only() -> None:
    assert texts(REMINDERS.insert(BUILT, "plan")) == [["go"], [], ["go", "only plan"]]


def test_the_builder_is_told_that_planning_is_over() -> None:
    assert texts(REMINDERS.insert(PLANNED, "build")) == [["go"], [], ["go", "now build"]]
    assert texts(REMINDERS.insert(BUILT, "build")) == [["go"], [], ["go"]]


def test_other_agents_are_reminded_of_nothing() -> None:
    assert REMINDERS.insert(PLANNED, "general") == PLANNED


def test_the_history_itself_is_left_alone_and_the_reminder_is_synthetic() -> None:
    history = [*BUILT]
    reminded = REMINDERS.insert(history, "plan")[-1].parts[-1]
    assert isinstance(reminded, TextPart)
    assert (reminded.synthetic, history) == (True, BUILT)


def test_the_last_word_is_the_assistants_own_where_models_allow_it() -> None:
    text = [TextContent(text="stop here")]
    assert REMINDERS.out_of_steps(prefill=True) == AssistantTurn(content=text)
    assert REMINDERS.out_of_steps(prefill=False) == UserTurn(content=text)
