-- Whether the topics that the service consumes are still consumed. Any replica may be the one that hears
-- what another has asked, so what is known stands here. {{schema}} is filled in by
-- src/read_model/migrate.rs; every statement may be run again.

CREATE TABLE IF NOT EXISTS {{schema}}.topic_watch (
    app_id        text COLLATE "C" NOT NULL,
    topic         text COLLATE "C" NOT NULL,
    -- When a record of the topic last came to any replica.
    heard_at      timestamptz NOT NULL DEFAULT now(),
    -- When the last canary was published that nothing was heard since; null: there is none.
    asked_at      timestamptz,
    -- How many canaries were published since something was heard.
    asks          integer NOT NULL DEFAULT 0,
    -- Until when a replica is subscribing anew: one at a time.
    healing_until timestamptz,
    PRIMARY KEY (app_id, topic)
);
