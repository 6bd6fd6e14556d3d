//! Choosing free loopback ports that stay ours while their process is down.

use std::fs;
use std::net::TcpListener;

use anyhow::{Result, bail};

/// Below it lie the ports people choose by hand.
const LOWEST: u16 = 20_000;

/// The lower end of the ports Linux gives to outgoing connections, unless it says otherwise.
const USUAL_EPHEMERAL_START: u16 = 32_768;

/// Ports asked for at once, at most; more attempts than this many times as many mean that none are
/// left.
const ATTEMPTS_PER_PORT: usize = 200;

/// Picks as many different free ports, none of them among those to avoid.
///
/// They lie below the kernel's ephemeral range: a port from it could be taken by an outgoing
/// connection while its process is being restarted, and the tests make thousands of those. So not
/// by binding to port 0, which gives exactly such ports.
///
/// # Errors
/// When there are not so many.
pub fn pick(count: usize, avoid: &[u16]) -> Result<Vec<u16>> {
    let end = ephemeral_start().max(LOWEST + 1000);
    let span = usize::from(end - LOWEST);
    // All are held until the last is found, so that they differ.
    let mut held = Vec::with_capacity(count);
    for _ in 0..count * ATTEMPTS_PER_PORT {
        if held.len() == count {
            break;
        }
        let random = crate::files::random(4)?;
        let offset = random.iter().fold(0usize, |sum, byte| sum * 256 + usize::from(*byte)) % span;
        let port = LOWEST + u16::try_from(offset)?;
        if avoid.contains(&port) {
            continue;
        }
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            held.push((port, listener));
        }
    }
    if held.len() < count {
        bail!("no {count} free ports on 127.0.0.1 between {LOWEST} and {end}");
    }
    Ok(held.into_iter().map(|(port, _)| port).collect())
}

/// Whether nobody listens there.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

fn ephemeral_start() -> u16 {
    fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|range| range.split_ascii_whitespace().next()?.parse().ok())
        .filter(|start| *start > LOWEST)
        .unwrap_or(USUAL_EPHEMERAL_START)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picked_ports_differ_and_are_free() {
        let mut ports = pick(20, &[]).unwrap();
        assert!(ports.iter().all(|port| *port >= LOWEST && is_free(*port)));
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 20);
    }

    #[test]
    fn a_port_in_use_is_not_free() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        assert!(!is_free(listener.local_addr().unwrap().port()));
    }
}
