//! iCalendar: a file with many tasks as calendars with one each, and back.
//!
//! Only its lines are looked at: which component begins and ends where, and how a task is called. What a
//! task says, the service reads.

use super::rows::{Row, Said, Wish};
use reminder_client::TaskId;
use std::collections::BTreeSet;
use std::io::{BufRead, Write};
use xxhash_rust::xxh3::xxh3_128;

const TODO: &str = "VTODO";
const ZONE: &str = "VTIMEZONE";
/// What stands around the components of a calendar.
const HEAD: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//reminder-scheduler//task//EN\r\n";
const FOOT: &str = "END:VCALENDAR\r\n";

/// A component of a calendar, as it stands in the file.
struct Component {
    name: &'static str,
    line: u64,
    text: String,
}

/// Takes out the tasks and the zones.
struct Components<R> {
    reader: R,
    line: u64,
}

impl<R: BufRead> Components<R> {
    /// The next line, without its end.
    fn line(&mut self) -> std::io::Result<Option<String>> {
        let mut bytes = Vec::new();
        if self.reader.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        self.line += 1;
        let text = String::from_utf8_lossy(&bytes);
        Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    fn component(&mut self) -> std::io::Result<Option<Component>> {
        while let Some(line) = self.line()? {
            let Some(name) = [TODO, ZONE].into_iter().find(|name| is(&line, "BEGIN:", name)) else {
                continue;
            };
            let (began, mut text) = (self.line, line + "\r\n");
            // One that does not end is handed on as it is: the service says what is wrong with it.
            while let Some(line) = self.line()? {
                let ends = is(&line, "END:", name);
                text += &line;
                text += "\r\n";
                if ends {
                    break;
                }
            }
            return Ok(Some(Component { name, line: began, text }));
        }
        Ok(None)
    }
}

impl<R: BufRead> Iterator for Components<R> {
    type Item = std::io::Result<Component>;

    fn next(&mut self) -> Option<Self::Item> {
        self.component().transpose()
    }
}

fn is(line: &str, what: &str, name: &str) -> bool {
    let line = line.trim_end();
    line.len() == what.len() + name.len()
        && line.is_char_boundary(what.len())
        && line[..what.len()].eq_ignore_ascii_case(what)
        && line[what.len()..].eq_ignore_ascii_case(name)
}

fn components<R: BufRead>(reader: R) -> Components<R> {
    Components { reader, line: 0 }
}

/// The zones of a file.
pub(super) fn zones(reader: impl BufRead) -> std::io::Result<String> {
    let mut text = String::new();
    for component in components(reader) {
        let component = component?;
        if component.name == ZONE {
            text += &component.text;
        }
    }
    Ok(text)
}

/// Reads the tasks of a file.
pub(super) struct Reader<R> {
    zones: String,
    components: Components<R>,
}

impl<R: BufRead> Reader<R> {
    pub(super) fn new(zones: String, reader: R) -> Self {
        Self { zones, components: components(reader) }
    }

    fn row(&self, todo: &Component) -> Row {
        let Some(name) = property(&todo.text, "UID").filter(|uid| !uid.is_empty()) else {
            let wish = Err("it has no UID".to_owned());
            return Row { line: todo.line, name: String::new(), wish };
        };
        let id = TaskId::parse(name.as_str()).or_else(|_| TaskId::parse(named(&name)));
        let calendar = format!("{HEAD}{}{}{FOOT}", self.zones, todo.text);
        let wish = id.map(|id| Wish { id, task: Said::Calendar(calendar) });
        Row { line: todo.line, name, wish: wish.map_err(|error| format!("UID {error}")) }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = std::io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.components.next()? {
                Ok(component) if component.name == TODO => return Some(Ok(self.row(&component))),
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// The id of a task whose name in the calendar is none that a task may have; always the same.
fn named(uid: &str) -> String {
    format!("ics-{:032x}", xxh3_128(uid.as_bytes()))
}

/// The value of a property of the component itself, unfolded. Alarms may have a UID as well.
fn property(text: &str, name: &str) -> Option<String> {
    let mut depth = 0;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let upper = line.to_ascii_uppercase();
        if upper.starts_with("BEGIN:") {
            depth += 1;
        } else if upper.starts_with("END:") {
            depth -= 1;
        }
        let rest =
            upper.strip_prefix(name).filter(|rest| depth == 1 && rest.starts_with([':', ';']));
        if rest.is_some() {
            let folded = lines.take_while(|line| line.starts_with([' ', '\t']));
            let whole: String =
                std::iter::once(line).chain(folded.map(|line| &line[1..])).collect();
            return whole.split_once(':').map(|(_, value)| value.trim().to_owned());
        }
    }
    None
}

/// Writes many calendars as one.
pub(super) struct Writer<W> {
    writer: W,
    zones: BTreeSet<String>,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(mut writer: W) -> std::io::Result<Self> {
        writer.write_all(HEAD.as_bytes())?;
        Ok(Self { writer, zones: BTreeSet::new() })
    }

    /// Adds the task of a calendar, and those of its zones that are not there yet.
    pub(super) fn write(&mut self, calendar: &str) -> std::io::Result<()> {
        for component in components(calendar.as_bytes()) {
            let component = component?;
            if component.name == TODO || self.zones.insert(component.text.clone()) {
                self.writer.write_all(component.text.as_bytes())?;
            }
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> std::io::Result<()> {
        self.writer.write_all(FOOT.as_bytes())?;
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VTODO\nUID:mi\n lk\nSUMMARY:Milk\nBEGIN:VALARM\nUID:alarm\nEND:VALARM\nEND:VTODO\n\
        BEGIN:VEVENT\nUID:no\nEND:VEVENT\nbegin:vtodo\nuid;X=y:20070313T123432Z-4@example.com\nend:vtodo\nBEGIN:VTODO\nSUMMARY:x\nEND:VTODO\n\
        BEGIN:VTIMEZONE\nTZID:Z\nEND:VTIMEZONE\nEND:VCALENDAR\n";

    fn rows(text: &str) -> Vec<Row> {
        let zones = zones(text.as_bytes()).unwrap();
        Reader::new(zones, text.as_bytes()).map(Result::unwrap).collect()
    }

    #[test]
    fn each_task_is_a_calendar_with_all_zones() {
        let rows = rows(FILE);
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [3, 14, 17]);
        let wish = rows[0].wish.as_ref().unwrap();
        assert_eq!(wish.id.as_str(), "milk", "its own UID, unfolded");
        let Said::Calendar(calendar) = &wish.task else { panic!("a calendar") };
        assert_eq!(calendar.matches("BEGIN:VTODO").count(), 1);
        assert!(calendar.contains("TZID:Z") && calendar.contains("UID:alarm"), "{calendar}");
        assert!(rows[2].wish.as_ref().unwrap_err().contains("UID"));
    }

    #[test]
    fn a_foreign_name_leads_to_one_id_always() {
        let ids = || rows(FILE)[1].wish.as_ref().unwrap().id.to_string();
        assert!(ids().starts_with("ics-") && ids().len() == 36, "{}", ids());
        assert_eq!(ids(), ids());
    }

    #[test]
    fn what_is_written_is_read() {
        let mut text = Vec::new();
        let mut writer = Writer::new(&mut text).unwrap();
        for row in rows(FILE).into_iter().filter_map(|row| row.wish.ok()) {
            let Said::Calendar(calendar) = row.task else { panic!("a calendar") };
            writer.write(&calendar).unwrap();
        }
        writer.finish().unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.matches("BEGIN:VTIMEZONE").count(), 1, "{text}");
        let again: Vec<_> = rows(&text).into_iter().map(|row| row.name).collect();
        assert_eq!(again, ["milk", "20070313T123432Z-4@example.com"]);
    }

    #[test]
    fn a_task_that_does_not_end_is_handed_on() {
        let rows = rows("BEGIN:VTODO\nUID:a\nSUMMARY:é\n");
        assert_eq!((rows.len(), rows[0].name.as_str()), (1, "a"));
    }
}
