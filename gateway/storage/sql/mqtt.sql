-- name: put
INSERT INTO mqtt_record (kind, name, number, body) VALUES (?, ?, ?, ?)
ON CONFLICT (kind, name, number) DO UPDATE SET body = excluded.body;

-- name: remove
DELETE FROM mqtt_record WHERE kind = ? AND name = ? AND number = ?;

-- name: all
SELECT kind, name, number, body FROM mqtt_record ORDER BY kind, name, number;
