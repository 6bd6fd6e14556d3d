-- The fence and the read model, on the table in which Dapr's state.postgresql v2 keeps actors.
--
-- {{state_table}} and {{schema}} are filled in, quoted, by src/read_model/migrate.rs, which runs
-- this file in one transaction. Every statement may be run again: the runner does so when it finds
-- a trigger gone (the table was dropped and made anew). A file once released is never edited, its
-- checksum is recorded; changes come as the next number.
--
-- Rights needed: CREATE and USAGE on the schema, TRIGGER on the state table. Postgres 14 or later.

-- One narrow row per task, kept by the triggers below in the transaction of each commit.
-- Nothing else may write it. Collation "C": ids are compared as bytes, which is cheap, and the
-- same on every server.
CREATE TABLE IF NOT EXISTS {{schema}}.task_index (
    app_id        text COLLATE "C" NOT NULL,
    task_id       text COLLATE "C" NOT NULL,
    user_id       text COLLATE "C",
    -- pending, in_progress, completed, or deleted (a tombstone).
    status        text COLLATE "C" NOT NULL,
    -- When the earliest alarm is due; null when none is left.
    next_wake     timestamptz,
    -- The stamp of the last commit that carried events: which run of a process made it (an
    -- unsigned 64-bit number in decimal digits) and its how manieth it was.
    pending_epoch text COLLATE "C",
    pending_n     bigint,
    version       bigint NOT NULL,
    incarnation   bigint NOT NULL,
    updated_at    timestamptz NOT NULL,
    PRIMARY KEY (app_id, task_id)
) WITH (
    -- Every commit leaves a dead row: vacuum often and little. No fillfactor: nearly every commit
    -- moves pending_n, which is indexed, so there are no updates in place to leave room for.
    autovacuum_vacuum_scale_factor = 0.05
);

-- A commit moves no indexed column of the state table, so with room on its page it is an update in
-- place; measured, the table stays at a third of its size. Only its owner may ask for that, and
-- only pages written later are laid out so: when Dapr's role owns it, it works all the same.
DO $$
BEGIN
    ALTER TABLE {{state_table}} SET (fillfactor = 50);
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'not the owner of the state table: its fillfactor stays as it is';
END
$$;

-- The sweep and the audit: what wakes before a given time, in order.
CREATE INDEX IF NOT EXISTS task_index_next_wake
    ON {{schema}}.task_index (app_id, next_wake, task_id)
    WHERE next_wake IS NOT NULL;

-- The audit: what a run of a process committed after its watermark. Measured, having pending_n in it
-- costs a commit nothing that can be told from noise, and it spares the audit a scan.
CREATE INDEX IF NOT EXISTS task_index_pending
    ON {{schema}}.task_index (app_id, pending_epoch, pending_n)
    WHERE pending_epoch IS NOT NULL;

-- Judges a written actor row and keeps its index row.
--
-- The value is two lines: the index line, {"s":1,"v":…,"i":…,"u":…,"st":…,"w":…,"e":…,"n":…,"t":…},
-- then the document. Only the first is read, and it must end within 2048 bytes, so the cost does
-- not depend on the size of the document (a long value is stored compressed and out of line;
-- `substring` fetches no more than it needs).
--
-- RS001: the write is out of turn; the writer must load, decide again and write again.
-- RS002: the value is not one of ours; writing it again will not help.
--
-- It runs with its owner's rights, so that the sidecar's role needs none on task_index.
CREATE OR REPLACE FUNCTION {{schema}}.task_fence_write() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $fence$
DECLARE
    app  text := split_part(NEW.key, '||', 1);
    task text := split_part(NEW.key, '||', 3);
    -- The offered index line and its fields, by their names there.
    line jsonb;
    v    bigint;
    i    bigint;
    st   text;
    w    timestamptz;
    n    bigint;
    t    timestamptz;
    -- The stored index line, its version and incarnation.
    stored   jsonb;
    stored_v bigint;
    stored_i bigint;
    readable boolean := false;
BEGIN
    -- Without a newline `position` is 0 and the length -1: a data exception, as is everything else
    -- that can be wrong with a line. The block writes nothing, so its savepoint is cheap.
    BEGIN
        line := convert_from(
            substring(NEW.value FOR position('\x0a'::bytea IN substring(NEW.value FOR 2048)) - 1),
            'UTF8')::jsonb;
        v := (line ->> 'v')::bigint;
        i := (line ->> 'i')::bigint;
        st := line ->> 'st';
        w := to_timestamp((line ->> 'w')::float8 / 1000);
        n := (line ->> 'n')::bigint;
        t := to_timestamp((line ->> 't')::float8 / 1000);
        readable := line ->> 's' = '1' AND v > 0 AND i > 0 AND t IS NOT NULL
            AND st IN ('pending', 'in_progress', 'completed', 'deleted');
        IF TG_OP = 'UPDATE' THEN
            stored := convert_from(
                substring(OLD.value FOR position('\x0a'::bytea IN substring(OLD.value FOR 2048)) - 1),
                'UTF8')::jsonb;
            stored_v := (stored ->> 'v')::bigint;
            stored_i := (stored ->> 'i')::bigint;
        END IF;
    EXCEPTION WHEN data_exception THEN
        stored_v := NULL;
    END;
    IF readable IS NOT TRUE THEN
        RAISE EXCEPTION 'fence: the value offered for task % does not begin with an index line', task
            USING ERRCODE = 'RS002';
    END IF;

    IF TG_OP = 'INSERT' THEN
        IF v <> 1 THEN
            RAISE EXCEPTION 'fence: task % is not stored, so its first version is 1; version % is refused',
                task, v USING ERRCODE = 'RS001';
        END IF;
    ELSE
        IF stored_v IS NULL OR stored_i IS NULL THEN
            -- The stored line is unreadable, which only a write past this trigger can have done.
            -- The index row still has the last good version. A repair follows that version and
            -- raises the incarnation, which no ordinary turn does; any other write is refused.
            SELECT idx.version, idx.incarnation + 1 INTO stored_v, stored_i
                FROM {{schema}}.task_index AS idx WHERE idx.app_id = app AND idx.task_id = task;
            IF i < coalesce(stored_i, 2) THEN
                RAISE EXCEPTION 'fence: the stored value of task % is unreadable; only a repair that raises its incarnation is accepted', task
                    USING ERRCODE = 'RS002';
            END IF;
        END IF;
        IF v <> coalesce(stored_v + 1, v) OR i < coalesce(stored_i, i) THEN
            RAISE EXCEPTION 'fence: task % is at version % of incarnation %; version % of incarnation % is refused',
                task, stored_v, stored_i, v, i USING ERRCODE = 'RS001';
        END IF;
        UPDATE {{schema}}.task_index AS idx
            SET user_id = line ->> 'u', status = st, next_wake = w, pending_epoch = line ->> 'e',
                pending_n = n, version = v, incarnation = i, updated_at = t
            WHERE idx.app_id = app AND idx.task_id = task;
        IF FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    -- The first version of a task; or its index row was lost, or left over from a table made anew.
    INSERT INTO {{schema}}.task_index AS idx
            (app_id, task_id, user_id, status, next_wake, pending_epoch, pending_n,
             version, incarnation, updated_at)
        VALUES (app, task, line ->> 'u', st, w, line ->> 'e', n, v, i, t)
        ON CONFLICT (app_id, task_id) DO UPDATE
            SET user_id = excluded.user_id, status = excluded.status,
                next_wake = excluded.next_wake, pending_epoch = excluded.pending_epoch,
                pending_n = excluded.pending_n, version = excluded.version,
                incarnation = excluded.incarnation, updated_at = excluded.updated_at;
    RETURN NULL;
END
$fence$;

-- Forgets the index row of an actor row that is deleted.
CREATE OR REPLACE FUNCTION {{schema}}.task_fence_delete() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $fence$
BEGIN
    DELETE FROM {{schema}}.task_index AS idx
        WHERE idx.app_id = split_part(OLD.key, '||', 1)
          AND idx.task_id = split_part(OLD.key, '||', 3);
    RETURN NULL;
END
$fence$;

-- Trigger functions need no EXECUTE right to fire; nobody has a reason to attach them elsewhere.
REVOKE ALL ON FUNCTION {{schema}}.task_fence_write() FROM PUBLIC;
REVOKE ALL ON FUNCTION {{schema}}.task_fence_delete() FROM PUBLIC;

-- AFTER, because Dapr writes INSERT … ON CONFLICT DO UPDATE: a BEFORE INSERT trigger would fire
-- for every write, an AFTER trigger fires for what the statement came to. OLD is then the row that
-- the statement waited for and overwrites, so a delayed statement is judged by what it meets.
-- The conditions keep rows of others from calling anything.
CREATE OR REPLACE TRIGGER task_fence_insert
    AFTER INSERT ON {{state_table}}
    FOR EACH ROW
    WHEN (NEW.key LIKE '%||TaskActor||%||task')
    EXECUTE FUNCTION {{schema}}.task_fence_write();

-- The same bytes again are a retry of a write that was made: accepted, and nothing to do.
CREATE OR REPLACE TRIGGER task_fence_update
    AFTER UPDATE ON {{state_table}}
    FOR EACH ROW
    WHEN (NEW.key LIKE '%||TaskActor||%||task' AND OLD.value <> NEW.value)
    EXECUTE FUNCTION {{schema}}.task_fence_write();

CREATE OR REPLACE TRIGGER task_fence_delete
    AFTER DELETE ON {{state_table}}
    FOR EACH ROW
    WHEN (OLD.key LIKE '%||TaskActor||%||task')
    EXECUTE FUNCTION {{schema}}.task_fence_delete();
