//! The Dockerfile, what it may see, and the images that are used.

use serde_json::json;
use std::path::Path;

use reminder_contract::names;

use crate::documents::{document, documents_below, files_below, keys, read};
use crate::members::MEMBERS;

fn dockerfile() -> Vec<String> {
    read("Dockerfile").replace("\\\n", " ").lines().map(str::to_owned).collect()
}

/// What follows an instruction in the last stage.
fn instruction(name: &str) -> Vec<String> {
    let lines = dockerfile();
    let last = lines.iter().rposition(|line| line.starts_with("FROM ")).unwrap();
    lines[last..]
        .iter()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_image_runs_the_service_as_nobody() {
    let lines = dockerfile();
    assert_eq!(lines.iter().filter(|line| line.starts_with("FROM ")).count(), 2);
    // The same file builds each service; the scheduler unless told otherwise.
    let package = format!("ARG PACKAGE={}", env!("CARGO_PKG_NAME"));
    assert!(lines.contains(&package));
    assert!(lines.iter().any(|line| line.contains("--locked --package \"$PACKAGE\" ")));
    // The binary knows what it was built from, and tells it as a metric.
    assert!(lines.iter().any(|line| line.contains(" REVISION=\"$REVISION\" cargo build ")));
    assert_eq!(instruction("ENTRYPOINT"), ["[\"/usr/local/bin/service\"]"]);
    assert_eq!(document("docker-compose.yml").at("/services/app/command"), &json!(["serve"]));
    let deployment = document("k8s/base/deployment.yaml");
    assert_eq!(deployment.at("/spec/template/spec/containers/0/args"), &json!(["serve"]));
    assert_eq!(instruction("EXPOSE"), [names::DEFAULT_APP_PORT.to_string()]);
    assert!(instruction("ENV")[0].contains(&format!("APP_PORT={} ", names::DEFAULT_APP_PORT)));

    // One number everywhere: in the image, in the pod, and for the owner of compose's secrets.
    let user = instruction("USER").remove(0);
    let (id, group) = user.split_once(':').unwrap();
    assert_ne!(id.parse::<u32>().unwrap(), 0);
    let deployment = document("k8s/base/deployment.yaml");
    let context = deployment.at("/spec/template/spec/securityContext");
    assert_eq!(context["runAsUser"].to_string(), id);
    assert_eq!(context["runAsGroup"].to_string(), group);
    assert_eq!(context["fsGroup"].to_string(), group);
    assert!(read("docker/secrets.sh").contains(&format!("${{OWNER:-{user}}}")));
}

/// Whom a `kubectl exec` of the pages calls, and by which name: `deploy/NAME … -- COMMAND`.
fn commands_in_pods(text: &str) -> Vec<(String, String)> {
    let lines = text.replace("\\\n", " ");
    let calls = lines.lines().flat_map(|line| line.split("kubectl ").skip(1));
    let called = |call: &str| {
        let (before, inside) = call.split_once(" -- ")?;
        let mut words = before.split_whitespace();
        words.by_ref().find(|word| *word == "exec")?;
        let workload = words.find_map(|word| word.strip_prefix("deploy/"));
        let command = inside.split_whitespace().next().unwrap_or_default();
        let whom = workload.unwrap_or_else(|| panic!("nobody is called by: kubectl {call}"));
        Some((whom.to_owned(), command.trim_matches('`').to_owned()))
    };
    calls.filter_map(called).collect()
}

#[test]
fn what_the_pages_run_in_a_pod_is_in_its_image() {
    // The binary has the name of its package, in a folder of the PATH.
    let built = dockerfile().into_iter().find(|line| line.contains(" cargo build ")).unwrap();
    let installs = r#"install -D "target/release/$PACKAGE" "/out/usr/local/bin/$PACKAGE""#;
    assert!(built.contains(installs), "{built}");
    assert!(built.ends_with(r#" ln -s "$PACKAGE" /out/usr/local/bin/service"#), "{built}");
    assert_eq!(instruction("COPY"), ["--from=build /out/ /"]);

    let packages: Vec<&str> =
        MEMBERS.iter().map(|(id, _)| *id).chain([env!("CARGO_PKG_NAME")]).collect();
    let all = documents_below("k8s");
    let mut pages = files_below("docs", &["md"]);
    pages.push("README.md".into());
    let mut count = 0;
    for page in pages {
        for (whom, command) in commands_in_pods(&read(&page)) {
            let deployment = all.iter().find(|one| {
                let value = &one.value;
                // A patch of an overlay selects nothing.
                let whole = value["spec"]["selector"].is_object();
                whole && value["kind"] == "Deployment" && value["metadata"]["name"] == *whom
            });
            let deployment = deployment.unwrap_or_else(|| panic!("{}: {whom}", page.display()));
            let image = deployment.text("/spec/template/spec/containers/0/image");
            assert_eq!(command, image, "{}: {whom} has no such command", page.display());
            assert!(packages.contains(&image), "{}: {image} is not built here", page.display());
            count += 1;
        }
    }
    assert!(count >= 4, "{count} commands");
}

#[test]
fn the_toolchain_in_the_image_is_new_enough() {
    let from = dockerfile().into_iter().find(|line| line.starts_with("FROM rust:")).unwrap();
    let version = from["FROM rust:".len()..].split('-').next().unwrap().to_owned();
    let number =
        |text: &str| -> Vec<u32> { text.split('.').map(|part| part.parse().unwrap()).collect() };
    assert!(number(&version) >= number(env!("CARGO_PKG_RUST_VERSION")), "{version}");
}

#[test]
fn the_build_sees_the_whole_workspace_and_nothing_else() {
    let ignore = read(".dockerignore");
    let rules: Vec<_> =
        ignore.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(rules[0], "*", "what is not let through must stay out");
    let seen = |path: &str| rules.iter().any(|rule| rule.strip_prefix('!') == Some(path));
    for path in ["Cargo.toml", "Cargo.lock", "benches", "src", "tests", "migrations", "schemas"] {
        assert!(seen(path), "the build does not see {path}");
    }
    let manifest = read("Cargo.toml");
    let members = manifest.split_once("members = [").unwrap().1.split_once(']').unwrap().0;
    let members: Vec<_> = members.split('"').skip(1).step_by(2).collect();
    assert!(members.len() > 5, "{members:?}");
    for member in members {
        let folder = Path::new(member).iter().next().unwrap().to_str().unwrap();
        assert!(seen(folder), "the build does not see the member {member}");
    }
}

#[test]
fn images_are_pinned_to_a_version() {
    let compose = document("docker-compose.yml");
    for service in keys(compose.at("/services")) {
        let image = compose.text(&format!("/services/{service}/image"));
        let (name, tag) = image.rsplit_once(':').unwrap_or_else(|| panic!("{image} has no tag"));
        // A release has at least a major and a minor number; what it is built on may follow.
        let release = tag.split('-').next().unwrap().trim_start_matches('v');
        let numbers: Vec<_> = release.split('.').map(str::parse::<u32>).collect();
        assert!(numbers.len() > 1 && numbers.iter().all(Result::is_ok), "{image} is not pinned");
        match name {
            "reminder-scheduler" => assert_eq!(tag, env!("CARGO_PKG_VERSION")),
            _ if name.starts_with("daprio/") => assert_eq!(tag, dapr_version(), "{image}"),
            _ => {}
        }
    }
    let kustomization = document("k8s/base/kustomization.yaml");
    let deployment = document("k8s/base/deployment.yaml");
    assert_eq!(kustomization.text("/images/0/newTag"), env!("CARGO_PKG_VERSION"));
    assert_eq!(
        kustomization.text("/images/0/name"),
        deployment.text("/spec/template/spec/containers/0/image")
    );
}

/// The release of Dapr that the local stack builds.
fn dapr_version() -> String {
    let module = read("runtime/go.mod");
    let line = module.lines().find_map(|line| line.trim().strip_prefix("github.com/dapr/dapr v"));
    line.unwrap().to_owned()
}
