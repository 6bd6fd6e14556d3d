//! What is applied: each kustomization as kustomize itself renders it.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use crate::command::succeed;
use crate::documents::{self, Document, root};
use crate::tools;

const RENDER_DEADLINE: Duration = Duration::from_secs(60);

/// Every folder that can be applied.
pub(crate) const FOLDERS: [&str; 7] = [
    "k8s/base",
    "k8s/kafka-sasl-tls",
    "k8s/members",
    "k8s/monitoring",
    "k8s/overlays/dev",
    "k8s/overlays/production",
    "k8s/topics",
];

/// One of them, rendered.
pub(crate) struct Rendered {
    pub(crate) folder: &'static str,
    /// As it would be applied.
    pub(crate) text: String,
    pub(crate) documents: Vec<Document>,
}

impl Rendered {
    /// The objects of a kind.
    pub(crate) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Document> {
        self.documents.iter().filter(move |document| document.kind() == kind)
    }

    /// The only object of a kind.
    pub(crate) fn the(&self, kind: &str) -> &Document {
        let mut all = self.of_kind(kind);
        let one = all.next().unwrap_or_else(|| panic!("{}: no {kind}", self.folder));
        assert!(all.next().is_none(), "{}: several {kind}", self.folder);
        one
    }
}

/// All of them.
pub(crate) fn all() -> &'static [Rendered] {
    static ALL: LazyLock<Vec<Rendered>> = LazyLock::new(|| FOLDERS.map(render).into());
    &ALL
}

pub(crate) fn folder(folder: &str) -> &'static Rendered {
    all().iter().find(|rendered| rendered.folder == folder).unwrap()
}

fn render(folder: &'static str) -> Rendered {
    let mut kustomize = Command::new(tools::kustomize());
    kustomize.arg("build").arg(root().join(folder));
    let text = succeed(&mut kustomize, RENDER_DEADLINE);
    let documents = documents::parse(Path::new(folder), &text);
    Rendered { folder, text, documents }
}

#[test]
fn every_kustomization_is_rendered() {
    let mut found: Vec<String> = documents::files_below("k8s", &["yaml"])
        .iter()
        .filter_map(|file| file.to_str()?.strip_suffix("/kustomization.yaml").map(str::to_owned))
        .collect();
    found.sort();
    assert_eq!(found, FOLDERS);
    for rendered in all() {
        assert!(!rendered.documents.is_empty());
    }
}

#[test]
fn the_overlays_change_what_they_are_for() {
    let replicas = |folder_name| {
        folder(folder_name).the("Deployment").value.pointer("/spec/replicas").cloned()
    };
    assert_eq!(replicas("k8s/overlays/dev"), Some(1.into()));
    let dev = folder("k8s/overlays/dev");
    assert_eq!(dev.the("Namespace").name(), "reminders-dev");
    assert_eq!(dev.of_kind("PodDisruptionBudget").count(), 0);
    // Two who say how many replicas there are would fight.
    let production = folder("k8s/overlays/production");
    assert_eq!(replicas("k8s/overlays/production"), None);
    let most = production.the("HorizontalPodAutoscaler").at("/spec/maxReplicas").as_u64().unwrap();
    let fewest =
        production.the("HorizontalPodAutoscaler").at("/spec/minReplicas").as_u64().unwrap();
    assert!(1 < fewest && fewest < most);
    // Where credentials cross a network, TLS is on.
    let broker = production.of_kind("Component").find(|one| one.name() == "kafka-pubsub").unwrap();
    let fields = broker.at("/spec/metadata").as_array().unwrap();
    assert!(fields.iter().any(|field| field["name"] == "saslPassword"));
}
