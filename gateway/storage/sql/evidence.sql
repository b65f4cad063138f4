-- name: keep
INSERT INTO evidence (id, event, camera, person, kind, created, purge_after, wrapped_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: get
SELECT evidence.id, event, camera, person, kind, created, purge_after, first_seen, last_seen,
    state, seconds, size, others, late_seconds, lost_seconds, codec, clock_offset_seconds, reason, wrapped_key
FROM evidence LEFT JOIN clip ON clip.id = evidence.id WHERE evidence.id = ?;

-- name: of_event
SELECT evidence.id, event, camera, person, kind, created, purge_after, first_seen, last_seen,
    state, seconds, size, others, late_seconds, lost_seconds, codec, clock_offset_seconds, reason
FROM evidence LEFT JOIN clip ON clip.id = evidence.id WHERE event = ? ORDER BY created, evidence.id;

-- name: of_person
SELECT evidence.id, event, camera, person, kind, created, purge_after, first_seen, last_seen,
    state, seconds, size, others, late_seconds, lost_seconds, codec, clock_offset_seconds, reason
FROM evidence LEFT JOIN clip ON clip.id = evidence.id WHERE person = ? ORDER BY created, evidence.id;

-- name: due
SELECT evidence.id, event, camera, person, kind, created, purge_after, first_seen, last_seen,
    state, seconds, size, others, late_seconds, lost_seconds, codec, clock_offset_seconds, reason
FROM evidence LEFT JOIN clip ON clip.id = evidence.id WHERE purge_after <= ? ORDER BY created, evidence.id;

-- name: keep_until
UPDATE evidence SET purge_after = ? WHERE event = ?;

-- name: purge
DELETE FROM evidence WHERE id = ?;

-- name: ids
SELECT id FROM evidence;

-- name: begin_clip
INSERT INTO clip (id, state, seconds, size, others, codec, clock_offset_seconds, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: end_clip
UPDATE clip SET state = ?, seconds = ?, size = ?, others = ?, late_seconds = ?, lost_seconds = ? WHERE id = ?;

-- name: unfinished
SELECT id FROM clip WHERE state = 'recording';

-- name: note_passage
UPDATE evidence SET first_seen = ?, last_seen = ? WHERE event = ?;

-- name: gaps
SELECT event, camera, person FROM evidence JOIN clip ON clip.id = evidence.id
WHERE kind = 'clip' AND state = 'cut_short' AND created >= ? AND NOT EXISTS (
    SELECT 1 FROM evidence AS own
    WHERE own.event = evidence.event AND own.camera = evidence.camera AND own.kind = 'camera_clip'
) ORDER BY created, evidence.id;
