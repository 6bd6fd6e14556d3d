#!/bin/sh
# Makes the six topics with `rpk`, on Redpanda or Kafka; running it again changes nothing.
# The table agrees with reminder_contract::topics; tests/manifests checks it.
#
#   BROKERS=host:port,...  where the cluster is (default: localhost:9092)
#   REPLICAS=n             replicas of each partition (default 3; 1 on a single broker)
#   MIN_INSYNC=n           replicas that must have a write (default 2; 1 with fewer than 3 replicas)
set -eu

BROKERS=${BROKERS:-localhost:9092}
REPLICAS=${REPLICAS:-3}
if [ "$REPLICAS" -ge 3 ]; then
    MIN_INSYNC=${MIN_INSYNC:-2}
else
    MIN_INSYNC=${MIN_INSYNC:-1}
fi

DAY_MS=86400000

# topic NAME PARTITIONS RETENTION_MS CLEANUP_POLICY
topic() {
    rpk topic create "$1" -X "brokers=$BROKERS" --if-not-exists \
        --partitions "$2" --replicas "$REPLICAS" \
        --topic-config "retention.ms=$3" \
        --topic-config "cleanup.policy=$4" \
        --topic-config "min.insync.replicas=$MIN_INSYNC"
}

topic task-events 3 $((7 * DAY_MS)) compact,delete
topic reminders 3 $((7 * DAY_MS)) delete
topic task-updates 3 $((1 * DAY_MS)) delete
topic task-events-dlq 1 $((30 * DAY_MS)) delete
topic reminders-dlq 1 $((30 * DAY_MS)) delete
topic task-updates-dlq 1 $((30 * DAY_MS)) delete
