"""Text files as bytes and back."""

from hypothesis import given
from hypothesis import strategies as st

from opencode.file.text import TextFile, printable, with_newlines


@given(st.binary(max_size=60))
def test_any_bytes_survive(data: bytes) -> None:
    file = TextFile.decode(data)
    assert file.encode() == data
    assert printable(file.text).encode().decode() == printable(file.text)


def test_the_line_end_of_a_file_is_crlf_when_it_has_any() -> None:
    assert TextFile("a\r\nb\n").newline == "\r\n"
    assert TextFile("a\nb\n").newline == "\n"
    assert (TextFile("a\r\n").is_crlf_only, TextFile("a\r\nb\n").is_crlf_only, TextFile("a").is_crlf_only) == (
        True,
        False,
        False,
    )


def test_line_ends_are_made_the_same() -> None:
    assert with_newlines("a\r\nb\nc", "\r\n") == "a\r\nb\r\nc"
    assert with_newlines("a\r\nb\nc", "\n") == "a\nb\nc"


def test_a_file_overwritten_as_a_whole_keeps_its_mark_and_line_ends() -> None:
    windows = TextFile("a\r\n", bom=True)
    assert windows.with_content_of(TextFile("b\nc\n")) == TextFile("b\r\nc\r\n", bom=True)
    assert windows.with_content_of(TextFile("b\rc\n")) == TextFile("b\rc\n", bom=True)
    assert TextFile("a\r\nb\n").with_content_of(TextFile("c\n")) == TextFile("c\n")


def test_a_mark_in_given_text_is_a_byte_order_mark() -> None:
    assert TextFile.given("\ufeffa") == TextFile("a", bom=True)
    assert TextFile.given("a") == TextFile("a")
