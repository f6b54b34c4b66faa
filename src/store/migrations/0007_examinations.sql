-- A file is examined in its sender's name also when nobody asks for it, as after a restart.
ALTER TABLE upload ADD COLUMN origin TEXT NOT NULL DEFAULT 'unknown'; -- from where it was announced

-- Examinations that the program did not survive: a file that ends it again and again must not do so at every start.
ALTER TABLE upload ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
