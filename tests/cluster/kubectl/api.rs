//! The API server that kubectl talks to: discovery, objects, patches, selectors, logs, as far as our pages need them.
//! It has no streams, so `exec` and `port-forward` end where a cluster would begin one: their arguments are checked,
//! and noted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use reqwest::Url;
use serde_json::{Value, json};

use super::cluster::{Cluster, Refused};
use super::{kinds, merge, protobuf};

/// No object of ours is larger.
const BODY_MAX_BYTES: usize = 4 * 1024 * 1024;

const JSON: &str = "application/json";

/// What is said where a stream would begin.
pub(crate) const NO_STREAMS: &str = "here a stream would begin";

/// An API server that listens.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) port: u16,
    cluster: Arc<Mutex<Cluster>>,
    /// As which it answers: the dispatcher of some distributions takes a kubectl that fits it.
    version: Arc<Value>,
}

/// What was asked.
struct Asked {
    method: Method,
    url: Url,
    media_type: String,
    body: Value,
}

/// What is answered if all is well.
enum Told {
    Json(u16, Value),
    /// One a line.
    Events(String),
    Text(String),
}

impl Server {
    /// Serves this cluster. Must be called within a runtime, which drives it.
    pub(crate) async fn start(cluster: Cluster, version: Value) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cluster, version) = (Arc::new(Mutex::new(cluster)), Arc::new(version));
        let server = Self { port, cluster, version };
        let app = Router::new().fallback(serve).with_state(server.clone());
        tokio::spawn(axum::serve(listener, app).into_future());
        server
    }

    pub(crate) fn cluster(&self) -> MutexGuard<'_, Cluster> {
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(State(server): State<Server>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_MAX_BYTES).await.unwrap_or_default();
    let asked = Asked {
        method: parts.method,
        url: Url::parse(&format!("http://cluster{}", parts.uri)).unwrap(),
        media_type: media_type(&parts.headers),
        body: serde_json::from_slice(&body)
            .ok()
            .or_else(|| protobuf::secret(&body))
            .unwrap_or_default(),
    };
    let mut cluster = server.cluster();
    match answer(&mut cluster, &server.version, &asked) {
        Ok(Told::Json(status, body)) => json_response(status, &body),
        Ok(Told::Events(lines)) => ([(CONTENT_TYPE, JSON)], lines).into_response(),
        Ok(Told::Text(text)) => text.into_response(),
        Err(Refused { code, reason, message }) => {
            let body = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
                               "reason": reason, "message": message });
            json_response(code, &body)
        }
    }
}

fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().to_owned()
}

fn json_response(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(CONTENT_TYPE, JSON)], body.to_string()).into_response()
}

fn answer(cluster: &mut Cluster, version: &Value, asked: &Asked) -> Result<Told, Refused> {
    let path = asked.url.path().to_owned();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let known = |value: Option<Value>| {
        value.map(|value| Told::Json(200, value)).ok_or_else(|| Refused::not_found("path", &path))
    };
    let all = cluster.kinds.clone();
    match parts[..] {
        ["version"] => known(Some(version.clone())),
        ["api"] => known(Some(json!({ "kind": "APIVersions", "versions": ["v1"] }))),
        ["apis"] => known(Some(kinds::groups(&all))),
        ["openapi", "v3"] => known(Some(kinds::documents_of_versions(&all))),
        ["openapi", "v3", "api", version] => known(Some(kinds::document(&all, version))),
        ["openapi", "v3", "apis", group, version] => {
            known(Some(kinds::document(&all, &format!("{group}/{version}"))))
        }
        ["api", version] => known(kinds::resources(&all, version)),
        ["apis", group, version] => known(kinds::resources(&all, &format!("{group}/{version}"))),
        ["api", version, ref rest @ ..] => object(cluster, version, rest, asked),
        ["apis", group, version, ref rest @ ..] => {
            object(cluster, &format!("{group}/{version}"), rest, asked)
        }
        _ => known(None),
    }
}

/// What is about objects: in a namespace or not, of a kind, one of them, and what of it.
fn object(
    cluster: &mut Cluster,
    version: &str,
    rest: &[&str],
    asked: &Asked,
) -> Result<Told, Refused> {
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
        rest => ("", rest),
    };
    let plural = rest.first().copied().unwrap_or_default();
    let kind = cluster.kinds.iter().find(|kind| kind.version == version && kind.plural == plural);
    let kind = kind.ok_or_else(|| Refused::not_found("resource", plural))?.clone();
    if kind.namespaced == namespace.is_empty() {
        return Err(Refused::bad(format!("{plural} is asked for in the wrong place")));
    }
    if kind.namespaced && cluster.get("namespaces", "", namespace).is_none() {
        cluster.complain(format!("there is no namespace {namespace}"));
    }
    let found = |cluster: &Cluster, name: &str| {
        let object = cluster.get(plural, namespace, name).cloned();
        object.ok_or_else(|| Refused::not_found(plural, name))
    };
    match (&asked.method, &rest[1..]) {
        (&Method::GET, []) => list(cluster, &kind, namespace, asked),
        (&Method::POST, []) => {
            Ok(Told::Json(201, cluster.create(plural, namespace, asked.body.clone())?))
        }
        (&Method::GET, [name]) => Ok(Told::Json(200, found(cluster, name)?)),
        (&Method::PATCH, [name]) => {
            let mut object = found(cluster, name)?;
            patch(&mut object, asked)?;
            Ok(Told::Json(200, cluster.put(plural, namespace, object)))
        }
        (&Method::PATCH, [name, "scale"]) if plural == "deployments" => {
            let mut object = found(cluster, name)?;
            patch(&mut object, asked)?;
            let object = cluster.put(plural, namespace, object);
            let scale = json!({ "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": object["metadata"],
                                "spec": { "replicas": object["spec"]["replicas"] } });
            Ok(Told::Json(200, scale))
        }
        (&Method::GET, [name, "log"]) if plural == "pods" => {
            container(&found(cluster, name)?, asked)?;
            Ok(Told::Text(format!("a line of {name}\n")))
        }
        (_, [name, stream @ ("exec" | "portforward")]) if plural == "pods" => {
            if *stream == "exec" {
                container(&found(cluster, name)?, asked)?;
            }
            found(cluster, name)?;
            let query = asked.url.query().unwrap_or_default().to_owned();
            cluster.streams.push(((*name).to_owned(), (*stream).to_owned(), query));
            Err(Refused { code: 403, reason: "Forbidden", message: NO_STREAMS.to_owned() })
        }
        other => {
            cluster.complain(format!("nothing is known of {other:?} of {plural}"));
            Err(Refused { code: 405, reason: "MethodNotAllowed", message: "not here".to_owned() })
        }
    }
}

fn patch(object: &mut Value, asked: &Asked) -> Result<(), Refused> {
    match asked.media_type.as_str() {
        "application/merge-patch+json" => merge::merge(object, &asked.body),
        "application/strategic-merge-patch+json" => merge::strategic(object, &asked.body),
        "application/json-patch+json" if merge::replace(object, &asked.body) => {}
        other => return Err(Refused::bad(format!("{other}: {}", asked.body))),
    }
    Ok(())
}

/// The container of a pod that a question is about must be one that it has.
fn container(pod: &Value, asked: &Asked) -> Result<(), Refused> {
    let containers = pod["spec"]["containers"].as_array().unwrap();
    let name = query(asked, "container");
    let known = containers.iter().any(|one| one["name"] == name.as_str());
    if known || (name.is_empty() && containers.len() == 1) {
        return Ok(());
    }
    Err(Refused::bad(format!("container {name} is not valid for pod {}", pod["metadata"]["name"])))
}

fn query(asked: &Asked, name: &str) -> String {
    let found = asked.url.query_pairs().find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// A list, or what happens to what is on it.
fn list(
    cluster: &mut Cluster,
    kind: &kinds::Kind,
    namespace: &str,
    asked: &Asked,
) -> Result<Told, Refused> {
    let labels = query(asked, "labelSelector");
    let fields = query(asked, "fieldSelector");
    let name = fields.strip_prefix("metadata.name=");
    if !fields.is_empty() && name.is_none() {
        return Err(Refused::bad(format!("the field selector {fields}")));
    }
    let found = cluster.select(&kind.plural, namespace, &labels).into_iter();
    let found = found.filter(|one| name.is_none_or(|name| one["metadata"]["name"] == name));
    let found: Vec<Value> = found.cloned().collect();
    if query(asked, "watch") == "true" {
        if query(asked, "sendInitialEvents") == "true" {
            // Then it is asked for a list and a watch.
            return Err(Refused { code: 422, reason: "Invalid", message: "not here".to_owned() });
        }
        return Ok(Told::Events(ended(cluster, kind, namespace, found)));
    }
    if found.is_empty() && name.is_none() {
        cluster.complain(format!(
            "there are no {} in {namespace} with labels `{labels}`",
            kind.plural
        ));
    }
    let list = json!({ "kind": format!("{}List", kind.name), "apiVersion": kind.version,
                       "metadata": { "resourceVersion": "1" }, "items": found });
    Ok(Told::Json(200, list))
}

/// Has what was to end be gone, and tells it to who watches.
fn ended(
    cluster: &mut Cluster,
    kind: &kinds::Kind,
    namespace: &str,
    watched: Vec<Value>,
) -> String {
    let ends = |object: &Value| !object["metadata"]["deletionTimestamp"].is_null();
    let mut events = String::new();
    for object in watched.into_iter().filter(ends) {
        cluster.remove(&kind.plural, namespace, object["metadata"]["name"].as_str().unwrap());
        events += &json!({ "type": "DELETED", "object": object }).to_string();
        events.push('\n');
    }
    events
}
