-- A digest of the file under the person's key, so that none is taken twice; NULL of photos from before.
ALTER TABLE photo ADD COLUMN digest BLOB;
CREATE UNIQUE INDEX photo_once ON photo (person, digest);
-- How far the face was from the person's nearest other one when it was added, and how far a match might be then.
ALTER TABLE photo ADD COLUMN own_distance REAL;
ALTER TABLE photo ADD COLUMN threshold REAL;
