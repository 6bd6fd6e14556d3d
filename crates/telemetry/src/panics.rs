//! A panic as one line of the log: where, and never with words that were put together at run time.
//!
//! Those words may hold whatever was at hand: a piece of a text that was cut, a value that nobody expected, an
//! error with the text that led to it. Words that stand in the code are told, the place always: it leads to them.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;
use std::sync::Once;

/// What is told in place of words that may hold anything.
const WITHHELD: &str = "(words that may hold what was at hand)";

/// Has every panic of this process told so, in place of Rust's own lines on standard error. A second call
/// changes nothing.
pub fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| std::panic::set_hook(Box::new(tell)));
}

fn tell(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let words = words(panic.payload());
    if !tracing::dispatcher::has_been_set() {
        eprintln!("a panic at {place}: {words}");
        return;
    }
    // Names of functions and lines; only where RUST_BACKTRACE asks for it.
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then_some(backtrace);
    let backtrace = backtrace.as_ref().map(tracing::field::display);
    tracing::error!(place, words, backtrace, "a panic");
}

/// The words of a panic, if they are in the code.
fn words(payload: &dyn Any) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or(WITHHELD)
}
