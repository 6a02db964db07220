-- What rows said when an event changed them: SHA-256 over a salt and the row. The leaf of the event holds the hash over its seals.
ALTER TABLE events ADD COLUMN seals TEXT;
CREATE TABLE seals (
    object_id TEXT NOT NULL,
    seq       INTEGER NOT NULL REFERENCES events (seq),
    seal      TEXT NOT NULL,                       -- hex
    salt      BLOB,                                -- 32 bytes; gone once there is a newer seal of the row
    PRIMARY KEY (object_id, seq)
) STRICT;
CREATE INDEX seals_by_seq ON seals (seq);
