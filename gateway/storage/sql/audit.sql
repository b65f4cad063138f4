-- name: last
SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1;

-- name: append
INSERT INTO audit (number, at, actor, action, subject, detail, hash) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: of_action
SELECT at, subject, detail FROM audit WHERE action = ? ORDER BY number;

-- name: entries
SELECT number, at, actor, action, subject, detail, hash FROM audit WHERE number > ? ORDER BY number LIMIT ?;
