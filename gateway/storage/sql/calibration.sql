-- name: add
INSERT INTO passage_distance (day, camera, size, rule, model, people, bin, count) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET count = count + excluded.count;

-- name: add_time
INSERT INTO passage_time (day, camera, seconds) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET seconds = seconds + excluded.seconds;

-- name: distances
SELECT camera, size, rule, people, bin, sum(count) FROM passage_distance
WHERE day >= ? AND model = ? GROUP BY camera, size, rule, people, bin;

-- name: times
SELECT camera, sum(seconds) FROM passage_time WHERE day >= ? GROUP BY camera;

-- name: warned
INSERT INTO face_warning (event, day, camera, size, model, people, scores, verdict) VALUES (?, ?, ?, ?, ?, ?, ?, '')
ON CONFLICT DO NOTHING;

-- name: judge
UPDATE face_warning SET verdict = ? WHERE event = ?;

-- name: warnings
SELECT day, camera, size, people, scores, verdict FROM face_warning WHERE day >= ? AND model = ?;

-- name: position
SELECT position FROM calibration;

-- name: move
UPDATE calibration SET position = ? WHERE position < ?;

-- name: drift
SELECT drift FROM calibration;

-- name: set_drift
UPDATE calibration SET drift = ?;

-- name: trim_distances
DELETE FROM passage_distance WHERE day < ?;

-- name: trim_times
DELETE FROM passage_time WHERE day < ?;

-- name: trim_warnings
DELETE FROM face_warning WHERE day < ?;
