-- Which of those who may have a connector's key is heard: an id that it keeps with its state; NULL from versions that do not say.
ALTER TABLE connectors ADD COLUMN instance TEXT;
-- When another one was last refused beside it.
ALTER TABLE connectors ADD COLUMN used_twice_at INTEGER;
