-- name: revision
SELECT revision FROM watch_list;

-- name: advance
UPDATE watch_list SET revision = revision + 1;

-- name: add
INSERT INTO person (id, name, category, reason, authority, valid_until, created, updated, created_by, notes, evidence_key)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: update
UPDATE person SET name = ?, category = ?, reason = ?, authority = ?, valid_until = ?, created = ?, updated = ?,
    created_by = ?, notes = ?, expired = 0
WHERE id = ?;

-- name: remove
DELETE FROM person WHERE id = ?;

-- name: get
SELECT name, category, reason, authority, valid_until, created, updated, created_by, notes FROM person WHERE id = ?;

-- name: ids
SELECT id FROM person ORDER BY name, id;

-- name: any_evidence_key
SELECT id, evidence_key FROM person LIMIT 1;

-- name: wrapped_key
SELECT wrapped_key FROM person WHERE id = ?;

-- name: set_key
UPDATE person SET wrapped_key = ? WHERE id = ?;

-- name: evidence_key
SELECT evidence_key FROM person WHERE id = ?;

-- name: photos
SELECT id, fingerprint, quality, created, own_distance, threshold FROM photo WHERE person = ? ORDER BY created, id;

-- name: add_photo
INSERT INTO photo (id, person, fingerprint, quality, created, photo, template, digest, own_distance, threshold)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: is_there
SELECT 1 FROM photo WHERE person = ? AND digest = ?;

-- name: remove_photo
DELETE FROM photo WHERE id = ? AND person = ?;

-- name: replace_template
UPDATE photo SET template = ?, fingerprint = ?, quality = ? WHERE id = ? AND person = ?;

-- name: photo
SELECT fingerprint, quality, created, photo, template FROM photo WHERE id = ? AND person = ?;

-- name: rows
SELECT photo.person, person.category, photo.id, person.wrapped_key, photo.template, photo.fingerprint
FROM photo JOIN person ON person.id = photo.person
WHERE person.valid_until > ? ORDER BY photo.person, photo.id;

-- name: next_expiry
SELECT min(valid_until) FROM person WHERE expired = 0;

-- name: due
SELECT id FROM person WHERE expired = 0 AND valid_until <= ? ORDER BY valid_until, id;

-- name: expire
UPDATE person SET expired = 1 WHERE id = ?;
