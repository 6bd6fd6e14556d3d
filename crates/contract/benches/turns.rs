//! How long the steps of a turn take that the processor does by itself: `cargo bench -p
//! reminder-contract`. The guard against regressions counts instructions: `tests/instructions`.

#[path = "../tests/instructions/cases.rs"]
mod cases;

use divan::Bencher;

fn main() {
    divan::main();
}

#[divan::bench(args = cases::all().into_iter().map(|(name, _)| name))]
fn step(bencher: Bencher, name: &str) {
    let step = cases::all().into_iter().find(|(other, _)| *other == name);
    let step = step.map(|(_, step)| step).expect("divan gives the names that it was given");
    bencher.bench_local(step);
}
