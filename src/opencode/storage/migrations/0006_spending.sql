-- What model calls have used, by the root of the session and by day: in billionths of a dollar, so that sums are exact. Rows stay
-- when their session is deleted, for the sum of the day.
CREATE TABLE spending (
    session_id TEXT NOT NULL,
    day TEXT NOT NULL,
    nano_usd INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    PRIMARY KEY (session_id, day)
) WITHOUT ROWID;
CREATE INDEX spending_of_day ON spending (day);
