//! The query of a call, strictly: what is accepted is understood whole.

use reminder_contract::Problem;
use reminder_domain::Timestamp;
use reminder_domain::ids::Person;
use std::str::FromStr;

/// The parameters that nobody has asked for yet.
#[derive(Debug, Default)]
pub(in crate::http) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query.
    pub(super) fn of(query: Option<&str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// Takes a parameter, which may be there once.
    pub(in crate::http) fn take(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let mut found = self.0.extract_if(.., |(key, _)| key == name).map(|(_, value)| value);
        let first = found.next();
        if found.count() > 0 { Err(Problem::invalid(name, "is given twice")) } else { Ok(first) }
    }

    /// Takes a parameter that must be there.
    pub(super) fn required(&mut self, name: &str) -> Result<String, Problem> {
        self.take(name)?.ok_or_else(|| Problem::invalid(name, "is missing"))
    }

    /// Takes a number.
    pub(in crate::http) fn number<N: FromStr>(&mut self, name: &str) -> Result<Option<N>, Problem> {
        let parse = |text: String| {
            text.parse().map_err(|_| Problem::invalid(name, "must be a whole number, not negative"))
        };
        self.take(name)?.map(parse).transpose()
    }

    /// Takes a number that must lie in bounds.
    pub(super) fn size(
        &mut self,
        name: &str,
        default: usize,
        max: usize,
    ) -> Result<usize, Problem> {
        let size = self.number(name)?.unwrap_or(default);
        if (1..=max).contains(&size) {
            return Ok(size);
        }
        Err(Problem::invalid(name, &format!("must be between 1 and {max}")))
    }

    /// Takes a time.
    pub(super) fn time(&mut self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let parse = |text: String| {
            Timestamp::parse(&text).map_err(|error| Problem::invalid(name, &error.to_string()))
        };
        self.take(name)?.map(parse).transpose()
    }

    /// Takes one of some words.
    pub(super) fn word<W>(
        &mut self,
        name: &str,
        parse: fn(&str) -> Option<W>,
        words: &[&str],
    ) -> Result<Option<W>, Problem> {
        let Some(text) = self.take(name)? else { return Ok(None) };
        let unknown = || Problem::invalid(name, &format!("must be one of {}", words.join(", ")));
        parse(&text).map(Some).ok_or_else(unknown)
    }

    /// Takes a user.
    pub(super) fn user(&mut self, name: &str) -> Result<Option<Person>, Problem> {
        let parse = |text: String| {
            Person::parse(text).map_err(|error| Problem::invalid(name, &error.to_string()))
        };
        self.take(name)?.map(parse).transpose()
    }

    /// Refuses what is left over: it is misspelt more often than meant to be ignored.
    pub(in crate::http) fn nothing_else(self) -> Result<(), Problem> {
        match self.0.into_iter().next() {
            Some((name, _)) => Err(Problem::invalid(name, "is not a known parameter")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(refused: Result<impl std::fmt::Debug, Problem>) -> Option<String> {
        refused.unwrap_err().field.clone()
    }

    #[test]
    fn parameters_are_taken_once_and_none_is_left() {
        let mut params =
            Params::of(Some("user=ada%40example.org&limit=7&from=2027-01-01T00:00:00Z"));
        assert_eq!(params.user("user").unwrap().unwrap().as_str(), "ada@example.org");
        assert_eq!(params.size("limit", 50, 100).unwrap(), 7);
        assert!(params.time("from").unwrap().is_some());
        params.nothing_else().unwrap();
        assert_eq!(Params::of(None).size("limit", 50, 100).unwrap(), 50);
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let of = |query| Params::of(Some(query));
        assert_eq!(field(of("user=a&user=b").user("user")), Some("user".into()));
        assert_eq!(field(of("user=").user("user")), Some("user".into()));
        assert_eq!(field(of("limit=0").size("limit", 1, 9)), Some("limit".into()));
        assert_eq!(field(of("limit=-1").size("limit", 1, 9)), Some("limit".into()));
        assert_eq!(field(of("from=soon").time("from")), Some("from".into()));
        assert_eq!(field(of("").required("from")), Some("from".into()));
        assert_eq!(field(of("limti=1").nothing_else()), Some("limti".into()));
    }
}
