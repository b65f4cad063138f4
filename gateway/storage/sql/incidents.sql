-- name: position
SELECT position FROM incident_reader;

-- name: put
INSERT INTO incident (id, state, source, kind, opened, body) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body;

-- name: move
UPDATE incident_reader SET position = ? WHERE position < ?;

-- name: remember
INSERT INTO command (id, result) VALUES (?, ?) ON CONFLICT DO NOTHING;

-- name: trim
DELETE FROM command WHERE rowid <= (SELECT max(rowid) FROM command) - ?;

-- name: get
SELECT body FROM incident WHERE id = ?;

-- name: find_open
SELECT body FROM incident WHERE source = ? AND kind = ? AND state <> 'resolved' ORDER BY opened DESC LIMIT 1;

-- name: list
SELECT body FROM incident
WHERE (? = 0 OR state IN (:states))
  AND (? IS NULL OR (opened, id) < (SELECT opened, id FROM incident WHERE id = ?))
  AND (? OR CASE WHEN json_valid(body) THEN NOT coalesce(json_extract(body, '$.discreet'), 0) END)
ORDER BY opened DESC, id DESC LIMIT ?;

-- name: unresolved
SELECT body FROM incident WHERE state <> 'resolved' ORDER BY opened;

-- name: command
SELECT result FROM command WHERE id = ?;

-- name: bodies
SELECT id, CAST(body AS BLOB), state = 'resolved' FROM incident WHERE state <> 'resolved'
    OR rowid > (SELECT max(rowid) FROM incident) - ?;

-- name: delete
DELETE FROM incident WHERE CAST(id AS BLOB) = CAST(? AS BLOB);

-- name: set
UPDATE incident_reader SET position = ?;

-- name: clear
DELETE FROM incident;

-- name: rewind
UPDATE incident_reader SET position = 0;

-- name: deadlines
SELECT incident, wait, boot, monotonic, wall FROM deadline;

-- name: keep_deadline
INSERT INTO deadline (incident, wait, boot, monotonic, wall) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (incident) DO UPDATE SET wait = excluded.wait, boot = excluded.boot, monotonic = excluded.monotonic,
    wall = excluded.wall;

-- name: drop_deadline
DELETE FROM deadline WHERE incident = ?;
