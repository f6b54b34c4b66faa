-- Emergencies in force go on after a restart, until somebody calls them off.
CREATE TABLE standing_order (
    interrupt TEXT PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
