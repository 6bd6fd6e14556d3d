//! Reads the packaged YAML files. Values come as JSON, so that a check is a pointer and a value.

use std::fs;
use std::path::{Path, PathBuf};

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value};

/// One YAML document and where it stands.
pub(crate) struct Document {
    /// The path from the root of the repository.
    pub(crate) file: PathBuf,
    pub(crate) value: Value,
}

impl Document {
    /// The value at a JSON pointer; its absence is a failed check.
    pub(crate) fn at(&self, pointer: &str) -> &Value {
        match self.value.pointer(pointer) {
            Some(value) => value,
            None => panic!("{}: nothing at {pointer}", self.file.display()),
        }
    }

    /// The text at a JSON pointer.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        let value = self.at(pointer);
        value.as_str().unwrap_or_else(|| {
            panic!("{}: {pointer} is {value}, expected text", self.file.display())
        })
    }

    pub(crate) fn kind(&self) -> &str {
        self.text("/kind")
    }

    pub(crate) fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// Fails when the object at a pointer has a key that is not in the list.
    pub(crate) fn only(&self, pointer: &str, known: &[&str]) {
        for key in keys(self.at(pointer)) {
            assert!(
                known.contains(&key),
                "{}: {pointer} has an unknown key {key:?}",
                self.file.display()
            );
        }
    }
}

/// The keys of an object in alphabetical order; none for anything else.
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().into_iter().flatten().map(|(key, _)| &**key).collect();
    keys.sort_unstable();
    keys
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a file of the repository.
pub(crate) fn read(file: impl AsRef<Path>) -> String {
    let path = root().join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The documents of one file.
pub(crate) fn documents(file: impl AsRef<Path>) -> Vec<Document> {
    parse(file.as_ref(), &read(&file))
}

/// The documents of a text, which came from there.
pub(crate) fn parse(file: &Path, text: &str) -> Vec<Document> {
    let nodes = Yaml::load_from_str(text)
        .unwrap_or_else(|error| panic!("{} is not YAML: {error}", file.display()));
    assert!(!nodes.is_empty(), "{} is empty", file.display());
    nodes.iter().map(|node| Document { file: file.to_owned(), value: json(node, file) }).collect()
}

/// The only document of a file.
pub(crate) fn document(file: impl AsRef<Path>) -> Document {
    let mut all = documents(file.as_ref());
    assert_eq!(all.len(), 1, "{} has several documents", file.as_ref().display());
    all.remove(0)
}

/// All documents below a folder.
pub(crate) fn documents_below(folder: &str) -> Vec<Document> {
    files_below(folder, &["yaml", "yml"]).iter().flat_map(documents).collect()
}

/// The files below a folder with one of these extensions, in order.
pub(crate) fn files_below(folder: &str, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| extensions.iter().any(|x| e == *x)) {
                found.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no {extensions:?} files below {folder}");
    found
}

fn json(node: &Yaml<'_>, file: &Path) -> Value {
    match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => Value::Bool(*value),
        Yaml::Value(Scalar::Integer(value)) => Value::from(*value),
        Yaml::Value(Scalar::FloatingPoint(value)) => Value::from(value.into_inner()),
        Yaml::Value(Scalar::String(value)) => Value::from(value.as_ref()),
        Yaml::Sequence(items) => items.iter().map(|item| json(item, file)).collect(),
        Yaml::Mapping(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                let key = match json(key, file) {
                    Value::String(key) => key,
                    other => panic!("{}: the key {other} is not text", file.display()),
                };
                object.insert(key, json(value, file));
            }
            Value::Object(object)
        }
        other => panic!("{}: {other:?} is beyond plain YAML", file.display()),
    }
}
