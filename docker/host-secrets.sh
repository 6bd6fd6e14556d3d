#!/bin/sh
# Lets a sidecar on the host (`dapr run -f .`) use the Postgres and Redpanda of docker-compose:
# copies their secrets to a git-ignored folder and prints what the sidecar needs in its
# environment. Use it from the repository's root as
#
#   docker compose up --detach --wait postgres redpanda && docker compose run --rm topics
#   eval "$(sh docker/host-secrets.sh)" && dapr run -f .
set -eu
umask 077

DIR=$PWD/.stack/dapr-run
mkdir -p "$DIR"
docker compose run --rm --no-TTY --no-deps secrets host-json >"$DIR/secrets.json"
docker compose run --rm --no-TTY --no-deps secrets host-url >"$DIR/database-url"
echo "export REMINDER_SECRETS_FILE='$DIR/secrets.json'"
