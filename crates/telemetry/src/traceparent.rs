//! A W3C `traceparent`, <https://www.w3.org/TR/trace-context/>, read in one place for all.

use std::fmt;

/// The version of the format that is written.
const VERSION: &str = "00";
/// What is no version.
const NO_VERSION: &str = "ff";

/// A `traceparent`, in the words of version 00.
#[derive(Clone, PartialEq, Eq)]
pub struct Traceparent {
    /// The trace: 32 digits, not all of them zero.
    pub trace_id: String,
    /// The span in it: 16 digits, not all of them zero.
    pub span_id: String,
    /// Two digits.
    pub flags: String,
}

impl Traceparent {
    /// Reads one; later versions begin as version 00 does, and may be read as such.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let (version, trace_id, span_id, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let id = |text: &str, digits| hex(text, digits) && text.bytes().any(|byte| byte != b'0');
        let good = hex(version, 2)
            && version != NO_VERSION
            && (version != VERSION || parts.next().is_none())
            && id(trace_id, 32)
            && id(span_id, 16)
            && hex(flags, 2);
        let (trace_id, span_id, flags) = (trace_id.into(), span_id.into(), flags.into());
        good.then_some(Self { trace_id, span_id, flags })
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}-{}-{}-{}", self.trace_id, self.span_id, self.flags)
    }
}

impl fmt::Debug for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

fn hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        assert_eq!(Traceparent::parse(GOOD).unwrap().to_string(), GOOD);
        let later = GOOD.replacen("00", "01", 1) + "-more";
        assert_eq!(Traceparent::parse(&later).unwrap().to_string(), GOOD);
    }

    #[test]
    fn what_is_none_is_not_read() {
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-+1",
        ] {
            assert_eq!(Traceparent::parse(bad), None, "{bad}");
        }
    }
}
