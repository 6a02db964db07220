-- Whether a camera delivers, as its connector said last; NULL: it did not say.
ALTER TABLE cameras ADD COLUMN online INTEGER CHECK (online IN (0, 1));
