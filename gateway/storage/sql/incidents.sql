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
ORDER BY opened DESC, id DESC LIMIT ?;

-- name: unresolved
SELECT body FROM incident WHERE state <> 'resolved' ORDER BY opened;

-- name: command
SELECT result FROM command WHERE id = ?;

-- name: clear
DELETE FROM incident;

-- name: rewind
UPDATE incident_reader SET position = 0;
