-- When a recording was heard is said on its page: without this, a million airings are read for it.
CREATE INDEX airing_heard ON airing (segment, planned_ms) WHERE outcome IN ('aired', 'partly', 'withdrawn');
