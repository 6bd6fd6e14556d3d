//! Reading the format: content lines, and the components that they make.
//!
//! The `icalendar` crate reads each content line; that lines are unfolded and components nested is
//! done here, so that every error can name its line, and no input makes the stack deep.

use crate::error::{ImportError, excerpt};
use crate::limits;
use icalendar::parser::Property;

/// A component, such as a `VTODO`.
#[derive(Debug)]
pub(crate) struct Component {
    /// In upper case.
    pub(crate) name: String,
    /// Where it begins.
    pub(crate) line: usize,
    pub(crate) properties: Vec<Line>,
    pub(crate) components: Vec<Component>,
}

/// A property.
#[derive(Debug)]
pub(crate) struct Line {
    /// Where it begins.
    pub(crate) number: usize,
    /// In upper case.
    pub(crate) name: String,
    /// The component that it stands in.
    component: String,
    /// Names in upper case.
    params: Vec<(String, String)>,
    /// Unescaped, unless it is a list of texts.
    pub(crate) value: String,
}

impl Component {
    /// All properties of this name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> {
        self.properties.iter().filter(move |line| line.name == name)
    }

    /// The property of this name; a second one is ambiguous.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&Line>, ImportError> {
        let mut all = self.properties.iter().filter(|line| line.name == name);
        match (all.next(), all.next()) {
            (_, Some(second)) => Err(second.refuse("must not occur twice")),
            (found, None) => Ok(found),
        }
    }

    /// All components below it of this name, at whatever depth.
    pub(crate) fn below<'a>(&'a self, name: &str, found: &mut Vec<&'a Component>) {
        for component in &self.components {
            if component.name == name {
                found.push(component);
            }
            component.below(name, found);
        }
    }

    /// An error of the component as a whole.
    pub(crate) fn refuse(&self, reason: impl Into<String>) -> ImportError {
        let (line, property) = (Some(self.line), Some(self.name.clone()));
        ImportError { line, property, reason: reason.into() }
    }
}

impl Line {
    /// The value of a parameter.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        let found = self.params.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// An error of this property.
    pub(crate) fn refuse(&self, reason: impl Into<String>) -> ImportError {
        let property = Some(format!("{} of {}", self.name, self.component));
        ImportError { line: Some(self.number), property, reason: reason.into() }
    }

    /// The value as a list of texts, unescaped.
    pub(crate) fn texts(&self) -> Vec<String> {
        let mut texts = vec![String::new()];
        let mut chars = self.value.chars();
        while let Some(char) = chars.next() {
            let text = match char {
                ',' => String::new(),
                '\\' => {
                    let meant = match chars.next() {
                        Some('n' | 'N') => '\n',
                        Some(char) => char,
                        None => '\\',
                    };
                    texts.last_mut().into_iter().for_each(|text| text.push(meant));
                    continue;
                }
                char => {
                    texts.last_mut().into_iter().for_each(|text| text.push(char));
                    continue;
                }
            };
            texts.push(text);
        }
        texts
    }
}

/// A list of texts as the value of a property.
pub(crate) fn escaped_list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let escape = |text: &str| {
        let text = text.replace('\\', "\\\\").replace(',', "\\,");
        text.replace(';', "\\;").replace('\n', "\\n")
    };
    texts.map(escape).collect::<Vec<_>>().join(",")
}

/// Reads a file into its outermost components.
pub(crate) fn parse(text: &str) -> Result<Vec<Component>, ImportError> {
    if text.len() > limits::CALENDAR_MAX_BYTES {
        let max = limits::CALENDAR_MAX_BYTES;
        return Err(ImportError::whole(format!(
            "the calendar must be at most {max} bytes, but has {}",
            text.len()
        )));
    }
    let mut roots = Vec::new();
    let mut open: Vec<Component> = Vec::new();
    let mut count = 0;
    let lines = unfold(text.strip_prefix('\u{feff}').unwrap_or(text));
    if lines.len() > limits::LINES_MAX {
        let (max, count) = (limits::LINES_MAX, lines.len());
        let why = format!("the calendar must have at most {max} lines, but has {count}");
        return Err(ImportError::whole(why));
    }
    for (number, line) in lines {
        if let Some(name) = keyword(&line, "BEGIN:") {
            count += 1;
            if count > limits::COMPONENTS_MAX {
                let max = limits::COMPONENTS_MAX;
                return Err(ImportError::line(number, format!("has more than {max} components")));
            }
            if open.len() >= limits::DEPTH_MAX {
                let max = limits::DEPTH_MAX;
                let why = format!("has components nested more than {max} deep");
                return Err(ImportError::line(number, why));
            }
            let (properties, components) = (Vec::new(), Vec::new());
            open.push(Component { name, line: number, properties, components });
        } else if let Some(name) = keyword(&line, "END:") {
            let ended = open.pop().filter(|ended| ended.name == name).ok_or_else(|| {
                ImportError::line(number, format!("ends {}, which is not open", excerpt(&name)))
            })?;
            match open.last_mut() {
                Some(parent) => parent.components.push(ended),
                None => roots.push(ended),
            }
        } else if let Some(component) = open.last_mut() {
            let line = content_line(number, &line, &component.name)?;
            component.properties.push(line);
        } else {
            let why = "is no part of a calendar: it must begin with BEGIN:VCALENDAR";
            return Err(ImportError::line(number, why));
        }
    }
    match open.last() {
        Some(open) => Err(open.refuse("is never ended")),
        None => Ok(roots),
    }
}

/// The logical lines of a file, with the number of the line on which each begins.
fn unfold(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some((_, unfolded))) => unfolded.push_str(rest),
            _ if line.trim().is_empty() => {}
            _ => lines.push((index + 1, line.to_owned())),
        }
    }
    lines
}

fn keyword(line: &str, keyword: &str) -> Option<String> {
    let start = line.get(..keyword.len())?;
    let name = line.get(keyword.len()..)?;
    start.eq_ignore_ascii_case(keyword).then(|| name.trim().to_ascii_uppercase())
}

fn content_line(number: usize, line: &str, component: &str) -> Result<Line, ImportError> {
    let malformed = || {
        let why = format!("is not NAME:value or NAME;PARAMETER=value:value, but {}", excerpt(line));
        ImportError::line(number, why)
    };
    // Names are alike in either case, but the crate tells texts from others by their upper case.
    let end = line.find([':', ';']).ok_or_else(malformed)?;
    let (name, rest) = line.split_at(end);
    let name = name.trim().to_ascii_uppercase();
    let upper = format!("{name}{rest}");
    let parsed = Property::try_from(upper.as_str()).map_err(|_| malformed())?;
    // What it cannot read as a line with a value, it reads as a name alone.
    let whole = !parsed.val.as_str().is_empty() || line.ends_with(':');
    // What begins with a quote and does not end with one, it takes as it is.
    let quoted = parsed.params.iter().filter_map(|param| param.val.as_ref());
    let balanced = quoted.into_iter().all(|value| {
        let value = value.as_str();
        !value.starts_with('"') || (value.len() > 1 && value.ends_with('"'))
    });
    if name.is_empty() || !balanced || !whole || parsed.name.as_str() != name {
        return Err(malformed());
    }
    let params = parsed.params.iter().map(|param| {
        let value = param.val.as_ref().map(|value| value.as_str().to_owned());
        (param.key.as_str().to_ascii_uppercase(), value.unwrap_or_default())
    });
    Ok(Line {
        number,
        name,
        component: component.to_owned(),
        params: params.collect(),
        value: parsed.val.as_str().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_unfolded_and_counted_as_in_the_file() {
        let text = "BEGIN:VTODO\r\nSUMMARY:a\r\n b\r\n\tc\r\n\r\ndue;value=date:2\r\nEND:VTODO\r\n";
        let roots = parse(text).unwrap();
        let [summary, due] = &roots[0].properties[..] else { panic!("two properties") };
        assert_eq!((summary.number, summary.value.as_str()), (2, "abc"));
        assert_eq!((due.number, due.name.as_str(), due.param("VALUE")), (6, "DUE", Some("date")));
    }

    #[test]
    fn what_is_no_calendar_is_refused_with_its_line() {
        let line = |text: &str| parse(text).unwrap_err().line;
        assert_eq!(line("hello"), Some(1));
        assert_eq!(line("BEGIN:VTODO\nEND:VEVENT"), Some(2));
        assert_eq!(line("BEGIN:VTODO\n\nfoo bar:x\nEND:VTODO"), Some(3));
        assert_eq!(line("BEGIN:VTODO\nfoo\nEND:VTODO"), Some(2));
        assert_eq!(line("BEGIN:VTODO\nX;A=\"b:c\nEND:VTODO"), Some(2));
        assert_eq!(line("BEGIN:VTODO"), Some(1));
        assert!(parse(&"BEGIN:A\n".repeat(100_000)).unwrap_err().reason.contains("bytes"));
        assert!(parse(&"A:\n".repeat(30_000)).unwrap_err().reason.contains("20000 lines"));
        assert!(parse(&"BEGIN:A\n".repeat(1_000)).unwrap_err().reason.contains("nested"));
        assert!(parse(&"BEGIN:A\nEND:A\n".repeat(5_000)).unwrap_err().reason.contains("more than"));
    }

    #[test]
    fn lists_of_texts_are_written_and_read() {
        let texts = ["a,b", " c;\\", "", "d\ne"];
        let text = format!("BEGIN:V\r\nCATEGORIES:{}\r\nEND:V", escaped_list(texts.into_iter()));
        assert_eq!(parse(&text).unwrap()[0].properties[0].texts(), texts);
    }
}
