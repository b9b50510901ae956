-- Records are the whole JSON of what goes over the wire, as bytes; the columns are what queries need.

CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;

-- A cursor of another database is recognised by its epoch. next: where the sequence numbers of the next run of the
-- server begin. trimmed: the number of the last event that was removed.
INSERT INTO meta (key, value) VALUES
    ('event.epoch', lower(hex(randomblob(6)))),
    ('event.next', 1),
    ('event.trimmed', 0);

-- A buffer for clients that reconnect. log_bytes: the bytes of all events ever logged, up to this one.
CREATE TABLE event (
    seq        INTEGER PRIMARY KEY,
    id         TEXT    NOT NULL,
    directory  TEXT    NOT NULL,
    project    TEXT,
    session_id TEXT,
    type       TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    log_bytes  INTEGER NOT NULL,
    properties BLOB    NOT NULL
);

CREATE TABLE project (id TEXT PRIMARY KEY, worktree TEXT, updated_ms INTEGER, record BLOB NOT NULL);

CREATE TABLE project_directory (
    project_id    TEXT,
    directory     TEXT,
    first_seen_ms INTEGER,
    PRIMARY KEY (project_id, directory)
) WITHOUT ROWID;

CREATE TABLE session (
    id          TEXT    PRIMARY KEY,
    project_id  TEXT    NOT NULL,
    parent_id   TEXT,
    directory   TEXT    NOT NULL,
    title       TEXT    NOT NULL,
    created_ms  INTEGER NOT NULL,
    updated_ms  INTEGER NOT NULL,
    archived_ms INTEGER,
    record      BLOB    NOT NULL
);
CREATE INDEX session_of_project ON session (project_id, updated_ms DESC, id DESC);
CREATE INDEX session_of_directory ON session (project_id, directory, updated_ms DESC, id DESC);
CREATE INDEX session_of_parent ON session (parent_id, created_ms) WHERE parent_id IS NOT NULL;
CREATE INDEX session_latest ON session (updated_ms DESC, id DESC);

CREATE TABLE message (
    id         TEXT    PRIMARY KEY,
    session_id TEXT    NOT NULL,
    seq        INTEGER NOT NULL,
    role       TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    record     BLOB    NOT NULL
);
CREATE UNIQUE INDEX message_order ON message (session_id, seq);
CREATE INDEX message_greatest ON message (session_id, id);

CREATE TABLE part (
    id          TEXT    PRIMARY KEY,
    session_id  TEXT    NOT NULL,
    message_id  TEXT    NOT NULL,
    message_seq INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    record      BLOB    NOT NULL
);
CREATE UNIQUE INDEX part_order ON part (session_id, message_seq, seq);

CREATE TABLE todo (session_id TEXT PRIMARY KEY, record BLOB NOT NULL);

CREATE TABLE permission_request (
    id         TEXT    PRIMARY KEY,
    session_id TEXT    NOT NULL,
    directory  TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    record     BLOB    NOT NULL
);
CREATE INDEX permission_request_of_directory ON permission_request (directory);
CREATE INDEX permission_request_of_session ON permission_request (session_id);

CREATE TABLE question_request (
    id         TEXT    PRIMARY KEY,
    session_id TEXT    NOT NULL,
    directory  TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    record     BLOB    NOT NULL
);
CREATE INDEX question_request_of_directory ON question_request (directory);
CREATE INDEX question_request_of_session ON question_request (session_id);

-- What is running: whatever stands here at start-up was cut off.
CREATE TABLE run (
    session_id TEXT    PRIMARY KEY,
    directory  TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    started_ms INTEGER NOT NULL
);
