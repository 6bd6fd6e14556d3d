-- What the audit found and mended, for operators who look at more than the last round. {{schema}} is filled
-- in by src/read_model/migrate.rs; every statement may be run again.

-- Few rows: whoever adds some drops what is old or too many. Ids of tasks only, so that nothing of a user
-- who is erased stays here.
CREATE TABLE IF NOT EXISTS {{schema}}.audit_finding (
    app_id   text COLLATE "C" NOT NULL,
    -- In the order in which they were noted.
    id       bigint GENERATED ALWAYS AS IDENTITY,
    found_at timestamptz NOT NULL DEFAULT now(),
    -- What: the words of the metric reminder_audit_found.
    kind     text COLLATE "C" NOT NULL,
    -- The task; null: several that are not named, or none in particular.
    task_id  text COLLATE "C",
    -- How many tasks that is.
    tasks    bigint NOT NULL,
    PRIMARY KEY (app_id, id)
);
