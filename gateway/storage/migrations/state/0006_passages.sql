-- What is missing of a clip, at its beginning and within.
ALTER TABLE clip ADD COLUMN late_seconds REAL NOT NULL DEFAULT 0;
ALTER TABLE clip ADD COLUMN lost_seconds REAL NOT NULL DEFAULT 0;
-- When the passage of a match began and ended; it goes with the evidence.
ALTER TABLE evidence ADD COLUMN first_seen TEXT;
ALTER TABLE evidence ADD COLUMN last_seen TEXT;
