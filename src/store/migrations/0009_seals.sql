-- The hashes of a recording's pieces, by which its bytes are known as they are read. One that was taken in before has
-- none, and is read whole before it sounds.
CREATE TABLE segment_seal (
    segment TEXT PRIMARY KEY REFERENCES segment (id) ON DELETE CASCADE,
    seal    BLOB NOT NULL
) STRICT;
