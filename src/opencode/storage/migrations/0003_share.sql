-- Sessions that anyone with the link may read. id: the unguessable part of the link.
CREATE TABLE share (session_id TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, created_ms INTEGER NOT NULL);
