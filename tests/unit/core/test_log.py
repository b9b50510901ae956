import logging

import pytest

from opencode.core.log import LineFormatter, Logger, get_logger, without_secrets


def line(message: str = "hello", level: int = logging.INFO, name: str = "opencode.server", **tags: object) -> str:
    record = logging.LogRecord(name, level, __file__, 1, message, None, None)
    record.created, record.tags = 1_767_323_045.5, tags
    return LineFormatter().format(record)


def test_a_line_is_level_time_elapsed_tags_and_message() -> None:
    formatter = LineFormatter()
    records = [logging.LogRecord("opencode.server", logging.WARNING, "", 1, "request", None, None) for _ in range(2)]
    for record, created in zip(records, (1_767_323_045.5, 1_767_323_045.75), strict=True):
        record.created, record.tags = created, {"method": "GET", "duration": 12, "absent": None}
    formatter.format(records[0])
    assert formatter.format(records[1]) == (
        "WARN  2026-01-02T03:04:05 +250ms service=server method=GET duration=12 request"
    )


def test_a_module_name_serves_as_the_name_of_the_service() -> None:
    assert get_logger("opencode.http.app")._log.name == "opencode.http.app" == get_logger("http.app")._log.name


def test_text_with_spaces_or_line_breaks_stays_one_value_on_one_line() -> None:
    written = line("first\nsecond", path="a b", forged="x\nERROR 2026")
    assert written.splitlines() == [written]
    assert written.endswith(r'path="a b" forged="x\nERROR 2026" first\nsecond')


def test_an_error_is_given_with_its_causes() -> None:
    try:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise ValueError("outer") from inner
    except ValueError as error:
        assert "error=\"outer Caused by: 'inner'\"" in line(error=error)


@pytest.mark.parametrize(
    "tags",
    [
        {"password": "hunter2"},
        {"apiKey": "hunter2"},
        {"headers": {"Authorization": "hunter2", "nested": [{"client_secret": "hunter2"}]}},
        {"url": "http://user:hunter2@example.com/"},
        {"query": "a=1&auth_token=hunter2"},
        {"header": "Bearer hunter2"},
    ],
)
def test_secrets_are_masked_wherever_they_stand(tags: dict[str, object]) -> None:
    written = line(**tags)
    assert "hunter2" not in written
    assert "***" in written


def test_keys_in_messages_and_tracebacks_are_masked_too() -> None:
    assert without_secrets("refused sk-abcdefghijk1234 here") == "refused *** here"


def test_addresses_without_credentials_stay_readable() -> None:
    assert without_secrets("on http://127.0.0.1:4096/x") == "on http://127.0.0.1:4096/x"


def test_counts_of_tokens_are_no_secrets() -> None:
    assert "inputTokens=12" in line(inputTokens=12)


def test_a_long_tag_is_cut() -> None:
    assert len(line(body="x" * 100_000)) < 5_000


def test_a_tag_of_many_levels_is_shown_to_some_depth() -> None:
    deep: object = "bottom"
    for _ in range(5_000):
        deep = [deep]
    written = line(extra=deep)
    assert '[["..."]]' in written
    assert len(written) < 200


def test_lines_below_the_level_cost_nothing_and_go_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="opencode"):
        Logger("quiet").info("not wanted")
        Logger("quiet").entry("ERROR", "wanted", {"extra": 1})
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [("ERROR", "wanted")]
