-- How people sign in to the console. Of what they show, only hashes are kept.
CREATE TABLE password (
    person     TEXT PRIMARY KEY REFERENCES person (name),
    salt       BLOB NOT NULL,
    memory_kib INTEGER NOT NULL,         -- Argon2id, RFC 9106: what it cost when it was set
    passes     INTEGER NOT NULL,
    hash       BLOB NOT NULL CHECK (length(hash) = 32),
    set_ms     INTEGER NOT NULL
) STRICT;

-- A browser that is signed in.
CREATE TABLE login (
    hash     BLOB PRIMARY KEY CHECK (length(hash) = 32),
    person   TEXT NOT NULL REFERENCES person (name),
    began_ms INTEGER NOT NULL,
    ends_ms  INTEGER NOT NULL
) STRICT;

CREATE INDEX login_person ON login (person);

-- A link that lets somebody set a password, once.
CREATE TABLE link (
    hash    BLOB PRIMARY KEY CHECK (length(hash) = 32),
    person  TEXT REFERENCES person (name), -- none: for whoever becomes the station's first administrator
    ends_ms INTEGER NOT NULL
) STRICT;
