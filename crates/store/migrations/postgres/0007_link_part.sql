-- Which part of the granted minutes the holder of a link has, as they said; NULL where they did not say "part".
ALTER TABLE file_requests ADD COLUMN part_from BIGINT;
ALTER TABLE file_requests ADD COLUMN part_to BIGINT;
