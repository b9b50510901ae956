"""Changing files for the tools."""

from pathlib import Path

import pytest

from opencode.event.schema import Event
from opencode.file import editor as module
from opencode.file.announcer import FileAnnouncer
from opencode.file.editor import FileEditor
from opencode.file.errors import FileChanged, FileTooLarge
from opencode.file.schema import FileEdited, FileWatcherUpdated
from opencode.file.text import TextFile


class Recorder:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def publish(self, *events: Event) -> None:
        self.events += events


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def editor(recorder: Recorder) -> FileEditor:
    return FileEditor(FileAnnouncer(recorder))


async def test_a_saved_file_is_announced(tmp_path: Path, editor: FileEditor, recorder: Recorder) -> None:
    path = tmp_path / "a.txt"
    await editor.save(path, TextFile("one\n"), expected=None)
    opened = await editor.open(path)
    assert opened
    assert opened.content == TextFile("one\n")
    await editor.save(path, TextFile("two\n"), expected=opened.stamp)
    assert recorder.events == [
        FileEdited(file=str(path)),
        FileWatcherUpdated(file=str(path), event="add"),
        FileEdited(file=str(path)),
        FileWatcherUpdated(file=str(path), event="change"),
    ]


async def test_a_file_that_is_not_as_expected_is_left_alone(
    tmp_path: Path, editor: FileEditor, recorder: Recorder
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("somebody else's\n")
    with pytest.raises(FileChanged):
        await editor.save(path, TextFile("mine\n"), expected=None)
    assert path.read_text() == "somebody else's\n"
    assert recorder.events == []


async def test_what_cannot_be_opened_says_why(
    tmp_path: Path, editor: FileEditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await editor.open(tmp_path / "nowhere") is None
    with pytest.raises(IsADirectoryError):
        await editor.open(tmp_path)
    monkeypatch.setattr(module, "LIMIT_BYTES", 3)
    (tmp_path / "big").write_text("1234")
    with pytest.raises(FileTooLarge):
        await editor.open(tmp_path / "big")


async def test_without_a_hook_a_written_file_is_settled_as_it_is(tmp_path: Path, editor: FileEditor) -> None:
    assert await editor.settle(tmp_path / "a", TextFile("x")) == (TextFile("x"), {})
