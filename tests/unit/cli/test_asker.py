import os
import pty
from collections.abc import Callable, Iterator

import pytest

from opencode.cli.asker import Terminal, chosen
from opencode.permission.schema import PermissionAsked
from opencode.question.schema import QuestionAsked, QuestionInfo, QuestionOption

ASKED = PermissionAsked(
    id="per_1", session_id="ses_1", permission="bash", patterns=["git push"], metadata={}, always=["git *"]
)


def question(*, multiple: bool = False) -> QuestionInfo:
    options = [QuestionOption(label=label, description="") for label in ("Red", "Blue")]
    return QuestionInfo(question="Which?", header="h", options=options, multiple=multiple)


Typing = tuple[Callable[[str], None], Terminal]
END_OF_INPUT = "\x04"


@pytest.fixture
def terminal() -> Iterator[Typing]:
    """What types at a real terminal, and the asker that reads it."""
    keyboard, screen = pty.openpty()

    def type_in(text: str) -> None:
        os.write(keyboard, text.encode())

    yield type_in, Terminal(screen)
    os.close(keyboard)
    os.close(screen)


@pytest.mark.parametrize(
    ("lines", "reply"),
    [("\n", "once"), ("A\n", "always"), ("reject\n", "reject"), ("what?\nn\n", "reject"), (END_OF_INPUT, "reject")],
)
async def test_a_person_decides_and_the_end_of_input_refuses(
    lines: str, reply: str, terminal: Typing, capsys: pytest.CaptureFixture[str]
) -> None:
    type_in, asker = terminal
    type_in(lines)
    assert await asker.permission(ASKED) == reply
    shown = capsys.readouterr().err
    assert "bash  git push" in shown
    assert "always would allow: git *" in shown


async def test_questions_are_answered_one_by_one(terminal: Typing) -> None:
    type_in, asker = terminal
    type_in("2\nsomething else\n")
    asked = QuestionAsked(id="que_1", session_id="ses_1", questions=[question(), question()])
    assert await asker.question(asked) == [["Blue"], ["something else"]]


async def test_an_empty_line_dismisses_the_questions(terminal: Typing) -> None:
    type_in, asker = terminal
    type_in("1\n\n")
    asked = QuestionAsked(id="que_1", session_id="ses_1", questions=[question(), question()])
    assert await asker.question(asked) is None


@pytest.mark.parametrize(
    ("multiple", "line", "labels"),
    [
        (True, "1, 2", ["Red", "Blue"]),
        (False, "1", ["Red"]),
        (False, "3", ["3"]),
        (True, "1, green", ["1, green"]),
        (False, "  ", []),
    ],
)
def test_numbers_name_options_and_other_text_is_an_answer_itself(multiple: bool, line: str, labels: list[str]) -> None:
    assert chosen(question(multiple=multiple), line) == labels
