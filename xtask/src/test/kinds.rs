//! Which step a test binary belongs to, by its name.

/// Names the stack whose service the tests of `cluster` scrape.
pub(super) const CLUSTER_VARIABLE: &str = "CLUSTER_INSTANCE";

/// Whether it needs nothing beside itself.
pub(super) fn is_unit(name: &str) -> bool {
    !is_postgres(name)
        && !is_e2e(name)
        && !is_kafka(name)
        && !is_mesh(name)
        && !is_differential(name)
        && !is_instructions(name)
        && !is_conformity(name)
        && !is_cluster(name)
        && !is_sdk(name)
}

pub(super) fn is_mesh(name: &str) -> bool {
    name == "mesh"
}

pub(super) fn is_differential(name: &str) -> bool {
    name == "differential"
}

pub(super) fn is_postgres(name: &str) -> bool {
    name == "postgres"
}

pub(super) fn is_kafka(name: &str) -> bool {
    name == "kafka"
}

pub(super) fn is_e2e(name: &str) -> bool {
    name == "e2e"
}

pub(super) fn is_instructions(name: &str) -> bool {
    name == "instructions"
}

pub(super) fn is_conformity(name: &str) -> bool {
    name == "conformity"
}

pub(super) fn is_cluster(name: &str) -> bool {
    name == "cluster"
}

pub(super) fn is_sdk(name: &str) -> bool {
    name == "sdk"
}
