"""Templates of commands: placeholders and shell insertions. Source: spec, commands and skills, 3 and 5."""

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.loop.command_template import fill, insert_outputs, split_arguments

TRICKY = st.text(alphabet=st.sampled_from("$ARGUMENTS0123456789 \"'[]Image!`\\\n٣é"), max_size=60)


@pytest.mark.parametrize(
    ("template", "arguments", "filled"),
    [
        ("Fix $1 in $2", "bug app.py now please", "Fix bug in app.py now please"),
        ("Fix $1 in $2", "bug", "Fix bug in "),
        ("Say $2 then $1", "a b c", "Say b c then a"),
        ("Do $ARGUMENTS", 'x "y z"', 'Do x "y z"'),
        ("Use $1", '"y z" w', "Use y z w"),
        ("Look at $1", "[Image 1] here", "Look at [Image 1] here"),
        ("No placeholder", "extra", "No placeholder\n\nextra"),
        ("No placeholder", "  \n", "No placeholder"),
        ("$1 and $1", "a b", "a b and a b"),
        ("$1 of $3", "a b c d", "a of c d"),
        ("$10 and $1", "a b c d e f g h i j k", "j k and a"),
        ("It costs $0 and $", "x", "It costs $0 and $\n\nx"),
        ("$1", "'it''s'", "it s"),
        ("$1: $ARGUMENTS", "$ARGUMENTS $1", "$ARGUMENTS $1: $ARGUMENTS $1"),
        (r"$1", r"\1 \g<0>", r"\1 \g<0>"),
    ],
)
def test_placeholders_are_replaced(template: str, arguments: str, filled: str) -> None:
    assert fill(template, arguments) == filled


def test_arguments_are_words_quoted_texts_and_images() -> None:
    given = """one "two  three" 'four' [Image  12] it's [Image x]"""
    assert split_arguments(given) == ["one", "two  three", "four", "[Image  12]", "it", "s", "[Image", "x]"]


@given(TRICKY, TRICKY)
def test_any_template_takes_any_arguments(template: str, arguments: str) -> None:
    assert isinstance(fill(template, arguments), str)


@given(st.text(), st.text())
def test_a_text_without_placeholders_stays_as_it_is(template: str, arguments: str) -> None:
    text = template.replace("$", "")
    assert fill(text, arguments).startswith(text)


@given(st.integers(min_value=1, max_value=10**400), st.text())
def test_placeholders_of_any_number_are_harmless(number: int, arguments: str) -> None:
    assert isinstance(fill(f"a ${number} b", arguments), str)


async def test_insertions_run_side_by_side_and_keep_their_places() -> None:
    second_began = anyio.Event()

    async def run(command: str) -> str:
        if command == "first":
            await second_began.wait()
        second_began.set()
        return f"<{command}>"

    with anyio.fail_after(5):
        text = await insert_outputs("a !`first` b !`second` c `third` !``", run)
    assert text == "a <first> b <second> c `third` !``"


async def test_what_a_command_prints_is_not_run_again() -> None:
    async def run(command: str) -> str:
        return "!`rm x` \\1"

    assert await insert_outputs("!`echo`", run) == "!`rm x` \\1"
