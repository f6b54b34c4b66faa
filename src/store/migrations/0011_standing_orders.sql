-- Emergencies in force go on after a restart, until somebody calls them off.
CREATE TABLE standing_order (
    interrupt TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    let_go_ms INTEGER -- when the station came back too late to go on with it
) STRICT, WITHOUT ROWID;
