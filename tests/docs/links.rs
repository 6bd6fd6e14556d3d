//! Links within the repository lead somewhere.

use crate::pages::{pages, root};
use std::path::{Path, PathBuf};

#[test]
fn every_relative_link_leads_somewhere() {
    let pages = pages();
    let mut broken = Vec::new();
    for page in &pages {
        for link in page.links.iter().filter(|link| !link.contains("://")) {
            let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() {
                page.path.clone()
            } else {
                normal(&page.path.parent().unwrap().join(path))
            };
            let known = pages.iter().find(|other| other.path == target);
            let found = match known {
                Some(other) => fragment.is_empty() || other.anchors.contains(fragment),
                None => root().join(&target).exists(),
            };
            if !found {
                broken.push(format!("{}: {link}", page.path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Without `..`, as the pages' own paths are.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => assert!(out.pop(), "{} leaves us", path.display()),
            std::path::Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}
