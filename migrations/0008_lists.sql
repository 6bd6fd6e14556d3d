-- The lists of the REST edge: a user's tasks, and what fires next of them. {{schema}} is filled in by
-- src/read_model/migrate.rs; every statement may be run again.

-- A user's tasks, whatever their status, in an order that no commit changes.
CREATE INDEX IF NOT EXISTS task_index_user
    ON {{schema}}.task_index (app_id, user_id, task_id)
    WHERE user_id IS NOT NULL;

-- What fires next of a user's tasks, in order. Tasks that are done cost nothing here.
CREATE INDEX IF NOT EXISTS task_index_user_wake
    ON {{schema}}.task_index (app_id, user_id, next_wake, task_id)
    WHERE user_id IS NOT NULL AND next_wake IS NOT NULL;
