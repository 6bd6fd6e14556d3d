//! What the API server of the test holds: objects, and what controllers and nodes of a healthy cluster would make of
//! them, so that what is waited for comes about.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::kinds::{self, Kind};
use super::workload;

/// The plural of its kind, its namespace (none: empty), and its name.
type Key = (String, String, String);

/// Objects, and what was wrong with what was asked.
pub(crate) struct Cluster {
    pub(crate) kinds: Vec<Kind>,
    objects: BTreeMap<Key, Value>,
    /// Of the last change.
    version: u64,
    /// What a cluster would not have complained of, and a reader would: nothing was found.
    pub(crate) complaints: Vec<String>,
    /// What was asked for that needs a stream: pod, subresource, query.
    pub(crate) streams: Vec<(String, String, String)>,
}

/// Why something was not done, as the API server says it.
pub(crate) struct Refused {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

impl Refused {
    pub(crate) fn not_found(plural: &str, name: &str) -> Self {
        Self { code: 404, reason: "NotFound", message: format!("{plural} \"{name}\" not found") }
    }

    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self { code: 400, reason: "BadRequest", message: message.into() }
    }
}

impl Cluster {
    /// One with these namespaces and nothing in them.
    pub(crate) fn new(namespaces: &[&str]) -> Self {
        let kinds = kinds::all();
        let (objects, complaints, streams) = (BTreeMap::new(), Vec::new(), Vec::new());
        let mut cluster = Self { kinds, objects, version: 1, complaints, streams };
        for name in namespaces {
            cluster.put("namespaces", "", json!({ "metadata": { "name": name } }));
        }
        cluster
    }

    fn kind(&self, plural: &str) -> &Kind {
        self.kinds.iter().find(|kind| kind.plural == plural).unwrap()
    }

    pub(crate) fn get(&self, plural: &str, namespace: &str, name: &str) -> Option<&Value> {
        self.objects.get(&(plural.to_owned(), namespace.to_owned(), name.to_owned()))
    }

    /// The objects of a kind in a namespace that have these labels.
    pub(crate) fn select(&self, plural: &str, namespace: &str, labels: &str) -> Vec<&Value> {
        let of_kind =
            self.objects.iter().filter(|((kind, of, _), _)| kind == plural && of == namespace);
        of_kind.map(|(_, object)| object).filter(|object| has_labels(object, labels)).collect()
    }

    /// Makes an object that a caller sent.
    pub(crate) fn create(
        &mut self,
        plural: &str,
        namespace: &str,
        object: Value,
    ) -> Result<Value, Refused> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        if !namespace.is_empty() && self.get("namespaces", "", namespace).is_none() {
            return Err(Refused::not_found("namespaces", namespace));
        }
        if self.get(plural, namespace, &name).is_some() {
            let message = format!("{plural} \"{name}\" already exists");
            return Err(Refused { code: 409, reason: "AlreadyExists", message });
        }
        Ok(self.put(plural, namespace, object))
    }

    /// Stores an object, as new or in the place of the one before, and does what its controllers would.
    pub(crate) fn put(&mut self, plural: &str, namespace: &str, mut object: Value) -> Value {
        self.version += 1;
        let kind = self.kind(plural);
        if object["apiVersion"].is_null() {
            object["apiVersion"] = kind.version.clone().into();
            object["kind"] = kind.name.clone().into();
        }
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let before = self.get(plural, namespace, &name);
        let generation = before.map_or(1, |before| {
            let at = before["metadata"]["generation"].as_u64().unwrap_or(1);
            if before["spec"] == object["spec"] { at } else { at + 1 }
        });
        let meta = &mut object["metadata"];
        meta["resourceVersion"] = self.version.to_string().into();
        meta["generation"] = generation.into();
        if meta["uid"].is_null() {
            meta["uid"] = format!("00000000-0000-4000-8000-{:012}", self.version).into();
            meta["creationTimestamp"] = "2027-03-01T08:00:00Z".into();
        }
        if !namespace.is_empty() {
            meta["namespace"] = namespace.into();
        }
        let key = (plural.to_owned(), namespace.to_owned(), name.clone());
        self.objects.insert(key, object);
        self.settle(plural, namespace, &name);
        self.get(plural, namespace, &name).unwrap().clone()
    }

    /// Takes an object away.
    pub(crate) fn remove(&mut self, plural: &str, namespace: &str, name: &str) -> Option<Value> {
        self.objects.remove(&(plural.to_owned(), namespace.to_owned(), name.to_owned()))
    }

    /// What controllers do about an object.
    fn settle(&mut self, plural: &str, namespace: &str, name: &str) {
        match plural {
            "deployments" => workload::settle(self, namespace, name),
            "kafkas" | "kafkatopics" => {
                let status = json!({ "conditions": [{ "type": "Ready", "status": "True" }] });
                self.set_status(plural, namespace, name, status);
            }
            _ => {}
        }
    }

    /// Notes how an object is.
    pub(crate) fn set_status(
        &mut self,
        plural: &str,
        namespace: &str,
        name: &str,
        mut status: Value,
    ) {
        let key = (plural.to_owned(), namespace.to_owned(), name.to_owned());
        let object = self.objects.get_mut(&key).unwrap();
        status["observedGeneration"] = object["metadata"]["generation"].clone();
        object["status"] = status;
    }

    pub(crate) fn complain(&mut self, what: impl Into<String>) {
        self.complaints.push(what.into());
    }
}

/// Whether an object has the labels of a selector, `a=b,c=d`; an empty one is had by all.
fn has_labels(object: &Value, selector: &str) -> bool {
    let wanted = selector.split(',').filter(|one| !one.is_empty());
    wanted
        .map(|one| one.split_once('=').unwrap_or((one, "")))
        .all(|(name, value)| object["metadata"]["labels"][name] == value.trim_start_matches('='))
}
