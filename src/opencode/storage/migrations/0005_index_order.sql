-- What is new goes to the end of each index: a page that is full is then left full and another one begun, where a new
-- entry at the front would split it. Session ids descend with time. Queries read an index in either direction.
DROP INDEX session_of_project;
DROP INDEX session_of_directory;
DROP INDEX session_latest;
DROP INDEX message_order;
DROP INDEX message_greatest;
DROP INDEX part_order;
CREATE INDEX session_of_project ON session (project_id, updated_ms, id);
CREATE INDEX session_of_directory ON session (project_id, directory, updated_ms, id);
CREATE INDEX session_latest ON session (updated_ms, id);
CREATE UNIQUE INDEX message_order ON message (session_id DESC, seq);
CREATE INDEX message_greatest ON message (session_id DESC, id);
CREATE UNIQUE INDEX part_order ON part (session_id DESC, message_seq, seq);
