"""Sessions are found by their titles and by what was said in them."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from opencode.core.errors import Invalid
from opencode.core.ids import ProjectID
from opencode.core.wire import UNSET, replace
from opencode.session.changes import DeleteMessage, PutMessage, PutPart
from opencode.session.inputs import CreateSession, UpdateSession
from opencode.session.schema import Session
from opencode.session.search import SearchQuery, SessionSearchHit, open_search
from opencode.session.search_index import SearchIndex, match_expression
from tests.support.records import text_part, user_message
from tests.unit.session.conftest import Sessions


async def said(sessions: Sessions, title: str, *texts: str) -> Session:
    """A session with one message for each text."""
    session = await sessions.service.create(CreateSession(title=title))
    for n, text in enumerate(texts):
        message = user_message(session.id, f"msg_{title}{n}")
        part = text_part(session.id, message.id, f"prt_{title}{n}", text)
        await sessions.store.commit(PutMessage(message), PutPart(part))
    return session


async def find(sessions: Sessions, query: str, **more: object) -> list[SessionSearchHit]:
    async with open_search(sessions.database, index_of(sessions)) as search:
        return await search.find(ProjectID("p1"), SearchQuery(query=query, **more))  # type: ignore[arg-type]


def index_of(sessions: Sessions) -> Path:
    return sessions.database.path.with_name("search.db")


def shown(hit: SessionSearchHit) -> str:
    return "".join(f"[{piece.text}]" if piece.match else piece.text for piece in hit.snippet)


async def test_a_message_is_found_by_a_word_in_it(sessions: Sessions) -> None:
    await said(sessions, "One", "The parser drops empty lines.")
    there = await said(sessions, "Two", "The lexer keeps them.")
    (hit,) = await find(sessions, "lexer")
    assert (hit.session.id, hit.message_id, shown(hit)) == (there.id, "msg_Two0", "The [lexer] keeps them.")


async def test_a_title_counts_more_than_a_message(sessions: Sessions) -> None:
    await said(sessions, "Other", "Something about the lexer.")
    titled = await said(sessions, "Lexer", "Hello.")
    first, second = await find(sessions, "lexer")
    assert (first.session.id, first.message_id, first.score > second.score) == (titled.id, UNSET, True)


async def test_a_title_that_says_nothing_yet_is_not_noted(sessions: Sessions) -> None:
    session = await sessions.service.create(CreateSession())
    assert sessions.database.read("SELECT count(*) FROM search_change") == [(0,)]
    await sessions.service.update(session.id, UpdateSession(title="Lexer"))
    assert [hit.session.id for hit in await find(sessions, "lexer")] == [session.id]


async def test_all_words_must_occur_and_may_be_begun(sessions: Sessions) -> None:
    await said(sessions, "One", "Refactor the tokenizer", "Refactor the printer")
    assert [hit.message_id for hit in await find(sessions, "REFAC token")] == ["msg_One0"]
    assert await find(sessions, "factor") == []


async def test_accents_and_case_make_no_difference(sessions: Sessions) -> None:
    await said(sessions, "One", "Prüfe das Menü")
    assert shown((await find(sessions, "menu"))[0]) == "Prüfe das [Menü]"


async def test_languages_without_spaces_are_found_by_any_part(sessions: Sessions) -> None:
    await said(sessions, "One", "请修复会话列表的排序问题")
    assert shown((await find(sessions, "列表"))[0]) == "请修复会话[列表]的排序问题"
    assert await find(sessions, "表列") == []


async def test_marks_of_the_query_language_are_only_text(sessions: Sessions) -> None:
    await said(sessions, "One", 'He said "NOT (this) AND that*" to body: x')
    for query in ('"NOT', "(this)", "that*", "body:", "NOT AND", 'x" OR "y', "^He", "-said", "\0said\0"):
        assert len(await find(sessions, query)) == (0 if "OR" in query else 1), query


@pytest.mark.parametrize("query", ["", "  ", '"', "* ( )", "-"])
async def test_a_query_without_a_word_is_refused(sessions: Sessions, query: str) -> None:
    with pytest.raises(Invalid, match="no word"):
        await find(sessions, query)


async def test_a_query_of_many_characters_is_refused(sessions: Sessions) -> None:
    with pytest.raises(Invalid, match="1000 characters"):
        await find(sessions, "a" * 1001)


async def test_what_changes_is_found_as_it_is_now(sessions: Sessions) -> None:
    session = await said(sessions, "Old", "alpha", "beta")
    assert len(await find(sessions, "alpha")) == 1
    message = user_message(session.id, "msg_Old0")
    await sessions.store.commit(PutPart(text_part(session.id, message.id, "prt_Old0", "gamma")))
    await sessions.store.commit(DeleteMessage(session.id, user_message(session.id, "msg_Old1").id))
    await sessions.service.update(session.id, UpdateSession(title="New"))
    assert [len(await find(sessions, word)) for word in ("alpha", "beta", "gamma", "old", "new")] == [0, 0, 1, 0, 1]


async def test_a_deleted_session_is_not_found(sessions: Sessions) -> None:
    session = await said(sessions, "One", "alpha")
    assert len(await find(sessions, "alpha")) == 1
    await sessions.service.delete(session.id)
    assert await find(sessions, "alpha") == []
    with closing(sqlite3.connect(index_of(sessions))) as index:
        assert index.execute("SELECT count(*) FROM document").fetchone() == (0,)


async def test_what_the_server_added_to_a_message_is_not_searched(sessions: Sessions) -> None:
    session = await said(sessions, "One")
    message = user_message(session.id, "msg_1")
    part = replace(text_part(session.id, message.id, "prt_1", "alpha"), synthetic=True)
    await sessions.store.commit(PutMessage(message), PutPart(part))
    assert await find(sessions, "alpha") == []


async def test_other_projects_and_directories_are_left_out(sessions: Sessions) -> None:
    session = await said(sessions, "One", "alpha")
    async with open_search(sessions.database, index_of(sessions)) as search:
        assert await search.find(ProjectID("p2"), SearchQuery(query="alpha")) == []
    assert len(await find(sessions, "alpha", directory=session.directory)) == 1
    assert await find(sessions, "alpha", directory="/elsewhere") == []


async def test_the_limit_is_kept(sessions: Sessions) -> None:
    await said(sessions, "One", *["alpha"] * 120)
    assert len(await find(sessions, "alpha", limit=3)) == 3
    assert len(await find(sessions, "alpha", limit=1000)) == 100
    assert len(await find(sessions, "alpha", limit=0)) == 1


async def test_an_index_that_is_missing_or_damaged_is_built_anew(sessions: Sessions) -> None:
    await said(sessions, "One", "alpha")
    index = index_of(sessions)
    for harm in (lambda: index.unlink(missing_ok=True), lambda: index.write_bytes(b"no database" * 1000), lambda: None):
        harm()
        assert len(await find(sessions, "alpha")) == 1
    with closing(sqlite3.connect(index)) as connection:
        connection.execute("PRAGMA user_version = 99")
    assert len(await find(sessions, "alpha")) == 1


async def test_the_index_of_another_database_or_of_a_later_state_of_this_one_is_built_anew(sessions: Sessions) -> None:
    await said(sessions, "One", "alpha")
    for change in ("epoch = 'another'", "seq = seq + 5"):
        assert len(await find(sessions, "alpha")) == 1
        with closing(sqlite3.connect(index_of(sessions))) as connection, connection:
            connection.execute("DELETE FROM words")
            connection.execute(f"UPDATE progress SET {change}")
    assert len(await find(sessions, "alpha")) == 1


async def test_notes_of_changes_are_removed_once_the_index_has_them(sessions: Sessions) -> None:
    await said(sessions, "One", *["alpha"] * 30)
    await find(sessions, "alpha")
    assert sessions.database.read("SELECT count(*) FROM search_change") == [(1,)]
    await said(sessions, "Two", "beta")
    assert len(await find(sessions, "beta")) == 1


async def test_the_index_needs_no_lock_of_the_database(sessions: Sessions) -> None:
    await said(sessions, "One", "alpha")
    path = sessions.database.path
    index = SearchIndex(index_of(sessions), path)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer, closing(index):
        writer.execute("BEGIN IMMEDIATE")
        noted, more = index.catch_up()
    assert (noted > 0, more) == (True, False)


async def test_an_index_that_could_not_be_built_is_built_by_the_next_search(sessions: Sessions) -> None:
    await said(sessions, "One", "alpha")
    async with open_search(sessions.database, index_of(sessions)) as search:
        wanted = (ProjectID("p1"), SearchQuery(query="alpha"))
        with closing(sqlite3.connect(sessions.database.path)) as writer:
            writer.execute("ALTER TABLE part RENAME TO hidden")
            with pytest.raises(sqlite3.OperationalError, match="no such table"):
                await search.find(*wanted)
            writer.execute("ALTER TABLE hidden RENAME TO part")
        assert len(await search.find(*wanted)) == 1


async def test_more_than_one_batch_is_indexed(sessions: Sessions) -> None:
    await said(sessions, "One", *["alpha"] * 250, "omega")
    assert len(await find(sessions, "omega")) == 1


async def test_long_texts_are_shown_in_part(sessions: Sessions) -> None:
    await said(sessions, "One", "before " * 500 + "needle" + " after" * 500)
    (hit,) = await find(sessions, "needle")
    assert "[needle]" in shown(hit)
    assert len(shown(hit)) < 300


def test_each_word_becomes_the_beginning_of_one() -> None:
    assert match_expression('get_user "x') == '"get_user"* """x"*'
