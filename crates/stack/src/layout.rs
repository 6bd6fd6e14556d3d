//! Which part listens where: ports are chosen once and kept, so that a part comes back to the
//! address that the others know.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::manifest::Manifest;
use crate::member::Member;
use crate::part::Part;
use crate::ports;

/// The broker.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub struct Kafka {
    pub port: u16,
    pub controller_port: u16,
}

/// Dapr's placement service.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub struct Placement {
    pub port: u16,
    pub raft_port: u16,
    pub health_port: u16,
    pub metrics_port: u16,
}

/// Dapr's scheduler service.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub struct Scheduler {
    pub port: u16,
    pub health_port: u16,
    pub metrics_port: u16,
    pub etcd_client_port: u16,
    pub etcd_peer_port: u16,
}

/// The ports of one service and its sidecar.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Replica {
    /// The service's.
    pub app_port: u16,
    /// The sidecar's HTTP API.
    pub http_port: u16,
    /// The sidecar's gRPC API.
    pub grpc_port: u16,
    /// Where sidecars talk to each other.
    pub internal_port: u16,
    /// The sidecar's metrics.
    pub metrics_port: u16,
}

impl Replica {
    fn new(avoid: &[u16]) -> Result<Self> {
        let [app_port, http_port, grpc_port, internal_port, metrics_port] = pick(avoid)?;
        Ok(Self { app_port, http_port, grpc_port, internal_port, metrics_port })
    }
}

fn app_ports(replica: &mut Replica) -> Vec<(&'static str, &mut u16)> {
    vec![("http", &mut replica.app_port)]
}

fn sidecar_ports(replica: &mut Replica) -> Vec<(&'static str, &mut u16)> {
    vec![
        ("http", &mut replica.http_port),
        ("grpc", &mut replica.grpc_port),
        ("internal", &mut replica.internal_port),
        ("metrics", &mut replica.metrics_port),
    ]
}

pub(crate) fn pick<const N: usize>(avoid: &[u16]) -> Result<[u16; N]> {
    let picked = ports::pick(N, avoid)?;
    picked.try_into().map_err(|_| anyhow::anyhow!("ports::pick gave another number of ports"))
}

impl Manifest {
    /// Adds replicas up to that number, with ports of their own.
    pub(crate) fn ensure_replicas(&mut self, count: u32) -> Result<()> {
        (1..=count).try_for_each(|number| self.add_replica(number))
    }

    /// Adds a replica of that number, unless there is one.
    pub(crate) fn add_replica(&mut self, number: u32) -> Result<()> {
        if !self.replicas.contains_key(&number) {
            let replica = Replica::new(&self.all_ports())?;
            self.replicas.insert(number, replica);
        }
        Ok(())
    }

    /// Forgets replicas above that number that do not run; those that do stay.
    pub(crate) fn forget_idle_replicas(&mut self, count: u32) {
        let runs =
            |n: u32| [Part::App(n), Part::Sidecar(n)].iter().any(|p| self.alive(*p).is_some());
        let idle: Vec<u32> =
            self.replicas.keys().copied().filter(|n| *n > count && !runs(*n)).collect();
        for number in idle {
            self.replicas.remove(&number);
        }
    }

    /// Adds what members are wanted, with ports of their own, and forgets those that are neither
    /// wanted nor running.
    pub(crate) fn settle_members(&mut self) -> Result<()> {
        for member in self.options.members.keys().copied().collect::<Vec<_>>() {
            if !self.members.contains_key(&member) {
                let ports = Replica::new(&self.all_ports())?;
                self.members.insert(member, ports);
            }
        }
        let runs = |member: Member| {
            [Part::Member(member), Part::MemberSidecar(member)]
                .iter()
                .any(|part| self.alive(*part).is_some())
        };
        let wanted = |member: Member| self.options.members.contains_key(&member) || runs(member);
        let idle: Vec<Member> =
            self.members.keys().copied().filter(|member| !wanted(*member)).collect();
        for member in idle {
            self.members.remove(&member);
        }
        Ok(())
    }

    /// The ports of a part by what they are for, the most interesting first.
    pub fn ports(&self, part: Part) -> Vec<(&'static str, u16)> {
        // The mutable twin is the one list of all ports; a copy of the manifest costs nothing here.
        let mut copy = self.clone();
        copy.ports_mut(part).into_iter().map(|(name, port)| (name, *port)).collect()
    }

    fn all_ports(&self) -> Vec<u16> {
        let shared = [Part::Postgres, Part::Kafka, Part::Placement, Part::Scheduler];
        let own = self.replicas.keys().flat_map(|n| [Part::Sidecar(*n), Part::App(*n)]);
        let members = self.members.keys().flat_map(|m| [Part::MemberSidecar(*m), Part::Member(*m)]);
        let all = shared.into_iter().chain(own).chain(members).flat_map(|part| self.ports(part));
        all.map(|(_, port)| port).collect()
    }

    fn ports_mut(&mut self, part: Part) -> Vec<(&'static str, &mut u16)> {
        match part {
            Part::Postgres => vec![("sql", &mut self.postgres.port)],
            Part::Kafka => vec![
                ("broker", &mut self.kafka.port),
                ("controller", &mut self.kafka.controller_port),
            ],
            Part::Placement => vec![
                ("grpc", &mut self.placement.port),
                ("raft", &mut self.placement.raft_port),
                ("health", &mut self.placement.health_port),
                ("metrics", &mut self.placement.metrics_port),
            ],
            Part::Scheduler => vec![
                ("grpc", &mut self.scheduler.port),
                ("etcd", &mut self.scheduler.etcd_client_port),
                ("peer", &mut self.scheduler.etcd_peer_port),
                ("health", &mut self.scheduler.health_port),
                ("metrics", &mut self.scheduler.metrics_port),
            ],
            Part::App(number) => self.replicas.get_mut(&number).map_or_else(Vec::new, app_ports),
            Part::Sidecar(number) => {
                self.replicas.get_mut(&number).map_or_else(Vec::new, sidecar_ports)
            }
            Part::Member(member) => self.members.get_mut(&member).map_or_else(Vec::new, app_ports),
            Part::MemberSidecar(member) => {
                self.members.get_mut(&member).map_or_else(Vec::new, sidecar_ports)
            }
        }
    }

    /// Gives parts that are down new ports for those somebody else has taken since.
    pub(crate) fn replace_taken_ports(&mut self) -> Result<()> {
        let all = self.all_ports();
        for part in self.parts() {
            if self.alive(part).is_some() {
                continue;
            }
            for (_, port) in self.ports_mut(part) {
                if !ports::is_free(*port) {
                    [*port] = pick(&all)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    fn manifest() -> Manifest {
        Manifest::new(Options { postgres_url: None, ..Options::instance("test") }).unwrap()
    }

    #[test]
    fn taken_ports_are_replaced_and_others_kept() {
        let mut manifest = manifest();
        let taken = std::net::TcpListener::bind(("127.0.0.1", manifest.kafka.port)).unwrap();
        let before = manifest.clone();
        manifest.replace_taken_ports().unwrap();
        assert_ne!(manifest.kafka.port, taken.local_addr().unwrap().port());
        assert_eq!(manifest.kafka.controller_port, before.kafka.controller_port);
        assert_eq!(manifest.postgres.port, before.postgres.port);
    }

    #[test]
    fn all_ports_differ() {
        let mut manifest = manifest();
        manifest.ensure_replicas(2).unwrap();
        manifest.options.members = crate::member::all();
        manifest.settle_members().unwrap();
        assert_eq!(manifest.ports(Part::MemberSidecar(Member::TodoApi)).len(), 4);
        let mut all = manifest.all_ports();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
