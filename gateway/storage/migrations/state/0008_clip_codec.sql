-- How a clip is coded, so that a browser knows whether it plays it; empty of clips from before.
ALTER TABLE clip ADD COLUMN codec TEXT NOT NULL DEFAULT '';
