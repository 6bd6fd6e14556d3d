//! Feeds `reminder_fuzzing::event`, which says what must hold.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| reminder_fuzzing::event(data));
