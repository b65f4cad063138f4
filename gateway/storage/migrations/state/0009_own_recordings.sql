-- Of a camera's own recording: how far the camera's clock was ahead of ours (s); NULL of what we recorded.
ALTER TABLE clip ADD COLUMN clock_offset_seconds REAL;
-- Why there is none.
ALTER TABLE clip ADD COLUMN reason TEXT NOT NULL DEFAULT '';
