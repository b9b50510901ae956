"""Text files as bytes and back, without losing what the text does not show."""

import codecs
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class TextFile:
    """The content of a file. ``text`` has no byte order mark and keeps the file's line ends.

    Bytes that are not UTF-8 are kept as surrogate escapes: an edit elsewhere in the file leaves them alone.
    """

    text: str
    bom: bool = False

    @classmethod
    def decode(cls, data: bytes) -> "TextFile":
        """The text in a file's bytes. Any bytes will do."""
        bom = data.startswith(codecs.BOM_UTF8)
        return cls(data[len(codecs.BOM_UTF8) if bom else 0 :].decode("utf-8", "surrogateescape"), bom)

    @classmethod
    def given(cls, text: str) -> "TextFile":
        """Text that someone wrote as a whole; a byte order mark in front of it counts as one."""
        return cls(text.removeprefix("\ufeff"), text.startswith("\ufeff"))

    def encode(self) -> bytes:
        """The bytes to store."""
        return (codecs.BOM_UTF8 if self.bom else b"") + self.text.encode("utf-8", "surrogateescape")

    @property
    def newline(self) -> str:
        """``\\r\\n`` when the file has any, else ``\\n``."""
        return "\r\n" if "\r\n" in self.text else "\n"

    @property
    def is_crlf_only(self) -> bool:
        """Whether every line ends with ``\\r\\n``, and there is one."""
        lines = self.text.count("\n")
        return lines > 0 and lines == self.text.count("\r\n")

    def with_text(self, text: str) -> "TextFile":
        """The same file with other text."""
        return replace(self, text=text)

    def with_content_of(self, new: "TextFile") -> "TextFile":
        """This file overwritten as a whole: its byte order mark stays, and its line ends when all are CRLF.

        Text that brings carriage returns of its own is taken as it is.
        """
        keeps_crlf = self.is_crlf_only and "\r" not in new.text
        text = new.text.replace("\n", "\r\n") if keeps_crlf else new.text
        return TextFile(text, bom=self.bom or new.bom)


def with_newlines(text: str, newline: str) -> str:
    """The text with all line ends made the same."""
    return unix_newlines(text) if newline == "\n" else unix_newlines(text).replace("\n", newline)


def unix_newlines(text: str) -> str:
    """The text with ``\\r\\n`` made ``\\n``."""
    return text.replace("\r\n", "\n")


def printable(text: str) -> str:
    """The text as it may be sent: escaped bytes become replacement characters."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
