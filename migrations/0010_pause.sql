-- Pauses: which tasks are silent, and which users said so.
--
-- {{state_table}} and {{schema}} are filled in by src/read_model/migrate.rs; every statement may be
-- run again. Rights needed: those of the first migration.

-- Whether nothing of the task fires, since it or its user is paused: then `next_wake` is null as well.
ALTER TABLE {{schema}}.task_index ADD COLUMN IF NOT EXISTS paused boolean NOT NULL DEFAULT false;

-- Since when everything of the user is paused; null: nothing is.
ALTER TABLE {{schema}}.user_index ADD COLUMN IF NOT EXISTS paused_since timestamptz;
-- When a pause last ended with nothing to fire of what fell due in it. Tasks that follow later go by it.
ALTER TABLE {{schema}}.user_index ADD COLUMN IF NOT EXISTS skipped_until timestamptz;

-- Judges a written task and keeps its index row: as before, with one more field, "h", which is there and
-- true while the task is paused.
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
    readable boolean := false;
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

-- Judges a written user and keeps the index row: as before, with two more fields, in milliseconds since
-- 1970 and only where there is something to say: "h", since when the user is paused, and "k", until when
-- what a pause missed is skipped.
CREATE OR REPLACE FUNCTION {{schema}}.user_fence_write() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $fence$
DECLARE
    app   text := split_part(NEW.key, '||', 1);
    actor text := split_part(NEW.key, '||', 3);
    -- The offered index line and its fields, by their names there.
    line jsonb;
    u    text;
    v    bigint;
    t    timestamptz;
    h    timestamptz;
    k    timestamptz;
    -- The version that is stored.
    stored_v bigint;
    readable boolean := false;
BEGIN
    BEGIN
        line := convert_from(
            substring(NEW.value FOR position('\x0a'::bytea IN substring(NEW.value FOR 32768)) - 1),
            'UTF8')::jsonb;
        u := line ->> 'u';
        v := (line ->> 'v')::bigint;
        t := to_timestamp((line ->> 't')::float8 / 1000);
        h := to_timestamp((line ->> 'h')::float8 / 1000);
        k := to_timestamp((line ->> 'k')::float8 / 1000);
        readable := (line ->> 's')::int > 0 AND v > 0 AND u IS NOT NULL AND t IS NOT NULL
            AND jsonb_typeof(line -> 'p') = 'object';
    EXCEPTION WHEN data_exception THEN
        readable := false;
    END;
    IF readable IS NOT TRUE THEN
        RAISE EXCEPTION 'fence: the value offered for user % does not begin with an index line', actor
            USING ERRCODE = 'RS002';
    END IF;

    IF TG_OP = 'INSERT' THEN
        IF v <> 1 THEN
            RAISE EXCEPTION 'fence: user % is not stored, so the first version is 1; version % is refused',
                actor, v USING ERRCODE = 'RS001';
        END IF;
    ELSE
        BEGIN
            stored_v := (convert_from(
                substring(OLD.value FOR position('\x0a'::bytea IN substring(OLD.value FOR 32768)) - 1),
                'UTF8')::jsonb ->> 'v')::bigint;
        EXCEPTION WHEN data_exception THEN
            stored_v := NULL;
        END;
        IF stored_v IS NULL THEN
            -- Only a write past this trigger can have damaged it. The index row still has the last
            -- good version, which a repair follows.
            SELECT idx.version INTO stored_v
                FROM {{schema}}.user_index AS idx WHERE idx.app_id = app AND idx.user_id = u;
        END IF;
        IF v <> coalesce(stored_v + 1, v) THEN
            RAISE EXCEPTION 'fence: user % is at version %; version % is refused', actor, stored_v, v
                USING ERRCODE = 'RS001';
        END IF;
    END IF;
    INSERT INTO {{schema}}.user_index AS idx
            (app_id, user_id, version, preferences, updated_at, paused_since, skipped_until)
        VALUES (app, u, v, line -> 'p', t, h, k)
        ON CONFLICT (app_id, user_id) DO UPDATE
            SET version = excluded.version, preferences = excluded.preferences,
                updated_at = excluded.updated_at, paused_since = excluded.paused_since,
                skipped_until = excluded.skipped_until, behind_at = now();
    RETURN NULL;
END
$fence$;
