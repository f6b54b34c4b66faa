-- What is read in a recording, for who approves it. Apart from the catalogue: it is long, and nothing airs by it.
CREATE TABLE segment_script (
    segment TEXT PRIMARY KEY REFERENCES segment (id) ON DELETE CASCADE,
    script  TEXT NOT NULL
) STRICT;

-- Files that are coming, and for some days what became of them. Their bytes wait beside the recordings; how many have
-- come is the length of that file.
CREATE TABLE upload (
    id         TEXT PRIMARY KEY,
    person     TEXT NOT NULL,
    name       TEXT NOT NULL,           -- as the person's device calls the file
    bytes      INTEGER NOT NULL,        -- how many there will be
    metadata   TEXT NOT NULL,           -- what was said of it, as tus has it
    created_ms INTEGER NOT NULL,
    verdict    TEXT CHECK (verdict IN ('new', 'known', 'refused')), -- null until it was examined
    segment    TEXT,
    said       TEXT,                    -- the verdict in words
    CHECK (verdict IS NULL OR (verdict = 'refused') = (segment IS NULL))
) STRICT;

CREATE INDEX upload_person ON upload (person, created_ms);
