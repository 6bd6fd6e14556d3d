//! Writing the format: content lines quoted and escaped by the `icalendar` crate.

use icalendar::Property;
use reminder_domain::time::DueTime;
use serde::Serialize;

use crate::value::time_text;

/// Longest line, in octets (RFC 5545 §3.1).
const LINE_MAX_OCTETS: usize = 75;

/// A calendar as it is written.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    text: String,
}

impl Writer {
    /// The calendar.
    pub(crate) fn finish(self) -> String {
        self.text
    }

    /// Begins a component.
    pub(crate) fn begin(&mut self, component: &str) {
        self.property("BEGIN", component);
    }

    /// Ends a component.
    pub(crate) fn end(&mut self, component: &str) {
        self.property("END", component);
    }

    /// A property without parameters; a text is escaped.
    pub(crate) fn property(&mut self, name: &str, value: &str) {
        self.with(name, &[], value);
    }

    /// A property of ours.
    pub(crate) fn json(&mut self, name: &str, value: &impl Serialize) {
        // Maps with other keys than strings could fail; there are none.
        if let Ok(json) = serde_json::to_string(value) {
            // JSON may have control characters that iCalendar may not; they occur in its texts only.
            let escaped = json.chars().fold(String::with_capacity(json.len()), |mut text, char| {
                if char.is_control() {
                    text.extend(format!("\\u{:04x}", u32::from(char)).chars());
                } else {
                    text.push(char);
                }
                text
            });
            self.property(name, &escaped);
        }
    }

    /// A property with parameters.
    pub(crate) fn with(&mut self, name: &str, params: &[(&str, &str)], value: &str) {
        let mut property = Property::new(name, value);
        for (name, value) in params {
            property.add_parameter(name, value);
        }
        // Writing to a string does not fail.
        let line: Result<String, std::fmt::Error> = property.try_into();
        let line = line.unwrap_or_default();
        self.fold(&line.replace("\r\n ", ""));
    }

    /// The crate folds too, but its last line may be one octet too long.
    fn fold(&mut self, line: &str) {
        let mut rest = line.strip_suffix("\r\n").unwrap_or(line);
        let mut room = LINE_MAX_OCTETS;
        while rest.len() > room {
            let end = (1..=room).rev().find(|end| rest.is_char_boundary(*end)).unwrap_or(room);
            let (line, after) = rest.split_at(end);
            self.text.push_str(line);
            self.text.push_str("\r\n ");
            (rest, room) = (after, LINE_MAX_OCTETS - 1);
        }
        self.text.push_str(rest);
        self.text.push_str("\r\n");
    }

    /// A property whose value is a time.
    pub(crate) fn time(&mut self, name: &str, time: &DueTime) {
        let text = time_text(time);
        match time {
            DueTime::Instant(_) | DueTime::Floating(_) => self.property(name, &text),
            DueTime::Zoned { zone, .. } => self.with(name, &[("TZID", zone.name())], &text),
            DueTime::Date(_) => self.with(name, &[("VALUE", "DATE")], &text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_folded_at_75_octets_and_end_with_crlf() {
        let lengths = (0..300).map(|length| "x".repeat(length));
        let words = ["word ".repeat(300), "ä€😀 ".repeat(300), " ".repeat(500)];
        for text in lengths.chain(words) {
            let mut writer = Writer::default();
            writer.property("DESCRIPTION", &text);
            let written = writer.finish();
            assert!(written.ends_with("\r\n"));
            assert!(written.split("\r\n").all(|line| line.len() <= 75 && !line.contains('\n')));
            assert_eq!(written.replace("\r\n ", ""), format!("DESCRIPTION:{text}\r\n"));
        }
    }

    #[test]
    fn texts_are_escaped() {
        let mut writer = Writer::default();
        writer.property("SUMMARY", "a,b;c\\d\ne");
        writer.json("X-REMINDER-ALARM", &["a\\"]);
        let written = writer.finish();
        assert!(written.starts_with("SUMMARY:a\\,b\\;c\\\\d\\ne\r\n"), "{written}");
        assert!(written.ends_with("X-REMINDER-ALARM:[\"a\\\\\\\\\"]\r\n"), "{written}");
    }
}
