-- The catalogue of recordings; their bytes are files in audio/.
CREATE TABLE segment (
    id              TEXT PRIMARY KEY,
    hash            BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    file            TEXT NOT NULL UNIQUE,
    title           TEXT NOT NULL,
    programme       TEXT,
    topic           TEXT,
    genre           TEXT,
    author          TEXT,
    source          TEXT,
    valid_from      TEXT,
    valid_until     TEXT,
    week            TEXT,
    whole_ns        INTEGER NOT NULL,
    cue_in_ns       INTEGER NOT NULL,
    cue_out_ns      INTEGER NOT NULL,
    channels        INTEGER NOT NULL,
    sample_rate     INTEGER NOT NULL,
    loudness_lufs   REAL,                -- null for what cannot be measured
    true_peak_dbtp  REAL,
    skipped_packets INTEGER NOT NULL,
    codec           TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('draft', 'pending', 'approved', 'withdrawn')),
    approved_by     TEXT,
    approved_ms     INTEGER,
    added_ms        INTEGER NOT NULL,
    added_by        TEXT NOT NULL,
    search          TEXT NOT NULL,       -- its words without accents, in lower case
    CHECK ((state = 'approved') = (approved_by IS NOT NULL)),
    CHECK ((approved_by IS NULL) = (approved_ms IS NULL))
) STRICT;

CREATE INDEX segment_added ON segment (added_ms, id);

-- The shape of the sound, for the eye.
CREATE TABLE segment_peaks (
    segment TEXT PRIMARY KEY REFERENCES segment (id) ON DELETE CASCADE,
    peaks   BLOB NOT NULL
) STRICT;

-- Who did what with a recording, and when.
CREATE TABLE segment_event (
    id      INTEGER PRIMARY KEY,
    segment TEXT NOT NULL REFERENCES segment (id),
    at_ms   INTEGER NOT NULL,
    by      TEXT NOT NULL,
    what    TEXT NOT NULL,
    reason  TEXT
) STRICT;

CREATE INDEX segment_event_segment ON segment_event (segment, id);
