-- name: users
SELECT name, role, password, disabled, created FROM user ORDER BY name;

-- name: user
SELECT name, role, password, disabled, created FROM user WHERE name = ?;

-- name: add_user
INSERT INTO user (name, role, password, disabled, created) VALUES (?, ?, ?, ?, ?);

-- name: administrators
SELECT name FROM user WHERE role = 'admin' AND NOT disabled;

-- name: change_user
UPDATE user SET role = coalesce(?, role), password = coalesce(?, password), disabled = coalesce(?, disabled) WHERE name = ?;

-- name: open_session
INSERT INTO session (key, user, created, seen, ends) VALUES (?, ?, ?, ?, ?);

-- name: session
SELECT session.user, session.created, session.seen, session.ends, user.role, user.password, user.disabled, user.created
FROM session JOIN user ON user.name = session.user WHERE session.key = ?;

-- name: sessions_of
SELECT key, created, seen, ends FROM session WHERE user = ? ORDER BY created;

-- name: touch_session
UPDATE session SET seen = ? WHERE key = ?;

-- name: end_session
DELETE FROM session WHERE key = ?;

-- name: end_sessions
DELETE FROM session WHERE user = ?;

-- name: sweep_sessions
DELETE FROM session WHERE ends <= ?;

-- name: sweep_one_time
DELETE FROM one_time WHERE ends <= ?;

-- name: add_token
INSERT INTO api_token (id, key, name, role, created, ends, revoked) VALUES (?, ?, ?, ?, ?, ?, 0);

-- name: tokens
SELECT id, key, name, role, created, ends, used, revoked FROM api_token ORDER BY created, id;

-- name: token
SELECT id, key, name, role, created, ends, used, revoked FROM api_token WHERE key = ?;

-- name: touch_token
UPDATE api_token SET used = ? WHERE id = ?;

-- name: revoke_token
UPDATE api_token SET revoked = 1 WHERE id = ?;

-- name: forget_token
DELETE FROM api_token WHERE id = ?;

-- name: add_one_time
INSERT INTO one_time (key, purpose, user, ends) VALUES (?, ?, ?, ?);

-- name: one_time
SELECT user FROM one_time WHERE key = ? AND purpose = ? AND ends > ?;

-- name: use_one_time
DELETE FROM one_time WHERE key = ?;

-- name: sweep_failures
DELETE FROM failure WHERE last <= ?;

-- name: failures
SELECT count, last FROM failure WHERE account = ? AND network = ?;

-- name: note_failure
INSERT INTO failure (account, network, count, last) VALUES (?, ?, 1, ?)
ON CONFLICT (account, network) DO UPDATE SET count = count + 1, last = excluded.last;

-- name: clear_failures
DELETE FROM failure WHERE account = ? AND network = ?;
