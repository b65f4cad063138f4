CREATE TABLE mqtt_record (
    kind   TEXT    NOT NULL,
    name   TEXT    NOT NULL,
    number INTEGER NOT NULL,
    body   BLOB    NOT NULL,
    PRIMARY KEY (kind, name, number)
) WITHOUT ROWID;
