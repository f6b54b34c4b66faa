-- Several orders may be given within the second that is in their names: they go on in the order in which they were given.
ALTER TABLE standing_order ADD COLUMN number INTEGER; -- none for those of before this was kept
