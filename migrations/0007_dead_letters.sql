-- Dead letters: what a consumer of our topics could not handle. Kafka can give back no single record and
-- remove none, so the service takes what lies on the dead-letter topics and keeps it here, where operators
-- look at it, send it again or drop it. {{schema}} is filled in by src/read_model/migrate.rs; every
-- statement may be run again.

CREATE TABLE IF NOT EXISTS {{schema}}.dead_letter (
    app_id        text COLLATE "C" NOT NULL,
    -- What operators call it by; in the order of arrival.
    id            bigint GENERATED ALWAYS AS IDENTITY,
    -- The dead-letter topic that it lay on.
    topic         text COLLATE "C" NOT NULL,
    -- Which record it is, so that one that is delivered again is kept once.
    identity      text COLLATE "C" NOT NULL,
    -- Where the record lay that could not be handled; null: it does not say.
    origin_topic  text,
    origin_partition integer,
    origin_offset bigint,
    written_at    timestamptz,
    -- The record as it was: its key (null: it has none), its headers, its value.
    message_key   text,
    headers       jsonb NOT NULL,
    value         bytea NOT NULL,
    -- Why it lies here, in a word and in words.
    reason        text COLLATE "C" NOT NULL,
    detail        text,
    -- What can be made out of it.
    event_id      text COLLATE "C",
    event_type    text COLLATE "C",
    task_id       text COLLATE "C",
    received_at   timestamptz NOT NULL DEFAULT now(),
    -- open, replayed or dropped; and who said so, when and why.
    status        text COLLATE "C" NOT NULL DEFAULT 'open'
        CHECK (status IN ('open', 'replayed', 'dropped')),
    changed_at    timestamptz,
    changed_by    text,
    note          text,
    -- How often it was about to be sent again, and what the last failure said.
    attempts      integer NOT NULL DEFAULT 0,
    last_error    text,
    -- The run of `dlq replay` that has it in hand, and until when nobody else takes it.
    claimed_by    text COLLATE "C",
    claimed_until timestamptz,
    PRIMARY KEY (app_id, id),
    UNIQUE (app_id, identity)
);

-- How many are open, by topic; the pages of `dlq list`.
CREATE INDEX IF NOT EXISTS dead_letter_open
    ON {{schema}}.dead_letter (app_id, topic, id) WHERE status = 'open';

-- What became of a task's events.
CREATE INDEX IF NOT EXISTS dead_letter_task
    ON {{schema}}.dead_letter (app_id, task_id, id) WHERE task_id IS NOT NULL;

-- The purge: those that have been here for the longest time.
CREATE INDEX IF NOT EXISTS dead_letter_received
    ON {{schema}}.dead_letter (app_id, received_at);
