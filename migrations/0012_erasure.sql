-- Erasure: whose data is to go. {{schema}} is filled in by src/read_model/migrate.rs; every statement may
-- be run again. Rights needed to erase: DELETE on the state table.

-- A row as long as anything of the user may be left. It names the user, so it goes last of all: that an
-- erasure is done is told by nothing being there.
CREATE TABLE IF NOT EXISTS {{schema}}.erasure (
    app_id       text COLLATE "C" NOT NULL,
    user_id      text COLLATE "C" NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    -- Tasks erased so far.
    erased       bigint NOT NULL DEFAULT 0,
    -- Since when nothing of the user was found; null: something was, or nobody has looked yet.
    clean_since  timestamptz,
    PRIMARY KEY (app_id, user_id)
);
