-- What operators see and say: tasks whose state cannot be used, firing that is stopped, and how far a
-- `rearm` came. {{schema}} is filled in by src/read_model/migrate.rs; every statement may be run again.

-- Tasks whose state cannot be used. They are left out of what the audit does, so that they hold up
-- nobody, and tried again now and then.
--
-- A row counts only while the task is still at the version at which it was parked: any commit that
-- the fence lets in, a repair or that of a newer process, un-parks the task without touching this
-- table. So a commit does not become dearer, and nothing can be forgotten.
CREATE TABLE IF NOT EXISTS {{schema}}.task_parked (
    app_id         text COLLATE "C" NOT NULL,
    task_id        text COLLATE "C" NOT NULL,
    -- That of its row in task_index; null: it has none.
    version        bigint,
    -- damaged, newer, missing, or panicked.
    reason         text COLLATE "C" NOT NULL,
    detail         text NOT NULL,
    -- The schema of the stored state, where it is a newer one.
    schema_version bigint,
    since          timestamptz NOT NULL DEFAULT now(),
    tried_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (app_id, task_id)
);

-- The audit: those that were not tried for the longest time.
CREATE INDEX IF NOT EXISTS task_parked_tried
    ON {{schema}}.task_parked (app_id, tried_at);

-- Whose reminders shall not fire now.
CREATE TABLE IF NOT EXISTS {{schema}}.firing_stop (
    app_id     text COLLATE "C" NOT NULL,
    -- The user; the empty text, which no user has for an id: everyone.
    user_id    text COLLATE "C" NOT NULL,
    reason     text NOT NULL,
    stopped_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (app_id, user_id)
);

-- How far a `rearm` came that registers every near wake again; the next one goes on there.
CREATE TABLE IF NOT EXISTS {{schema}}.task_rearm (
    app_id     text COLLATE "C" PRIMARY KEY,
    -- The last wake that was registered: its time, in milliseconds since 1970, and its task.
    at_ms      bigint NOT NULL,
    task_id    text COLLATE "C" NOT NULL,
    done       bigint NOT NULL,
    began_at   timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
