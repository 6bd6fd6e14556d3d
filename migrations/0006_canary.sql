-- The canary gets a new name whenever the sweep begins anew, so that a late registration of an earlier
-- one cannot hide a later loss of the scheduler's data. {{schema}} is filled in by
-- src/read_model/migrate.rs.

-- Which canary was released last, counted from 1. 0: none yet.
ALTER TABLE {{schema}}.task_audit ADD COLUMN IF NOT EXISTS canary bigint NOT NULL DEFAULT 0;
