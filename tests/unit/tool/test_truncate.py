import os
import stat
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from opencode.config.schema import ToolOutputConfig
from opencode.core.wire import UNSET
from opencode.tool.truncate import RETENTION_MS, OutputLimits, OutputTruncator, clean_outputs, head, tail

SMALL = OutputLimits(max_lines=3, max_bytes=20)
lines = st.text(alphabet="aé\n", max_size=60)


def test_the_limits_come_from_the_configuration() -> None:
    assert OutputLimits.from_config(UNSET) == OutputLimits(2000, 51200)
    assert OutputLimits.from_config(ToolOutputConfig(max_lines=10)) == OutputLimits(10, 51200)


async def test_a_short_text_is_left_alone(truncator: OutputTruncator, tmp_path: Path) -> None:
    cut = await truncator.truncate("row\n" * 1999)
    assert (cut.text, cut.path) == ("row\n" * 1999, None)
    assert not (tmp_path / "tool-output").exists()


async def test_a_long_text_keeps_its_head_and_is_saved_whole_for_this_user_only(truncator: OutputTruncator) -> None:
    text = "".join(f"row {n}\n" for n in range(3000))
    cut = await truncator.truncate(text)
    assert cut.path is not None
    assert cut.path.read_text() == text
    assert cut.path.name.startswith("tool_")
    assert stat.S_IMODE(cut.path.stat().st_mode) == 0o600
    kept, note, hint = cut.text.rsplit("\n\n", 2)
    assert kept == "".join(f"row {n}\n" for n in range(2000)).rstrip()
    assert note == "...1001 lines truncated..."
    assert str(cut.path) in hint
    assert "task" not in hint
    assert "task tool" in (await truncator.truncate(text, may_delegate=True)).text


def test_head_and_tail_say_what_stopped_them() -> None:
    assert head("a\nb\nc\nd", SMALL) == ("a\nb\nc", "1 lines")
    assert head("a\n" + "x" * 30, SMALL) == ("a", "31 bytes")
    assert tail("a\nb\nc\nd", SMALL) == "b\nc\nd"
    assert tail("x" * 30, SMALL) == "x" * 20


@given(lines)
def test_what_is_kept_fits(text: str) -> None:
    for kept in (head(text, SMALL)[0], tail(text, SMALL)):
        assert len(kept.encode()) <= SMALL.max_bytes
        assert kept.count("\n") < SMALL.max_lines
    if SMALL.allow(text):
        assert head(text, SMALL)[0] == tail(text, SMALL) == text


def test_outputs_are_deleted_after_a_week(tmp_path: Path) -> None:
    now_ms = 1_800_000_000_000
    for name, age_ms in (("tool_old", RETENTION_MS + 60_000), ("tool_new", 60_000), ("other", RETENTION_MS * 2)):
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, ((now_ms - age_ms) / 1000,) * 2)
    assert clean_outputs(tmp_path, now_ms) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "tool_new"]
    assert clean_outputs(tmp_path / "missing", now_ms) == 0
