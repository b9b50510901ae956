"""What an import prints at its end."""

import pytest

from opencode.cli.import_report import SHOWN, ImportReport
from opencode.core.ids import MessageID, ProjectID, SessionID
from opencode.session.schema import Session, SessionTime
from opencode.transfer.export_file import ExportFile
from opencode.transfer.reading import Outline, Problems
from opencode.transfer.schema import MessageContent

SESSION = Session(
    id=SessionID("ses_1"),
    slug="a-b",
    project_id=ProjectID("p"),
    directory="/d",
    title="Talk",
    version="1",
    time=SessionTime(created=1, updated=2),
)
OUTLINE = Outline(SESSION, None, [], [MessageContent(id=MessageID("msg_1"), parts=3, digest="")])
SOURCE = ExportFile("/data/opencode.db", {})


def test_sessions_are_counted_by_what_became_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    report = ImportReport()
    report.done("new", OUTLINE)
    report.done("unchanged", OUTLINE)
    report.done("kept", OUTLINE)
    report.finish(SOURCE, Problems(), {})
    report.print(["the weather is fine"])
    assert report.is_good
    assert capsys.readouterr().out == (
        "Read /data/opencode.db\n"
        "Sessions: 1 new, 0 updated, 1 unchanged, 1 kept\n"
        "Checked: 2 messages with 6 parts are stored as they were read\n"
        "Kept as they are here, because both have gone on since (1):\n"
        "  ses_1 (Talk)\n"
        "Note: the weather is fine\n"
    )


def test_what_did_not_work_is_named_and_makes_the_import_fail(capsys: pytest.CaptureFixture[str]) -> None:
    report = ImportReport()
    problems = Problems()
    problems.add("part prt_1", "no JSON")
    report.failed(SESSION, "Message id is taken: msg_1")
    report.finish(SOURCE, problems, {SessionID("ses_1"): "https://share/1"})
    report.print([])
    printed = capsys.readouterr().out
    assert not report.is_good
    assert "Not imported (1):\n  ses_1 (Talk): Message id is taken: msg_1\n" in printed
    assert "Left out, because it cannot be read (1):\n  part prt_1: no JSON\n" in printed
    assert "Shared by OpenCode, and still to be unshared there (1):\n  ses_1: https://share/1\n" in printed


def test_long_lists_are_cut(capsys: pytest.CaptureFixture[str]) -> None:
    report = ImportReport()
    problems = Problems()
    for number in range(SHOWN + 5):
        problems.add(f"part prt_{number}", "no JSON")
    report.finish(SOURCE, problems, {})
    report.print([])
    assert "  and 5 more; the log has them all\n" in capsys.readouterr().out
