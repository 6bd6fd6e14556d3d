//! Reading versions out of what tools say about themselves.

use std::fmt;

/// Major, minor and patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32, pub(crate) u32, pub(crate) u32);

impl Version {
    /// The first dotted number in a text; a missing minor or patch is 0.
    pub(crate) fn find(text: &str) -> Option<Self> {
        let begin = text.find(|c: char| c.is_ascii_digit())?;
        let text = &text[begin..];
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let mut numbers = text[..end].split('.').map(|number| number.parse().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        Some(Self(next(), next(), next()))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_tools_print() {
        let cases = [
            ("1.18.1", Version(1, 18, 1)),
            ("1.18.0-rc.2", Version(1, 18, 0)),
            ("go version go1.26.8 linux/amd64", Version(1, 26, 8)),
            ("go version go1.21 linux/amd64", Version(1, 21, 0)),
            ("openjdk version \"17.0.15\" 2025-04-15", Version(17, 0, 15)),
            ("openjdk version \"21\" 2023-09-19", Version(21, 0, 0)),
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", Version(15, 18, 0)),
        ];
        for (text, version) in cases {
            assert_eq!(Version::find(text), Some(version), "{text}");
        }
        assert_eq!(Version::find("edge"), None);
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(Version(1, 18, 0) > Version(1, 9, 7));
        assert!(Version(1, 18, 1) >= Version(1, 18, 0));
    }
}
