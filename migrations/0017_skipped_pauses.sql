-- Users: each pause that ended with nothing to fire is known with its beginning, for several may end before a task has
-- followed, and only what fell due in such a one is passed over.
--
-- {{state_table}} and {{schema}} are filled in by src/read_model/migrate.rs; every statement may be run
-- again. Rights needed: those of the first migration.

-- The last of these pauses, oldest first, [[when it began, when it ended], ...] in milliseconds since 1970. `skipped_until`,
-- the end of the last one, is what releases before this one read.
ALTER TABLE {{schema}}.user_index ADD COLUMN IF NOT EXISTS skipped jsonb;
UPDATE {{schema}}.user_index
    SET skipped = jsonb_build_array(jsonb_build_array(
        0, (extract(epoch FROM skipped_until) * 1000)::int8))
    WHERE skipped_until IS NOT NULL AND skipped IS NULL;

-- Judges a written user and keeps the index row: as before, but with the pauses that are skipped. A release before
-- this one writes "k", the end of the last of them, and does not know when it began.
--
-- The value is two lines: the index line, {"s":1,"v":…,"u":…,"p":{preferences},"t":…,"h":…,"x":[[…,…],…]}, then the
-- commands that the user remembers. The first must end within 32768 bytes; the largest preferences that the
-- service accepts take half of it. RS001 and RS002 mean what they do for tasks.
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
    w    jsonb;
    k    timestamptz;
    -- The version that is stored, or that somebody had who is gone.
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
        w := CASE WHEN line ? 'k' THEN jsonb_build_array(jsonb_build_array(0, line -> 'k')) ELSE line -> 'x' END;
        k := to_timestamp((w #>> '{-1,1}')::float8 / 1000);
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
        stored_v := greatest(
            (SELECT births.version FROM {{schema}}.user_births AS births WHERE births.app_id = app),
            (SELECT idx.version FROM {{schema}}.user_index AS idx
             WHERE idx.app_id = app AND idx.user_id = u), 0);
        IF v <> stored_v + 1 THEN
            RAISE EXCEPTION 'fence: user % is not stored, so the first version is %; version % is refused',
                actor, stored_v + 1, v USING ERRCODE = 'RS001';
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
            (app_id, user_id, version, preferences, updated_at, paused_since, skipped_until, skipped)
        VALUES (app, u, v, line -> 'p', t, h, k, w)
        ON CONFLICT (app_id, user_id) DO UPDATE
            SET version = excluded.version, preferences = excluded.preferences,
                updated_at = excluded.updated_at, paused_since = excluded.paused_since,
                skipped_until = excluded.skipped_until, skipped = excluded.skipped,
                behind_at = now();
    RETURN NULL;
END
$fence$;
