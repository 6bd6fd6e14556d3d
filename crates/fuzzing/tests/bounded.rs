//! Every target with its seed corpus, random bytes and mutations of the corpus: none panics, and
//! each answers in time. `FUZZ_SEED` repeats a run, `FUZZ_INPUTS` makes it longer.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use reminder_fuzzing::{TARGETS, Target};
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::time::{Duration, Instant};

/// Inputs of each target, unless said otherwise.
const INPUTS: u64 = 3_000;
/// Longest time for one input, on a busy machine and without optimisation; the fuzzers allow less.
const ANSWER_MAX: Duration = Duration::from_secs(20);
/// Longest random input, in bytes.
const RANDOM_MAX_BYTES: u64 = 300;
/// Most changes to a seed.
const CHANGES_MAX: u64 = 6;

/// `SplitMix64` (Steele, Lea, Flood 2014): small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> usize {
        usize::try_from(self.next() % end.max(1)).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}

/// The seeds of a target: its files, and the examples of the crate that reads calendars.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folders = vec![root.join("fuzz/seeds").join(target)];
    if target == "icalendar" {
        folders.push(root.join("crates/icalendar/tests/data"));
    }
    let mut files: Vec<_> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| target != "icalendar" || path.extension().is_some_and(|ext| ext == "ics"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has no seeds");
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// What decides: words of the texts themselves, and numbers on the edge.
fn words(corpus: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let word = |byte: &u8| !byte.is_ascii_alphanumeric() && *byte != b'-';
    let found = corpus.iter().flat_map(|seed| seed.split(word)).filter(|word| !word.is_empty());
    let mut words: Vec<Vec<u8>> = found.map(<[u8]>::to_vec).collect();
    let edges = [
        "0",
        "-1",
        "99999",
        "4294967296",
        "9999",
        "1970",
        "\r\n",
        " ",
        ";",
        ":",
        ",",
        "\"",
        "T",
        "Z",
    ];
    words.extend(edges.iter().map(|edge| edge.as_bytes().to_vec()));
    words.sort();
    words.dedup();
    words
}

fn mutated(random: &mut Random, corpus: &[Vec<u8>], words: &[Vec<u8>]) -> Vec<u8> {
    let mut input = corpus[random.below(corpus.len() as u64)].clone();
    for _ in 0..=random.below(CHANGES_MAX) {
        let at = random.below(input.len() as u64 + 1);
        let to = (at + random.below(12)).min(input.len());
        match random.below(6) {
            0 if at < input.len() => input[at] = random.byte(),
            1 => drop(input.drain(at..to)),
            2 => {
                let other = &corpus[random.below(corpus.len() as u64)];
                let from = random.below(other.len() as u64 + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            3 => {
                let copy = input[at..to].to_vec();
                input.splice(at..at, copy);
            }
            4 => {
                let line = input.split_inclusive(|byte| *byte == b'\n').nth(random.below(20));
                let line = line.unwrap_or_default().to_vec();
                input.splice(at..at, line);
            }
            _ => {
                let word = words[random.below(words.len() as u64)].clone();
                input.splice(at..to, word);
            }
        }
    }
    input
}

fn run(name: &str, target: Target, input: &[u8], seed: u64) {
    let started = Instant::now();
    let outcome = std::panic::catch_unwind(|| target(input));
    let shown = String::from_utf8_lossy(input);
    assert!(outcome.is_ok(), "{name} panicked (FUZZ_SEED={seed}) at {shown:?}");
    let took = started.elapsed();
    assert!(took < ANSWER_MAX, "{name} took {took:?} (FUZZ_SEED={seed}) for {shown:?}");
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn any_input_is_answered_in_time() {
    let seed = number("FUZZ_SEED").unwrap_or_else(|| RandomState::new().hash_one("seed"));
    let inputs = number("FUZZ_INPUTS").unwrap_or(INPUTS);
    println!("FUZZ_SEED={seed} FUZZ_INPUTS={inputs}");
    for (name, target) in TARGETS {
        let mut random = Random(seed);
        let corpus = corpus(name);
        let words = words(&corpus);
        let started = Instant::now();
        for input in &corpus {
            run(name, target, input, seed);
        }
        for round in 0..inputs {
            let input = if round % 10 == 0 {
                (0..random.below(RANDOM_MAX_BYTES)).map(|_| random.byte()).collect()
            } else {
                mutated(&mut random, &corpus, &words)
            };
            run(name, target, &input, seed);
        }
        println!("{name}: {} seeds, {inputs} inputs in {:?}", corpus.len(), started.elapsed());
    }
}
