-- Counts by day, so that old ones leave, and by the size of the list that they are of, so that another size can be told.
DROP TABLE histogram;
CREATE TABLE passage_distance (
    day    TEXT    NOT NULL,
    camera TEXT    NOT NULL,
    size   TEXT    NOT NULL,
    rule   TEXT    NOT NULL,
    model  TEXT    NOT NULL,
    people INTEGER NOT NULL,
    bin    INTEGER NOT NULL,
    count  INTEGER NOT NULL,
    PRIMARY KEY (day, camera, size, rule, model, people, bin)
) WITHOUT ROWID;
CREATE TABLE passage_time (
    day     TEXT NOT NULL,
    camera  TEXT NOT NULL,
    seconds REAL NOT NULL,
    PRIMARY KEY (day, camera)
) WITHOUT ROWID;
CREATE TABLE face_warning (
    event   TEXT    NOT NULL PRIMARY KEY,
    day     TEXT    NOT NULL,
    camera  TEXT    NOT NULL,
    size    TEXT    NOT NULL,
    model   TEXT    NOT NULL,
    people  INTEGER NOT NULL,
    scores  TEXT    NOT NULL,
    verdict TEXT    NOT NULL
) WITHOUT ROWID;
CREATE INDEX face_warning_by_day ON face_warning (day);
CREATE TABLE calibration (
    one      INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    position INTEGER NOT NULL,
    drift    TEXT    NOT NULL
);
INSERT INTO calibration VALUES (1, 0, '');
