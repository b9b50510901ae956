-- Prompts that wait until the turn of their session is over, in order. held: an abort keeps them back.
CREATE TABLE queued_prompt (
    seq        INTEGER PRIMARY KEY,
    id         TEXT    NOT NULL UNIQUE,
    session_id TEXT    NOT NULL,
    directory  TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    held       INTEGER NOT NULL DEFAULT 0,
    record     BLOB    NOT NULL
);
CREATE INDEX queued_prompt_of_session ON queued_prompt (session_id, seq);
CREATE INDEX queued_prompt_of_directory ON queued_prompt (directory);
