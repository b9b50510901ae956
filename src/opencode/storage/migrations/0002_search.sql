-- What full-text search has yet to look at: messages whose text changed, and titles (message_id ''). Noted here at next to
-- no cost, in the order of the changes; the index itself is a file of its own (session/search_index.py). The newest row is never
-- removed, so that numbers only grow.

CREATE TABLE search_change (seq INTEGER PRIMARY KEY, session_id TEXT NOT NULL, message_id TEXT NOT NULL);

CREATE TRIGGER search_part_added AFTER INSERT ON part WHEN instr(new.record, CAST('"type":"text"' AS BLOB)) BEGIN
    INSERT INTO search_change (session_id, message_id) VALUES (new.session_id, new.message_id);
END;
CREATE TRIGGER search_part_changed AFTER UPDATE OF record ON part
WHEN instr(new.record, CAST('"type":"text"' AS BLOB)) BEGIN
    INSERT INTO search_change (session_id, message_id) VALUES (new.session_id, new.message_id);
END;
CREATE TRIGGER search_part_removed AFTER DELETE ON part WHEN instr(old.record, CAST('"type":"text"' AS BLOB)) BEGIN
    INSERT INTO search_change (session_id, message_id) VALUES (old.session_id, old.message_id);
END;
-- Titles that say nothing yet are left out; nearly all sessions begin with one.
CREATE TRIGGER search_title_added AFTER INSERT ON session
WHEN new.title NOT GLOB 'New session - *' AND new.title NOT GLOB 'Child session - *' BEGIN
    INSERT INTO search_change (session_id, message_id) VALUES (new.id, '');
END;
CREATE TRIGGER search_title_changed AFTER UPDATE OF title ON session WHEN old.title <> new.title BEGIN
    INSERT INTO search_change (session_id, message_id) VALUES (new.id, '');
END;
CREATE TRIGGER search_title_removed AFTER DELETE ON session BEGIN
    INSERT INTO search_change (session_id, message_id) VALUES (old.id, '');
END;
