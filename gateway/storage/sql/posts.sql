-- name: posts
SELECT id, key, name, place, discreet_safe, created, created_by, seen FROM post ORDER BY name;

-- name: put
INSERT INTO post (id, key, name, place, discreet_safe, created, created_by, seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, place = excluded.place, discreet_safe = excluded.discreet_safe,
    seen = excluded.seen;

-- name: touch
UPDATE post SET seen = ? WHERE id = ?;

-- name: remove
DELETE FROM post WHERE id = ?;
