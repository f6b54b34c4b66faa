-- What the subject of an act was called then: by now it may be called otherwise, or be gone.
ALTER TABLE act ADD COLUMN title TEXT; -- null: it has no other name, or none was kept

-- The orders that took the air, by their ids: what gives it back is about one of them.
CREATE INDEX act_order ON act (subject) WHERE what IN ('interrupt.live', 'interrupt.emergency');

-- Of what was done before, as far as the recordings' own histories say it.
UPDATE act SET title = (
    SELECT json_extract(event.reason, '$.title') FROM segment_event AS event
    WHERE event.segment = substr(act.subject, instr(act.subject, ' ') + 1)
      AND event.what IN ('added', 'described') AND event.at_ms <= act.at_ms AND json_valid(event.reason)
    ORDER BY event.id DESC LIMIT 1
) WHERE what LIKE 'segment.%' OR what IN ('interrupt.live', 'interrupt.emergency');

UPDATE act SET title = (
    SELECT ordered.title FROM act AS ordered
    WHERE ordered.what IN ('interrupt.live', 'interrupt.emergency')
      AND ordered.subject > act.subject || ' ' AND ordered.subject < act.subject || '!'
    LIMIT 1
) WHERE what = 'interrupt.call-off';
