-- Erasure: how far the search for a user's name in tasks of others is, and when it was last looked. {{schema}} is filled in by
-- src/read_model/migrate.rs; every statement may be run again. Rights needed: those of 0012, and SELECT on the
-- state table.

-- There is no index on who shall do a task or asked for it: it would cost every write, and erasures are seldom.
-- So the stored states are gone through, page by page, until once none of them named the user.
ALTER TABLE {{schema}}.erasure
    -- The key of the last state that was looked at; null: none was yet.
    ADD COLUMN IF NOT EXISTS searched_to  text,
    -- Whether any has named the user since the first one was looked at; then the search begins once more.
    ADD COLUMN IF NOT EXISTS search_found boolean NOT NULL DEFAULT false,
    -- Whether all were looked at, and none did.
    ADD COLUMN IF NOT EXISTS search_over  boolean NOT NULL DEFAULT false,
    -- When it was last looked for something of the user. After a longer pause nobody knows what came meanwhile, so
    -- clean_since begins anew.
    ADD COLUMN IF NOT EXISTS looked_at    timestamptz;
