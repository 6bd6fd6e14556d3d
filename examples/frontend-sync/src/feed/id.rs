//! The id of a message, as the browser keeps it and sends it back in `Last-Event-ID`.

use std::fmt;
use std::str::FromStr;

/// Names one run of the process. The numbers of another run mean nothing in this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(u64);

impl Epoch {
    /// One that no other run has.
    pub fn random() -> Self {
        // The half of a version 7 UUID with the random bits.
        Self(uuid::Uuid::now_v7().as_u64_pair().1)
    }

    /// One for tests.
    pub const fn of(number: u64) -> Self {
        Self(number)
    }
}

/// `<epoch>-<number>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageId {
    /// The run that told it.
    pub epoch: Epoch,
    /// Its number in that run.
    pub number: u64,
}

impl MessageId {
    /// The number, if it is of this run.
    pub fn number_in(self, epoch: Epoch) -> Option<u64> {
        (self.epoch == epoch).then_some(self.number)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.epoch.0, self.number)
    }
}

impl FromStr for MessageId {
    type Err = UnreadableId;

    fn from_str(text: &str) -> Result<Self, UnreadableId> {
        let (epoch, number) = text.split_once('-').ok_or(UnreadableId)?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
        if epoch.len() != 16 || !digits(epoch) || !digits(number) {
            return Err(UnreadableId);
        }
        let epoch = u64::from_str_radix(epoch, 16).map_err(|_| UnreadableId)?;
        let number = number.parse().map_err(|_| UnreadableId)?;
        Ok(Self { epoch: Epoch(epoch), number })
    }
}

/// A text that is not the id of a message: a page that sends it starts from the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a message")]
pub struct UnreadableId;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_back() {
        let id = MessageId { epoch: Epoch::random(), number: 42 };
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.number_in(id.epoch), Some(42));
        assert_eq!(id.number_in(Epoch(id.epoch.0 ^ 1)), None);
    }

    #[test]
    fn whatever_else_a_browser_sends_is_no_id() {
        for text in
            ["", "-", "7", "1-2", "000000000000000g-1", "0000000000000001-", "+000000000000001-1"]
        {
            assert_eq!(text.parse::<MessageId>(), Err(UnreadableId), "{text}");
        }
        assert!("0000000000000001-99999999999999999999".parse::<MessageId>().is_err());
    }
}
