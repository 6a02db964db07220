-- Since when nothing more is done about an item; NULL while it is open. What ended before this was known is counted from now on.
ALTER TABLE request_items ADD COLUMN ended_at INTEGER;
UPDATE request_items SET ended_at = CAST(strftime('%s', 'now') AS INTEGER) * 1000000
    WHERE state NOT IN ('pending', 'needs_information', 'approved', 'exporting', 'uploading', 'in_review');

-- When it was said that the bytes of a refused file go; its row and its hash stay.
ALTER TABLE evidence ADD COLUMN purged_at INTEGER;
CREATE INDEX evidence_unreleased ON evidence (item_id) WHERE released_at IS NULL AND purged_at IS NULL;
