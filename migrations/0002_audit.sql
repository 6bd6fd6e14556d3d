-- What the replicas agree on for the sweep and the audit: whose turn it is, how far the sweep came,
-- and which runs of a process are alive. {{schema}} is filled in by src/read_model/migrate.rs.

-- One row per app: the lease, and the sweep's place. A replica that holds the lease works; it
-- expires by itself, so that a dead holder is followed by another.
CREATE TABLE IF NOT EXISTS {{schema}}.task_audit (
    app_id         text COLLATE "C" PRIMARY KEY,
    -- The epoch of the holder, in decimal digits.
    holder         text COLLATE "C" NOT NULL,
    held_until     timestamptz NOT NULL,
    -- Every wake up to here was registered; milliseconds since 1970. 0: register everything near.
    swept_until_ms bigint NOT NULL DEFAULT 0
);

-- The runs of a process, each with the last time it was seen alive.
CREATE TABLE IF NOT EXISTS {{schema}}.task_epoch (
    app_id  text COLLATE "C" NOT NULL,
    epoch   text COLLATE "C" NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (app_id, epoch)
);
