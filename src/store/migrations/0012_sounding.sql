-- How far what sounded was at the heartbeat: what is known of it after a power cut. None in those of before this was kept.
ALTER TABLE heartbeat ADD COLUMN sounding TEXT; -- JSON, a list of asrun::Sounding
