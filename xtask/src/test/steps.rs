//! What `cargo xtask test` consists of, and which parts of it are wanted.

use anyhow::{Result, ensure};
use clap::ValueEnum;

/// One part of the whole, in the order in which they run: what is fast or likely to fail comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub(super) enum Step {
    /// What the machine needs: rustfmt, clippy, Python's venv
    Setup,
    /// The formatting of the code
    Format,
    /// Clippy, with warnings as errors
    Lint,
    /// Building the service and all tests
    Build,
    /// Tests without the runtime: units, properties, simulation, contract, manifests
    Unit,
    /// Twenty thousand simulated runs, and every bug that can be planted
    Simulation,
    /// Recurrence against python-dateutil
    Differential,
    /// What a turn costs the processor, counted in instructions against a baseline
    Instructions,
    /// The examples in the documentation
    Docs,
    /// Licences, sources and advisories of what we depend on, and the list of what is in each service
    Deny,
    /// Bringing the local stack up
    Stack,
    /// The demo, on that stack
    Demo,
    /// Our events and their description in the hands of others: official SDK and parser
    Conformity,
    /// The REST edge in the hands of schemathesis, by its `OpenAPI` document
    Rest,
    /// Kubernetes and Prometheus without either: what is rendered, named and alerted on, by their own tools
    Cluster,
    /// The fence and the read model, on its Postgres
    Postgres,
    /// End to end, on the whole stack
    E2e,
    /// Kafka end to end, on a stack of its own with two replicas and a broker with TLS and passwords
    Kafka,
    /// The services around the scheduler, all together, on a stack of their own
    Mesh,
    /// The benchmark, small: nothing is lost while it presses, and no call too many is made
    Bench,
    /// Chaos for three minutes, on a stack of its own with two replicas
    Chaos,
}

impl Step {
    /// Every step, in order.
    pub(super) const ALL: &[Self] = Self::VALUES;
    const VALUES: &[Self] = &[
        Self::Setup,
        Self::Format,
        Self::Lint,
        Self::Build,
        Self::Unit,
        Self::Simulation,
        Self::Differential,
        Self::Instructions,
        Self::Docs,
        Self::Deny,
        Self::Stack,
        Self::Demo,
        Self::Conformity,
        Self::Rest,
        Self::Cluster,
        Self::Postgres,
        Self::E2e,
        Self::Kafka,
        Self::Mesh,
        Self::Bench,
        Self::Chaos,
    ];

    /// Its name on the command line.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Format => "format",
            Self::Lint => "lint",
            Self::Build => "build",
            Self::Unit => "unit",
            Self::Simulation => "simulation",
            Self::Differential => "differential",
            Self::Instructions => "instructions",
            Self::Docs => "docs",
            Self::Deny => "deny",
            Self::Stack => "stack",
            Self::Demo => "demo",
            Self::Conformity => "conformity",
            Self::Rest => "rest",
            Self::Cluster => "cluster",
            Self::Postgres => "postgres",
            Self::E2e => "e2e",
            Self::Kafka => "kafka",
            Self::Mesh => "mesh",
            Self::Bench => "bench",
            Self::Chaos => "chaos",
        }
    }

    /// What it is, for people.
    pub(super) fn about(self) -> String {
        let help = self.to_possible_value().and_then(|value| value.get_help().cloned());
        help.map(|help| help.to_string()).unwrap_or_default()
    }

    /// What must have gone well before it makes sense.
    pub(super) const fn needs(self) -> &'static [Self] {
        match self {
            Self::Setup | Self::Build => &[],
            Self::Format | Self::Lint | Self::Deny => &[Self::Setup],
            Self::Unit | Self::Differential | Self::Instructions => &[Self::Setup, Self::Build],
            Self::Simulation | Self::Docs | Self::Stack => &[Self::Build],
            Self::Demo => &[Self::Stack],
            // The demo has told events of every topic.
            Self::Conformity => &[Self::Setup, Self::Build, Self::Demo],
            Self::Rest => &[Self::Setup, Self::Stack],
            // The stack has Go, Java and Maven, and a service that is scraped.
            Self::Cluster => &[Self::Setup, Self::Build, Self::Stack],
            Self::Postgres | Self::E2e | Self::Kafka | Self::Mesh | Self::Bench | Self::Chaos => {
                &[Self::Build, Self::Stack]
            }
        }
    }

    fn with_needs(self) -> Vec<Self> {
        let mut all = vec![self];
        for need in self.needs() {
            all.extend(need.with_needs());
        }
        all
    }
}

/// The steps to run: those asked for with all they need, or all of them, without those refused.
pub(super) fn select(only: &[Step], skip: &[Step]) -> Result<Vec<Step>> {
    let wanted: Vec<Step> = if only.is_empty() {
        // What needs a refused step goes with it.
        let all = Step::ALL.iter().copied();
        all.filter(|step| step.with_needs().iter().all(|need| !skip.contains(need))).collect()
    } else {
        only.iter().flat_map(|step| step.with_needs()).collect()
    };
    for step in skip {
        ensure!(!wanted.contains(step), "`{}` is needed for what you ask for", step.name());
    }
    Ok(Step::ALL.iter().copied().filter(|step| wanted.contains(step)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_complete_in_order_and_named_as_on_the_command_line() {
        assert!(Step::ALL.is_sorted());
        assert_eq!(Step::ALL, Step::value_variants());
        for step in Step::ALL {
            assert_eq!(step.to_possible_value().unwrap().get_name(), step.name());
            assert!(!step.about().is_empty());
            assert!(step.needs().iter().all(|need| need < step), "{step:?}");
        }
    }

    #[test]
    fn steps_come_with_what_they_need() {
        use Step::{Build, Demo, Setup, Stack, Unit};
        assert_eq!(select(&[], &[]).unwrap(), Step::ALL);
        assert_eq!(select(&[Demo], &[]).unwrap(), [Build, Stack, Demo]);
        assert_eq!(select(&[Unit, Demo], &[]).unwrap(), [Setup, Build, Unit, Stack, Demo]);
    }

    #[test]
    fn refused_steps_take_those_along_that_need_them() {
        use Step::{Deny, Format, Lint, Setup, Stack, Unit};
        let left = select(&[], &[Stack]).unwrap();
        assert!(left.contains(&Unit) && left.iter().all(|step| *step < Stack));
        assert!(!select(&[], &[Setup]).unwrap().contains(&Lint));
        assert_eq!(select(&[Format, Deny], &[Lint]).unwrap(), [Setup, Format, Deny]);
        assert!(select(&[Step::E2e], &[Stack]).is_err());
    }
}
