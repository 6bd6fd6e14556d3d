//! What a test binary needs, by its name.

/// Whether it needs nothing beside itself.
pub(super) fn is_unit(name: &str) -> bool {
    !is_postgres(name) && !is_e2e(name) && !is_mesh(name) && !is_differential(name)
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

pub(super) fn is_e2e(name: &str) -> bool {
    name == "e2e"
}
