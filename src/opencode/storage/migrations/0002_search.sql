-- Full-text search over titles and text parts. A document is the text of one message, or a title (message_id '').
-- What changes is only noted here, at next to no cost; a search brings the index up to date first.

CREATE TABLE search_stale (session_id TEXT, message_id TEXT, PRIMARY KEY (session_id, message_id)) WITHOUT ROWID;

CREATE TABLE search_document (
    id         INTEGER PRIMARY KEY,
    session_id TEXT    NOT NULL,
    message_id TEXT    NOT NULL,
    UNIQUE (session_id, message_id)
);

CREATE VIRTUAL TABLE search_text USING fts5 (title, body, tokenize = 'unicode61 remove_diacritics 2');

-- Not INSERT OR IGNORE: the conflict clause of the statement that fires a trigger would win over it.
CREATE TRIGGER search_part_added AFTER INSERT ON part
WHEN instr(new.record, CAST('"type":"text"' AS BLOB)) BEGIN
    INSERT INTO search_stale SELECT new.session_id, new.message_id
    WHERE NOT EXISTS (SELECT 1 FROM search_stale WHERE session_id = new.session_id AND message_id = new.message_id);
END;
CREATE TRIGGER search_part_changed AFTER UPDATE OF record ON part
WHEN instr(new.record, CAST('"type":"text"' AS BLOB)) BEGIN
    INSERT INTO search_stale SELECT new.session_id, new.message_id
    WHERE NOT EXISTS (SELECT 1 FROM search_stale WHERE session_id = new.session_id AND message_id = new.message_id);
END;
CREATE TRIGGER search_part_removed AFTER DELETE ON part
WHEN instr(old.record, CAST('"type":"text"' AS BLOB)) BEGIN
    INSERT INTO search_stale SELECT old.session_id, old.message_id
    WHERE NOT EXISTS (SELECT 1 FROM search_stale WHERE session_id = old.session_id AND message_id = old.message_id);
END;
CREATE TRIGGER search_title_added AFTER INSERT ON session BEGIN
    INSERT INTO search_stale SELECT new.id, ''
    WHERE NOT EXISTS (SELECT 1 FROM search_stale WHERE session_id = new.id AND message_id = '');
END;
CREATE TRIGGER search_title_changed AFTER UPDATE OF title ON session WHEN old.title <> new.title BEGIN
    INSERT INTO search_stale SELECT new.id, ''
    WHERE NOT EXISTS (SELECT 1 FROM search_stale WHERE session_id = new.id AND message_id = '');
END;
CREATE TRIGGER search_title_removed AFTER DELETE ON session BEGIN
    INSERT INTO search_stale SELECT old.id, ''
    WHERE NOT EXISTS (SELECT 1 FROM search_stale WHERE session_id = old.id AND message_id = '');
END;

-- What was stored before.
INSERT INTO search_stale SELECT DISTINCT session_id, message_id FROM part
WHERE instr(record, CAST('"type":"text"' AS BLOB));
INSERT INTO search_stale SELECT id, '' FROM session;
