-- others: it may show people who are on no list; it goes with the match all the same.
CREATE TABLE clip (
    id      TEXT    NOT NULL PRIMARY KEY REFERENCES evidence (id) ON DELETE CASCADE,
    state   TEXT    NOT NULL,
    seconds REAL    NOT NULL,
    size    INTEGER NOT NULL,
    others  INTEGER NOT NULL
);
