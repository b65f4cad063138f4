CREATE TABLE event (
    position INTEGER PRIMARY KEY,
    id       TEXT    NOT NULL UNIQUE,
    type     TEXT    NOT NULL,
    source   TEXT    NOT NULL,
    severity TEXT    NOT NULL,
    time_us  INTEGER NOT NULL,
    salt     BLOB    NOT NULL,
    body     BLOB    NOT NULL,
    hash     BLOB    NOT NULL
);
CREATE INDEX event_by_type ON event (type, position);
