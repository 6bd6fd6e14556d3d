-- Retention: tombstones and completed tasks go for good, and no event id is ever used twice.
--
-- {{state_table}} and {{schema}} are filled in by src/read_model/migrate.rs; every statement may be run
-- again. Rights needed: those of the first migration; and, to purge, DELETE on the state table.

-- One row per app once a round of the purge was begun.
CREATE TABLE IF NOT EXISTS {{schema}}.retention (
    app_id      text COLLATE "C" PRIMARY KEY,
    -- The incarnation in which tasks are born that are not stored. A round raises it before it deletes
    -- anything, and deletes only what was born earlier: so a task that is made anew has later numbers
    -- than ever before, and a statement of its earlier life that comes late is refused.
    births      bigint NOT NULL DEFAULT 1,
    -- Who has a round under way, and until when nobody else begins one.
    holder      text COLLATE "C",
    held_until  timestamptz NOT NULL DEFAULT now(),
    -- When a round last came to its end.
    finished_at timestamptz
);

-- What may be old enough, the oldest first. Open tasks cost nothing here.
CREATE INDEX IF NOT EXISTS task_index_over
    ON {{schema}}.task_index (app_id, status, updated_at, task_id)
    WHERE status IN ('completed', 'deleted');

-- Judges a written task and keeps its index row: as before, but for pauses and for what is not stored.
--
-- * "h" is there and true while the task is paused, by itself or by its user.
-- * The first write of a task must be of the incarnation in which tasks are born, or a later one.
-- * A line with "b" is the first of a task. Where the task is stored it is refused, whatever its numbers:
--   so a turn that takes the task for new need not read that it is not there.
-- * The first version of an open task has the copy of its user's preferences that the user has by then; any
--   other is refused. So whoever makes a task may go by what it remembers of the user, and reads it only
--   when it is refused.
--
-- A task that comes to be open again, or another user's, may have an older copy of the preferences than
-- its user: then the user is noted as one to look at. A task that was open with an older copy was noted
-- before, and a commit in the same moment as the user's is found by looking back further than any commit
-- takes. So most commits do not touch user_index at all.
--
-- The value is two lines: the index line, {"s":1,"v":…,"i":…,"u":…,"st":…,"w":…,"e":…,"n":…,"t":…,
-- "p":…,"z":…,"h":…,"b":…},
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
    p    bigint;
    h    boolean;
    -- The stored index line, its version and incarnation.
    stored   jsonb;
    stored_v bigint;
    stored_i bigint;
    -- The incarnation since the last restore, if there was one.
    restored_i bigint;
    -- The incarnation in which tasks are born since the last purge, if there was one.
    births bigint;
    readable boolean := false;
    -- The version of its user's preferences.
    user_v bigint;
    -- Whether it may be behind its user although it was not before.
    fell_behind boolean := true;
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
        p := coalesce((line ->> 'p')::bigint, 0);
        h := coalesce((line ->> 'h')::boolean, false);
        readable := (line ->> 's')::int > 0 AND v > 0 AND i > 0 AND p >= 0 AND t IS NOT NULL
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

    SELECT r.incarnation INTO restored_i
        FROM {{schema}}.task_restore AS r WHERE r.app_id = app;
    IF i < restored_i THEN
        RAISE EXCEPTION 'fence: a backup was restored since this process has started; task % is refused in incarnation %, which was before %',
            task, i, restored_i USING ERRCODE = 'RS001';
    END IF;

    IF TG_OP = 'INSERT' THEN
        IF v <> 1 AND i = 1 THEN
            RAISE EXCEPTION 'fence: task % is not stored, so its first version is 1; version % is refused',
                task, v USING ERRCODE = 'RS001';
        END IF;
        SELECT r.births INTO births FROM {{schema}}.retention AS r WHERE r.app_id = app;
        IF i < births THEN
            RAISE EXCEPTION 'fence: tasks were purged since this process last looked; task % is refused in incarnation %, which is before %',
                task, i, births USING ERRCODE = 'RS001';
        END IF;
        IF st IN ('pending', 'in_progress') THEN
            SELECT idx.version INTO user_v
                FROM {{schema}}.user_index AS idx WHERE idx.app_id = app AND idx.user_id = line ->> 'u';
            IF line ->> 'u' IS NOT NULL AND p <> coalesce(user_v, 0) THEN
                RAISE EXCEPTION 'fence: task % is new, and the preferences of its user are at version %; those of version % are refused',
                    task, coalesce(user_v, 0), p USING ERRCODE = 'RS001';
            END IF;
        END IF;
        fell_behind := false;
    ELSE
        IF line ? 'b' THEN
            RAISE EXCEPTION 'fence: task % is stored already; a write that begins it is refused', task
                USING ERRCODE = 'RS001';
        END IF;
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
        IF i < stored_i OR v <= stored_v OR (i = stored_i AND v <> stored_v + 1) THEN
            RAISE EXCEPTION 'fence: task % is at version % of incarnation %; version % of incarnation % is refused',
                task, stored_v, stored_i, v, i USING ERRCODE = 'RS001';
        END IF;
        fell_behind := stored ->> 'u' IS DISTINCT FROM line ->> 'u'
            OR coalesce(stored ->> 'st', '') NOT IN ('pending', 'in_progress');
    END IF;
    IF fell_behind AND st IN ('pending', 'in_progress') THEN
        UPDATE {{schema}}.user_index AS idx SET behind_at = now()
            WHERE idx.app_id = app AND idx.user_id = line ->> 'u' AND idx.version > p;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        UPDATE {{schema}}.task_index AS idx
            SET user_id = line ->> 'u', status = st, next_wake = w, pending_epoch = line ->> 'e',
                pending_n = n, version = v, incarnation = i, updated_at = t, preferences = p,
                zone_database = line ->> 'z', paused = h
            WHERE idx.app_id = app AND idx.task_id = task;
        IF FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    -- The first version of a task; or its index row was lost, or left over from a table made anew.
    INSERT INTO {{schema}}.task_index AS idx
            (app_id, task_id, user_id, status, next_wake, pending_epoch, pending_n,
             version, incarnation, updated_at, preferences, zone_database, paused)
        VALUES (app, task, line ->> 'u', st, w, line ->> 'e', n, v, i, t, p, line ->> 'z', h)
        ON CONFLICT (app_id, task_id) DO UPDATE
            SET user_id = excluded.user_id, status = excluded.status,
                next_wake = excluded.next_wake, pending_epoch = excluded.pending_epoch,
                pending_n = excluded.pending_n, version = excluded.version,
                incarnation = excluded.incarnation, updated_at = excluded.updated_at,
                preferences = excluded.preferences, zone_database = excluded.zone_database,
                paused = excluded.paused;
    RETURN NULL;
END
$fence$;

-- Forgets what else is kept of an actor row that is deleted.
CREATE OR REPLACE FUNCTION {{schema}}.task_fence_delete() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $fence$
BEGIN
    DELETE FROM {{schema}}.task_index AS idx
        WHERE idx.app_id = split_part(OLD.key, '||', 1)
          AND idx.task_id = split_part(OLD.key, '||', 3);
    DELETE FROM {{schema}}.task_parked AS parked
        WHERE parked.app_id = split_part(OLD.key, '||', 1)
          AND parked.task_id = split_part(OLD.key, '||', 3);
    RETURN NULL;
END
$fence$;
