//! Comma-separated values: a head of names, a task on each line.
//!
//! A cell is as people write it; what is too much for it is the API's JSON, which begins with `{` or `[`.

use super::rows::{Row, Said, Wish};
use crate::cli::task::put::reminders;
use crate::cli::task::time::moment;
use csv::{ReaderBuilder, StringRecord, WriterBuilder};
use reminder_client::TaskId;
use serde_json::{Map, Value, json};
use std::io::{Error, ErrorKind, Read, Write};

/// The names of the head, in the order in which they are written.
const COLUMNS: [&str; 14] = [
    ID,
    "title",
    "description",
    "dueDate",
    "start",
    ZONE,
    "recurrence",
    "priority",
    "tags",
    "status",
    "assignee",
    "createdBy",
    "userId",
    "reminders",
];
const ID: &str = "taskId";
/// The zone of local times of the same line.
const ZONE: &str = "zone";
/// Stands between several values of a cell.
const SEPARATOR: char = ';';
/// A cell of reminders that says that there shall be none.
const NONE: &str = "none";

/// Reads them.
pub(super) struct Reader<R> {
    reader: csv::Reader<R>,
    head: Vec<String>,
}

impl<R: Read> Reader<R> {
    /// Reads the head.
    pub(super) fn new(reader: R) -> std::io::Result<Self> {
        let mut reader = ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(reader);
        let head: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
        let wrong = |why: String| Error::new(ErrorKind::InvalidData, why);
        if let Some(unknown) = head.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
            let known = COLUMNS.join(", ");
            return Err(wrong(format!("the head names {unknown:?}, which is none of {known}")));
        }
        for needed in [ID, "title"] {
            if !head.iter().any(|name| name == needed) {
                return Err(wrong(format!("the head does not name {needed}")));
            }
        }
        Ok(Self { reader, head })
    }

    fn row(&self, record: &StringRecord) -> Row {
        let line = record.position().map_or(0, csv::Position::line);
        let mut cells: Map<String, Value> = Map::new();
        for (name, cell) in self.head.iter().zip(record).filter(|(_, cell)| !cell.trim().is_empty())
        {
            cells.insert(name.clone(), cell.into());
        }
        let name = cells.remove(ID).and_then(|id| Some(id.as_str()?.trim().to_owned()));
        let name = name.unwrap_or_default();
        Row { line, wish: wish(cells, &name), name }
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = std::io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut record = StringRecord::new();
        match self.reader.read_record(&mut record) {
            Ok(false) => None,
            Ok(true) => Some(Ok(self.row(&record))),
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                if error.is_io_error() {
                    return Some(Err(error.into()));
                }
                // Too many cells, or no UTF-8: the next line may be fine.
                let wish = Err(error.to_string());
                Some(Ok(Row { line, name: String::new(), wish }))
            }
        }
    }
}

fn wish(mut cells: Map<String, Value>, name: &str) -> Result<Wish, String> {
    let id = TaskId::parse(name).map_err(|error| format!("{ID} {error}"))?;
    let zone = cells.remove(ZONE);
    let zone = zone.as_ref().and_then(Value::as_str).map(str::trim);
    let mut task = Map::new();
    for (name, cell) in cells {
        let text = cell.as_str().unwrap_or_default();
        let value = value(&name, text, zone).map_err(|why| format!("{name} {why}"))?;
        task.insert(name, value);
    }
    Ok(Wish { id, task: Said::Json(Value::Object(task)) })
}

fn value(name: &str, text: &str, zone: Option<&str>) -> Result<Value, String> {
    let plain = text.trim();
    match name {
        "dueDate" | "start" => moment(plain, zone),
        "recurrence" | "reminders" | "tags" if plain.starts_with(['{', '[']) => {
            serde_json::from_str(plain).map_err(|error| format!("is no JSON: {error}"))
        }
        "recurrence" => Ok(json!({ "rule": plain })),
        "tags" => Ok(json!(several(plain))),
        "reminders" if plain == NONE => Ok(json!([])),
        "reminders" => reminders(&several(plain)),
        "title" | "description" => Ok(json!(text)),
        _ => Ok(json!(plain)),
    }
}

fn several(text: &str) -> Vec<&str> {
    text.split(SEPARATOR).map(str::trim).filter(|one| !one.is_empty()).collect()
}

/// Writes tasks.
pub(super) struct Writer<W: Write>(csv::Writer<W>);

impl<W: Write> Writer<W> {
    /// Writes the head.
    pub(super) fn new(writer: W) -> std::io::Result<Self> {
        let mut writer = WriterBuilder::new().from_writer(writer);
        writer.write_record(COLUMNS)?;
        Ok(Self(writer))
    }

    pub(super) fn write(&mut self, id: &str, task: &Value) -> std::io::Result<()> {
        let cell = |name: &&str| match (*name, &task[*name]) {
            (ID, _) => id.to_owned(),
            (_, Value::Null) => String::new(),
            (_, Value::String(text)) => text.clone(),
            // A time, a rule, a list: whole, so that it is read again as it was.
            (_, whole) => whole.to_string(),
        };
        Ok(self.0.write_record(COLUMNS.iter().map(cell))?)
    }

    pub(super) fn finish(mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Row> {
        Reader::new(text.as_bytes()).unwrap().map(Result::unwrap).collect()
    }

    fn task(row: &Row) -> Value {
        row.wish.as_ref().unwrap().task.body()["task"].clone()
    }

    #[test]
    fn cells_are_as_people_write_them() {
        let text = "taskId,title,dueDate,zone,recurrence,tags,reminders,description\n\
                    a,\"One, two\",2027-03-01 18:00,Europe/Berlin,FREQ=DAILY,home; shop,1d;15m,\"two\nlines\"\n\
                    b,B,2027-03-01,,,,none,\n";
        let rows = rows(text);
        let expected = json!({
            "title": "One, two",
            "dueDate": {"local": "2027-03-01T18:00:00", "zone": "Europe/Berlin"},
            "recurrence": {"rule": "FREQ=DAILY"},
            "tags": ["home", "shop"],
            "reminders": [{"id": "r1", "before": "P1D"}, {"id": "r2", "before": "PT900S"}],
            "description": "two\nlines",
        });
        assert_eq!(task(&rows[0]), expected);
        let expected = json!({"title": "B", "dueDate": {"date": "2027-03-01"}, "reminders": []});
        assert_eq!((rows[1].line, task(&rows[1])), (4, expected), "a cell may have two lines");
    }

    #[test]
    fn what_is_written_is_read() {
        let whole = json!({
            "title": "=A, \"B\"", "dueDate": {"local": "2027-03-01T18:00:00", "zone": "Asia/Tokyo"},
            "recurrence": {"rule": "FREQ=DAILY", "from": "completion"}, "tags": ["a;b", "c"],
            "reminders": [{"id": "x", "before": "P1D", "nag": {"every": "PT5M", "max": 6}}],
            "priority": "high", "userId": "ada@example.org", "description": " x\n",
        });
        let mut text = Vec::new();
        let mut writer = Writer::new(&mut text).unwrap();
        writer.write("a", &whole).unwrap();
        writer.finish().unwrap();
        assert_eq!(task(&rows(std::str::from_utf8(&text).unwrap())[0]), whole);
    }

    #[test]
    fn a_line_that_cannot_be_understood_leaves_the_others_alone() {
        let rows = rows("taskId,title,dueDate\na b,A,\nb,B,C,D\nc,C,tomorrow\nd,D,\n,E,\n");
        let why: Vec<Option<&String>> = rows.iter().map(|row| row.wish.as_ref().err()).collect();
        assert_eq!(why.len(), 5);
        assert!(why[3].is_none() && rows[3].name == "d");
        assert!(why[2].unwrap().starts_with("dueDate is neither"), "{why:?}");
        assert!(why[0].unwrap().starts_with("taskId"), "{why:?}");
        assert_eq!(rows[1].line, 3, "{why:?}");
    }

    #[test]
    fn a_head_that_cannot_be_understood_is_refused() {
        let refused = |text: &str| Reader::new(text.as_bytes()).err().unwrap().to_string();
        assert!(refused("taskId,title,duedate\n").contains("duedate"));
        assert!(refused("title\n").contains("taskId"));
    }
}
