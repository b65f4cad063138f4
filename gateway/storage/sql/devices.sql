-- name: devices
SELECT id, body FROM device ORDER BY id
-- name: position
SELECT position FROM device_reader
-- name: put
INSERT INTO device (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body
-- name: delete
DELETE FROM device WHERE id = ?
-- name: move
UPDATE device_reader SET position = ?
