-- Who may do what. Nobody is deleted: the log names them.
CREATE TABLE person (
    name       TEXT PRIMARY KEY,
    roles      TEXT NOT NULL,            -- codes of access::Role, with commas
    created_ms INTEGER NOT NULL,
    revoked_ms INTEGER
) STRICT;

CREATE TABLE token (
    hash       BLOB PRIMARY KEY CHECK (length(hash) = 32),
    person     TEXT NOT NULL REFERENCES person (name),
    label      TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    revoked_ms INTEGER
) STRICT;

CREATE INDEX token_person ON token (person);

-- What people did.
CREATE TABLE act (
    id      INTEGER PRIMARY KEY,
    at_ms   INTEGER NOT NULL,
    by      TEXT NOT NULL,
    what    TEXT NOT NULL,
    subject TEXT NOT NULL,
    origin  TEXT NOT NULL
) STRICT;

CREATE INDEX act_at ON act (at_ms, id);
