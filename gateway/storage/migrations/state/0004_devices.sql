CREATE TABLE device (
    id   TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
);
CREATE TABLE device_reader (
    one      INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    position INTEGER NOT NULL
);
INSERT INTO device_reader VALUES (1, 0);
