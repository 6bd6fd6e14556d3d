#!/bin/sh
# Makes the secrets of the compose project, once, so that none is in the repository.
# Runs in a container of its own, with the volumes mounted, before everything else.
#
#   secrets.sh files     write the secrets, and hand the scheduler its data folder
#   secrets.sh host-json print Dapr's secrets file with the addresses published on the host
#   secrets.sh host-url  print the database URL as it is on the host
#   secrets.sh rest-token print what callers of the REST edge show
#
# SECRETS_DIR and SCHEDULER_DIR are the mounted volumes; OWNER is the user of the containers that
# read the secrets: the number that Dapr's images and ours run as.
set -eu

SECRETS_DIR=${SECRETS_DIR:-/secrets}
SCHEDULER_DIR=${SCHEDULER_DIR:-/scheduler-data}
OWNER=${OWNER:-65532:65532}
PASSWORD_FILE=$SECRETS_DIR/postgres-password
umask 077

# database_url HOST PORT
database_url() {
    printf 'postgres://reminders:%s@%s:%s/reminders?sslmode=disable' \
        "$(cat "$PASSWORD_FILE")" "$1" "$2"
}

# dapr_json DATABASE_URL BROKERS
dapr_json() {
    printf '{"reminder-scheduler-postgresql":{"connectionString":"%s"},' "$1"
    printf '"reminder-scheduler-kafka":{"brokers":"%s"}}\n' "$2"
}

case ${1:-} in
files)
    # A password that exists is kept: the database was made with it.
    if [ ! -s "$PASSWORD_FILE" ]; then
        od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$PASSWORD_FILE.new"
        mv "$PASSWORD_FILE.new" "$PASSWORD_FILE"
    fi
    # So are those of the notification service: links and receivers go by them. Hexadecimal is base64, too.
    # And so is the token of the REST edge: scripts may know it.
    for name in link-key webhook-secret rest-token; do
        if [ ! -s "$SECRETS_DIR/$name" ]; then
            prefix=
            [ "$name" != webhook-secret ] || prefix=whsec_
            printf '%s%s' "$prefix" "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')" >"$SECRETS_DIR/$name.new"
            mv "$SECRETS_DIR/$name.new" "$SECRETS_DIR/$name"
        fi
        chown "$OWNER" "$SECRETS_DIR/$name"
    done
    database_url postgres 5432 >"$SECRETS_DIR/database-url"
    dapr_json "$(database_url postgres 5432)" redpanda:9092 >"$SECRETS_DIR/dapr.json"
    chown "$OWNER" "$SECRETS_DIR/database-url" "$SECRETS_DIR/dapr.json" "$SCHEDULER_DIR"
    # Others may pass through the folder; each file is for its owner alone.
    chmod 711 "$SECRETS_DIR"
    ;;
host-json)
    dapr_json "$(database_url 127.0.0.1 5432)" 127.0.0.1:19092
    ;;
host-url)
    database_url 127.0.0.1 5432
    ;;
rest-token)
    cat "$SECRETS_DIR/rest-token"
    ;;
*)
    echo "usage: secrets.sh files|host-json|host-url|rest-token" >&2
    exit 64
    ;;
esac
