//! What becomes of a Deployment: a replica set for each of its templates, pods that run, with the container that
//! Dapr injects, and its status; and what its pods would miss in a cluster.

use serde_json::{Value, json};

use super::cluster::Cluster;
use super::merge;

const REVISION: &str = "deployment.kubernetes.io/revision";
const HASH: &str = "pod-template-hash";

/// The sidecar that Dapr injects.
const SIDECAR: &str = "daprd";

/// Does what the controllers of deployments and of their replica sets would, until there is nothing left to do.
pub(crate) fn settle(cluster: &mut Cluster, namespace: &str, name: &str) {
    let deployment = cluster.get("deployments", namespace, name).unwrap().clone();
    let (hash, is_new) = revise(cluster, namespace, &deployment);
    let wanted = deployment["spec"]["replicas"].as_u64().unwrap_or(1);
    let before: Vec<Value> =
        cluster.select("pods", namespace, &selector(&deployment)).into_iter().cloned().collect();
    for mut pod in before.into_iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null()) {
        let pod_name = pod["metadata"]["name"].as_str().unwrap().to_owned();
        if is_new {
            cluster.remove("pods", namespace, &pod_name);
        } else if number(&pod_name) >= wanted {
            // It ends, and is there until somebody has seen that.
            pod["metadata"]["deletionTimestamp"] = "2027-03-01T09:00:00Z".into();
            cluster.put("pods", namespace, pod);
        }
    }
    for number in 0..wanted {
        let pod = pod(&deployment, &hash, number);
        cluster.put("pods", namespace, pod);
    }
    let status = json!({
        "replicas": wanted, "updatedReplicas": wanted, "readyReplicas": wanted, "availableReplicas": wanted,
        "conditions": [{ "type": "Available", "status": "True" },
                       { "type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable" }],
    });
    cluster.set_status("deployments", namespace, name, status);
}

fn number(pod: &str) -> u64 {
    pod.rsplit('-').next().unwrap().parse().unwrap()
}

fn selector(deployment: &Value) -> String {
    let labels = deployment["spec"]["selector"]["matchLabels"].as_object().unwrap();
    let labels = labels.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap()));
    labels.collect::<Vec<_>>().join(",")
}

fn revision(object: &Value) -> u64 {
    object["metadata"]["annotations"][REVISION].as_str().map_or(0, |text| text.parse().unwrap())
}

/// Makes the replica set of the present template, or takes up the one that had it; answers its hash, and whether pods
/// have to be made anew.
fn revise(cluster: &mut Cluster, namespace: &str, deployment: &Value) -> (String, bool) {
    let template = merge::without_empty(&deployment["spec"]["template"]);
    let sets: Vec<Value> = cluster
        .select("replicasets", namespace, &selector(deployment))
        .into_iter()
        .cloned()
        .collect();
    let last = sets.iter().map(revision).max().unwrap_or(0);
    let same = sets.iter().find(|set| {
        let mut of_set = set["spec"]["template"].clone();
        of_set["metadata"]["labels"].as_object_mut().unwrap().remove(HASH);
        merge::without_empty(&of_set) == template
    });
    if let Some(set) = same.filter(|set| revision(set) == last) {
        return (set["metadata"]["labels"][HASH].as_str().unwrap().to_owned(), false);
    }
    let hash = match same {
        Some(set) => set["metadata"]["labels"][HASH].as_str().unwrap().to_owned(),
        None => format!("rev{}", last + 1),
    };
    let meta = &deployment["metadata"];
    let mut labelled = deployment["spec"]["template"].clone();
    labelled["metadata"]["labels"][HASH] = hash.clone().into();
    let mut matched = deployment["spec"]["selector"].clone();
    matched["matchLabels"][HASH] = hash.clone().into();
    let set = json!({
        "metadata": {
            "name": format!("{}-{hash}", meta["name"].as_str().unwrap()),
            "labels": labelled["metadata"]["labels"],
            "annotations": { REVISION: (last + 1).to_string() },
            "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "Deployment", "name": meta["name"],
                                  "uid": meta["uid"], "controller": true }],
        },
        "spec": { "replicas": deployment["spec"]["replicas"], "selector": matched, "template": labelled },
    });
    cluster.put("replicasets", namespace, set);
    (hash, true)
}

fn pod(deployment: &Value, hash: &str, number: u64) -> Value {
    let template = &deployment["spec"]["template"];
    let mut spec = template["spec"].clone();
    let containers = spec["containers"].as_array_mut().unwrap();
    if template["metadata"]["annotations"]["dapr.io/enabled"] == "true" {
        containers.push(json!({ "name": SIDECAR, "image": "daprd" }));
    }
    let statuses: Vec<Value> = containers
        .iter()
        .map(|container| json!({ "name": container["name"], "ready": true, "restartCount": 0 }))
        .collect();
    let mut meta = template["metadata"].clone();
    meta["labels"][HASH] = hash.into();
    meta["name"] =
        format!("{}-{hash}-{number}", deployment["metadata"]["name"].as_str().unwrap()).into();
    let status = json!({ "phase": "Running", "containerStatuses": statuses,
                         "conditions": [{ "type": "Ready", "status": "True" }] });
    json!({ "metadata": meta, "spec": spec, "status": status })
}

/// What pods of the Deployments in a namespace need and is not there: they would not start. It is asked when everything
/// was sent, for a Deployment may come before what it needs.
pub(crate) fn missing(cluster: &Cluster, namespace: &str) -> Vec<String> {
    let deployments = cluster.select("deployments", namespace, "").into_iter();
    deployments.flat_map(|one| missing_of(cluster, namespace, one)).collect()
}

fn missing_of(cluster: &Cluster, namespace: &str, deployment: &Value) -> Vec<String> {
    let mut wanted: Vec<(&str, &str, &str)> = Vec::new();
    let template = &deployment["spec"]["template"];
    let annotations = &template["metadata"]["annotations"];
    let spec = &template["spec"];
    for (name, plural) in [
        ("dapr.io/config", "configurations"),
        ("dapr.io/api-token-secret", "secrets"),
        ("dapr.io/app-token-secret", "secrets"),
    ] {
        wanted.extend(annotations[name].as_str().map(|of| (plural, of, "")));
    }
    wanted.extend(spec["serviceAccountName"].as_str().map(|of| ("serviceaccounts", of, "")));
    for volume in spec["volumes"].as_array().into_iter().flatten() {
        wanted.extend(volume["configMap"]["name"].as_str().map(|of| ("configmaps", of, "")));
        let keys = volume["secret"]["items"].as_array().into_iter().flatten();
        let secret = volume["secret"]["secretName"].as_str();
        wanted.extend(secret.map(|of| ("secrets", of, "")));
        wanted.extend(keys.filter_map(|item| Some(("secrets", secret?, item["key"].as_str()?))));
    }
    for container in spec["containers"].as_array().into_iter().flatten() {
        for variable in container["env"].as_array().into_iter().flatten() {
            let of = &variable["valueFrom"]["secretKeyRef"];
            let named = of["name"].as_str().zip(of["key"].as_str());
            wanted.extend(named.map(|(name, key)| ("secrets", name, key)));
        }
    }
    for component in cluster.select("components", namespace, "") {
        for field in component["spec"]["metadata"].as_array().into_iter().flatten() {
            let of = &field["secretKeyRef"];
            let named = of["name"].as_str().zip(of["key"].as_str());
            wanted.extend(named.map(|(name, key)| ("secrets", name, key)));
        }
    }
    let is_there = |(plural, name, key): &(&str, &str, &str)| {
        let object = cluster.get(plural, namespace, name);
        let has = |object: &Value, field: &str| !object[field][key].is_null();
        object.is_some_and(|it| key.is_empty() || has(it, "data") || has(it, "stringData"))
    };
    let missing = wanted.into_iter().filter(|one| !is_there(one));
    missing.map(|(plural, name, key)| format!("{plural} {name} {key}").trim().to_owned()).collect()
}
