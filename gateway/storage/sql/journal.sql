-- name: insert
INSERT INTO event (position, id, type, source, severity, time_us, salt, body, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: last
SELECT position, hash FROM event ORDER BY position DESC LIMIT 1;

-- name: chain
SELECT position, CAST(id AS BLOB), CAST(salt AS BLOB), CAST(body AS BLOB), hash, CAST(type AS BLOB), CAST(source AS BLOB), CAST(severity AS BLOB), time_us FROM event WHERE position > ? ORDER BY position LIMIT ?;

-- name: newest
SELECT position, id, type, source, severity, time_us, salt, body, hash FROM event WHERE position <= ? ORDER BY position DESC LIMIT ?;

-- name: lately
SELECT min(position) FROM event WHERE position > ? AND time_us >= ?;
