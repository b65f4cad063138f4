CREATE TABLE outbox (
    destination TEXT    NOT NULL PRIMARY KEY,
    low         INTEGER NOT NULL
);
CREATE TABLE outbox_settled (
    destination TEXT    NOT NULL,
    position    INTEGER NOT NULL,
    PRIMARY KEY (destination, position)
) WITHOUT ROWID;
CREATE TABLE dead_letter (
    destination TEXT    NOT NULL,
    position    INTEGER NOT NULL,
    event       TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    at          TEXT    NOT NULL,
    PRIMARY KEY (destination, position)
) WITHOUT ROWID;
CREATE TABLE delivery (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    destination TEXT    NOT NULL,
    position    INTEGER NOT NULL,
    event       TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    attempts    INTEGER NOT NULL,
    error       TEXT    NOT NULL,
    at          TEXT    NOT NULL
);
CREATE INDEX delivery_by_destination ON delivery (destination, number);

CREATE TABLE incident (
    id      TEXT NOT NULL PRIMARY KEY,
    state   TEXT NOT NULL,
    source  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    opened  TEXT NOT NULL,
    body    TEXT NOT NULL
);
CREATE INDEX incident_by_state ON incident (state, opened);
CREATE INDEX incident_by_source ON incident (source, kind, state);
CREATE TABLE incident_reader (
    one      INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    position INTEGER NOT NULL
);
INSERT INTO incident_reader VALUES (1, 0);
CREATE TABLE command (
    id     TEXT NOT NULL PRIMARY KEY,
    result TEXT NOT NULL
);

CREATE TABLE watch_list (
    one      INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    revision INTEGER NOT NULL
);
INSERT INTO watch_list VALUES (1, 0);
CREATE TABLE person (
    id           TEXT NOT NULL PRIMARY KEY,
    name         TEXT NOT NULL,
    category     TEXT NOT NULL,
    reason       TEXT NOT NULL,
    authority    TEXT NOT NULL,
    valid_until  TEXT NOT NULL,
    created      TEXT NOT NULL,
    updated      TEXT NOT NULL,
    created_by   TEXT NOT NULL,
    notes        TEXT NOT NULL,
    expired      INTEGER NOT NULL DEFAULT 0,
    wrapped_key  BLOB NOT NULL DEFAULT x'',
    evidence_key BLOB NOT NULL
);
CREATE TABLE photo (
    id          TEXT NOT NULL PRIMARY KEY,
    person      TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    quality     TEXT NOT NULL,
    created     TEXT NOT NULL,
    photo       BLOB NOT NULL,
    template    BLOB NOT NULL
);
CREATE INDEX photo_by_person ON photo (person, created);

CREATE TABLE evidence (
    id          TEXT NOT NULL PRIMARY KEY,
    event       TEXT NOT NULL,
    camera      TEXT NOT NULL,
    person      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    created     TEXT NOT NULL,
    purge_after TEXT NOT NULL,
    wrapped_key BLOB NOT NULL DEFAULT x''
);
CREATE INDEX evidence_by_event ON evidence (event);
CREATE INDEX evidence_by_person ON evidence (person);
CREATE INDEX evidence_by_purge ON evidence (purge_after);

CREATE TABLE user (
    name     TEXT NOT NULL PRIMARY KEY,
    role     TEXT NOT NULL,
    password TEXT NOT NULL,
    disabled INTEGER NOT NULL,
    created  TEXT NOT NULL
);
CREATE TABLE session (
    key     TEXT NOT NULL PRIMARY KEY,
    user    TEXT NOT NULL REFERENCES user (name) ON DELETE CASCADE,
    created TEXT NOT NULL,
    seen    TEXT NOT NULL,
    ends    TEXT NOT NULL
);
CREATE TABLE api_token (
    id      TEXT NOT NULL PRIMARY KEY,
    key     TEXT NOT NULL UNIQUE,
    name    TEXT NOT NULL,
    role    TEXT NOT NULL,
    created TEXT NOT NULL,
    ends    TEXT,
    used    TEXT,
    revoked INTEGER NOT NULL
);
CREATE TABLE one_time (
    key     TEXT NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    user    TEXT NOT NULL,
    ends    TEXT NOT NULL
);
CREATE TABLE failure (
    account TEXT    NOT NULL,
    network TEXT    NOT NULL,
    count   INTEGER NOT NULL,
    last    TEXT    NOT NULL,
    PRIMARY KEY (account, network)
) WITHOUT ROWID;

CREATE TABLE entry (
    kind    TEXT NOT NULL,
    id      TEXT NOT NULL,
    body    TEXT NOT NULL,
    secrets BLOB NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;

CREATE TABLE audit (
    number  INTEGER PRIMARY KEY,
    at      TEXT NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail  TEXT NOT NULL,
    hash    BLOB NOT NULL
);
CREATE TABLE histogram (
    camera TEXT    NOT NULL,
    bin    INTEGER NOT NULL,
    count  INTEGER NOT NULL,
    PRIMARY KEY (camera, bin)
) WITHOUT ROWID;
