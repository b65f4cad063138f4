-- name: keep
INSERT INTO evidence (id, event, camera, person, kind, created, purge_after, wrapped_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: get
SELECT id, event, camera, person, kind, created, purge_after, wrapped_key FROM evidence WHERE id = ?;

-- name: of_event
SELECT id, event, camera, person, kind, created, purge_after FROM evidence WHERE event = ? ORDER BY created, id;

-- name: of_person
SELECT id, event, camera, person, kind, created, purge_after FROM evidence WHERE person = ? ORDER BY created, id;

-- name: due
SELECT id, event, camera, person, kind, created, purge_after FROM evidence WHERE purge_after <= ? ORDER BY created, id;

-- name: keep_until
UPDATE evidence SET purge_after = ? WHERE event = ?;

-- name: purge
DELETE FROM evidence WHERE id = ?;

-- name: ids
SELECT id FROM evidence;
