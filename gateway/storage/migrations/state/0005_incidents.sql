-- Since when an incident waits, on the monotonic clock of a boot.
CREATE TABLE deadline (
    incident  TEXT NOT NULL PRIMARY KEY,
    wait      TEXT NOT NULL,
    boot      TEXT NOT NULL,
    monotonic REAL NOT NULL,
    wall      TEXT NOT NULL
);
-- key: SHA-256 of the token that the browser holds.
CREATE TABLE post (
    id            TEXT    NOT NULL PRIMARY KEY,
    key           TEXT    NOT NULL UNIQUE,
    name          TEXT    NOT NULL,
    place         TEXT    NOT NULL,
    discreet_safe INTEGER NOT NULL,
    created       TEXT    NOT NULL,
    created_by    TEXT    NOT NULL,
    seen          TEXT
);
