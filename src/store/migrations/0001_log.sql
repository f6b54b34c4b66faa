-- What aired. `journal` is the truth: facts in the order in which they were learned, each bound to the one before by its hash.
CREATE TABLE journal (
    seq      INTEGER PRIMARY KEY,
    at_ms    INTEGER NOT NULL,           -- UTC, milliseconds since 1970
    offset_s INTEGER NOT NULL,           -- the station's offset from UTC at that instant, in seconds
    kind     TEXT NOT NULL,
    output   TEXT,
    cue      TEXT,
    take     INTEGER,
    body     TEXT NOT NULL,              -- JSON, asrun::Entry
    prev     BLOB NOT NULL,              -- hash of the row before; 32 zero bytes in the first
    hash     BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TRIGGER journal_is_appended_to BEFORE INSERT ON journal
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM journal)
BEGIN SELECT raise(ABORT, 'the journal is only appended to'); END;

CREATE TRIGGER journal_is_never_changed BEFORE UPDATE ON journal
BEGIN SELECT raise(ABORT, 'the journal is never changed'); END;

CREATE TRIGGER journal_is_never_shortened BEFORE DELETE ON journal
BEGIN SELECT raise(ABORT, 'the journal is never shortened'); END;

-- The sum of the facts of one cue on one output: for questions. Made from `journal` alone, and can be made again.
CREATE TABLE airing (
    id             INTEGER PRIMARY KEY,
    output         TEXT NOT NULL,
    cue            TEXT NOT NULL,
    planned_ms     INTEGER NOT NULL,
    planned_end_ms INTEGER NOT NULL,
    outcome        TEXT NOT NULL,
    cause          TEXT,
    segment        TEXT,
    segment_hash   BLOB,
    programme      TEXT,
    run            TEXT,
    body           TEXT NOT NULL,        -- JSON, asrun::Airing
    UNIQUE (output, cue)
) STRICT;

CREATE INDEX airing_planned ON airing (planned_ms, id);
CREATE INDEX airing_open ON airing (id) WHERE outcome = 'on-air';
CREATE INDEX airing_first ON airing (segment_hash) WHERE run = 'first';

-- Signs of life; not part of the log.
CREATE TABLE heartbeat (
    output TEXT PRIMARY KEY,
    at_ms  INTEGER NOT NULL
) STRICT;

-- The newest instant on record, against which the clock is held.
CREATE TABLE newest (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    at_ms INTEGER
) STRICT;
INSERT INTO newest (id, at_ms) VALUES (1, NULL);
