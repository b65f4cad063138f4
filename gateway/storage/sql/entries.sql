-- name: entries
SELECT id, body, secrets FROM entry WHERE kind = ? ORDER BY id;

-- name: ids
SELECT kind, id FROM entry;

-- name: get
SELECT id, body, secrets FROM entry WHERE kind = ? AND id = ?;

-- name: put
INSERT INTO entry (kind, id, body, secrets) VALUES (?, ?, ?, ?)
ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body, secrets = excluded.secrets;

-- name: delete
DELETE FROM entry WHERE kind = ? AND id = ?;
