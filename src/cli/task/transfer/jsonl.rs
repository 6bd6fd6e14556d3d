//! JSON Lines: `{"taskId": …, "task": {…}}` on each, or the fields of the task beside its id.

use super::rows::{Row, Said, Wish};
use reminder_client::TaskId;
use serde_json::{Map, Value, json};
use std::io::BufRead;

/// What an export says beside, and an import leaves alone.
const VERSION: &str = "version";

/// Reads them.
pub(super) struct Reader<R> {
    reader: R,
    line: u64,
}

impl<R: BufRead> Reader<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, line: 0 }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = std::io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut bytes = Vec::new();
            match self.reader.read_until(b'\n', &mut bytes) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
            self.line += 1;
            if !bytes.trim_ascii().is_empty() {
                return Some(Ok(row(self.line, &bytes)));
            }
        }
    }
}

fn row(line: u64, text: &[u8]) -> Row {
    let object: Result<Map<String, Value>, String> =
        serde_json::from_slice(text).map_err(|error| format!("is no JSON object: {error}"));
    let name = object.as_ref().ok().and_then(|object| object.get("taskId")?.as_str());
    let name = name.unwrap_or_default().to_owned();
    Row { line, wish: object.and_then(|object| wish(object, &name)), name }
}

fn wish(mut object: Map<String, Value>, name: &str) -> Result<Wish, String> {
    let id = TaskId::parse(name).map_err(|error| format!("taskId {error}"))?;
    object.remove("taskId");
    let task = match object.remove("task") {
        None => Value::Object(object),
        Some(task) => {
            if let Some(other) = object.keys().find(|name| *name != VERSION) {
                return Err(format!("{other} stands beside task: put it there"));
            }
            task
        }
    };
    Ok(Wish { id, task: Said::Json(task) })
}

/// A task as a line.
pub(super) fn line(id: &str, version: u64, task: &Value) -> String {
    json!({ "taskId": id, VERSION: version, "task": task }).to_string() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Row> {
        Reader::new(text.as_bytes()).map(Result::unwrap).collect()
    }

    #[test]
    fn a_line_is_a_task_in_either_shape() {
        let text = "{\"taskId\":\"a\",\"version\":3,\"task\":{\"title\":\"A\"}}\n\n{\"taskId\":\"b\",\"title\":\"B\"}";
        let rows = rows(text);
        let titles: Vec<_> = rows
            .iter()
            .map(|row| (row.line, row.wish.as_ref().unwrap().task.body()["task"]["title"].clone()))
            .collect();
        assert_eq!(titles, [(1, json!("A")), (3, json!("B"))]);
    }

    #[test]
    fn what_is_written_is_read() {
        let task = json!({"title": "A\nB", "tags": ["x"]});
        let rows = rows(&line("a", 7, &task));
        assert_eq!(
            rows[0].wish,
            Ok(Wish { id: TaskId::parse("a").unwrap(), task: Said::Json(task) })
        );
    }

    #[test]
    fn a_line_that_cannot_be_understood_is_a_row_of_its_own() {
        let text = "[1]\n{\"task\":{}}\n{\"taskId\":\"a b\"}\n{\"taskId\":\"a\",\"task\":{},\"title\":\"x\"}\n\u{fffd}\n";
        let why: Vec<String> = rows(text).into_iter().map(|row| row.wish.unwrap_err()).collect();
        assert_eq!(why.len(), 5);
        assert!(why[1].contains("taskId") && why[3].contains("title"), "{why:?}");
    }
}
