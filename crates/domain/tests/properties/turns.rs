//! Whatever commands and wakes come in whatever order, the core does what its model says.

use crate::bench::Bench;
use crate::config;
use crate::generate::{Step, request, scenario};

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use reminder_domain::{Command, CommandKind, Origin, TaskId, Turn, decide};
use reminder_reference::calendar::END;

/// Most wakes followed in one case.
const WAKES_MAX: usize = 60;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_core_agrees_with_its_model(steps in scenario()) {
        Bench::after(&steps)?;
    }

    /// A woken actor jumps to its next wake, as the runtime does: each wake is later than the one
    /// before, and has something to do.
    #[test]
    fn wakes_follow_one_another(requests in prop::collection::vec(request(), 1..12)) {
        let steps: Vec<Step> = requests.into_iter().map(Step::Command).collect();
        let mut bench = Bench::after(&steps)?;
        for _ in 0..WAKES_MAX {
            let Some(at) = bench.next_wake().filter(|at| *at < END) else { break };
            bench.now = bench.now.max(at);
            let before = bench.state.clone();
            bench.step(&Step::Wake)?;
            prop_assert_ne!(&bench.state, &before, "a wake that does nothing");
            prop_assert!(bench.next_wake().is_none_or(|next| next > bench.now));
        }
    }

    /// A wake before anything is due is a spurious one.
    #[test]
    fn a_millisecond_early_is_early(request in request(), early in prop_oneof![1..=3_i64, 1..100_000_i64]) {
        let mut bench = Bench::after(&[Step::Command(request)])?;
        if let Some(at) = bench.next_wake() {
            bench.now = at - early;
            let state = bench.state.clone();
            bench.step(&Step::Wake)?;
            prop_assert_eq!(&bench.state, &state);
            bench.now = at;
            bench.step(&Step::Wake)?;
            prop_assert_ne!(&bench.state, &state);
        }
    }

    /// However many commands come, what is remembered of them is bounded, and the last 64 count.
    #[test]
    fn the_last_64_command_ids_are_remembered(count in 65..150_u64) {
        let id = TaskId::parse("task-1").unwrap();
        let now = reminder_reference::calendar::instant(0);
        let mut state = None;
        let command = |n: u64| {
            let kind = if n == 0 {
                let task = serde_json::from_str(r#"{"title":"t"}"#).unwrap();
                let if_past = reminder_domain::command::IfPast::Fire;
                let put = reminder_domain::command::Put { task, if_past, restored: Vec::new() };
                CommandKind::Put(Box::new(put))
            } else if n % 2 == 1 { CommandKind::Complete } else { CommandKind::Reopen };
            Command { kind, id: Some(n), fingerprint: n % 2, if_version: None, as_user: None, origin: Origin::default() }
        };
        for n in 0..count {
            let Ok(Turn::Commit(change)) = decide(&id, state.as_ref(), &command(n), None, now) else {
                return Err(TestCaseError::fail("a new command id is a new command"));
            };
            state = Some(change.state);
        }
        let records = &state.as_ref().unwrap().commands;
        prop_assert_eq!(records.len(), 64);
        for n in 0..count {
            let turn = decide(&id, state.as_ref(), &command(n), None, now);
            let remembered = n >= count - 64;
            prop_assert_eq!(matches!(turn, Ok(Turn::Answer(_))), remembered, "command {}", n);
        }
    }
}
