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
