//! Runs a program to its end, within a deadline.

use std::io::Read;
use std::process::{Command, Output, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often a running program is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Runs the command and returns its output. Panics when it cannot be started, and when it is not
/// done in time, after ending it.
pub(crate) fn run(command: &mut Command, deadline: Duration) -> Output {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let stdout = drain(child.stdout.take().unwrap());
    let stderr = drain(child.stderr.take().unwrap());
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{command:?} did not end within {deadline:?}");
        }
        thread::sleep(POLL_INTERVAL);
    };
    Output { status, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}

/// Reads a stream to its end beside the program, which would stop at a full pipe otherwise.
fn drain(mut stream: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// Like [`run`], and fails with the program's own words when it does; returns what it printed.
pub(crate) fn succeed(command: &mut Command, deadline: Duration) -> String {
    let output = run(command, deadline);
    assert!(
        output.status.success(),
        "{command:?} failed ({}):\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[should_panic(expected = "did not end within")]
fn a_program_that_hangs_is_ended() {
    run(Command::new("sleep").arg("60"), Duration::from_millis(50));
}
