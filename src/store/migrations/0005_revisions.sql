-- The schedule's files as they were after each change, for undoing. Nothing here is changed or deleted.
CREATE TABLE revision (
    id      INTEGER PRIMARY KEY,
    at_ms   INTEGER NOT NULL,
    by      TEXT,                        -- none: found changed by hand
    what    TEXT NOT NULL,
    subject TEXT NOT NULL,
    station TEXT,                        -- none: there was no such file
    week    TEXT,
    days    TEXT
) STRICT;

CREATE TRIGGER revision_is_never_changed BEFORE UPDATE ON revision
BEGIN SELECT raise(ABORT, 'a revision is never changed'); END;

CREATE TRIGGER revision_is_never_deleted BEFORE DELETE ON revision
BEGIN SELECT raise(ABORT, 'a revision is never deleted'); END;
