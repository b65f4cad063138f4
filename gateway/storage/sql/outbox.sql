-- name: highest
SELECT max(position) FROM (
    SELECT position FROM incident_reader
    UNION ALL SELECT low FROM outbox
    UNION ALL SELECT position FROM outbox_settled
    UNION ALL SELECT position FROM dead_letter
    UNION ALL SELECT position FROM delivery
    UNION ALL SELECT position FROM device_reader
    UNION ALL SELECT position FROM calibration
);

-- name: begin
INSERT INTO outbox (destination, low) VALUES (?, ?) ON CONFLICT DO NOTHING;

-- name: low
SELECT low FROM outbox WHERE destination = ?;

-- name: places
SELECT destination, low FROM outbox;

-- name: settled_within
SELECT count(*) FROM outbox_settled WHERE destination = ? AND position BETWEEN ? AND ?;

-- name: settled
SELECT position FROM outbox_settled WHERE destination = ?;

-- name: settle
INSERT INTO outbox_settled (destination, position) VALUES (?, ?) ON CONFLICT DO NOTHING;

-- name: advance
UPDATE outbox SET low = ? WHERE destination = ? AND low < ?;

-- name: sweep
DELETE FROM outbox_settled WHERE destination = ? AND position <= ?;

-- name: bury
INSERT INTO dead_letter (destination, position, event, reason, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- name: dead
SELECT position, event, reason, at FROM dead_letter WHERE destination = ? ORDER BY position DESC LIMIT ?;

-- name: count_dead
SELECT count(*) FROM dead_letter WHERE destination = ?;

-- name: unbury
DELETE FROM dead_letter WHERE destination = ? AND position = ?;

-- name: record
INSERT INTO delivery (destination, position, event, state, attempts, error, at) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: trim
DELETE FROM delivery WHERE destination = ? AND number <= (SELECT max(number) FROM delivery WHERE destination = ?) - ?;

-- name: deliveries
SELECT position, event, state, attempts, error, at FROM delivery WHERE destination = ? ORDER BY number DESC LIMIT ?;

-- name: forget
DELETE FROM outbox WHERE destination = ?;

-- name: forget_settled
DELETE FROM outbox_settled WHERE destination = ?;

-- name: forget_dead
DELETE FROM dead_letter WHERE destination = ?;

-- name: forget_deliveries
DELETE FROM delivery WHERE destination = ?;
