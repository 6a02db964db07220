-- An owner's policy: 1 when its sources hold what is asked of them as soon as it is asked; NULL when not.
ALTER TABLE organizations ADD COLUMN holds_on_submission INTEGER;
-- Until when the owner's side keeps the footage of an item; NULL when it does not, or until it is freed.
ALTER TABLE request_items ADD COLUMN held_until INTEGER;
