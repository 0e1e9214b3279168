//! What we build upon: from crates.io only, under licences that ask for nothing but their text.
use std::process::Command;

use serde_json::Value;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";
/// Each can be met by shipping its text.
const LICENCES: [&str; 4] = ["MIT", "Apache-2.0", "BSD-3-Clause", "Unicode-3.0"];
/// What is released for; dependencies of other systems alone are never built.
const PLATFORMS: [&str; 3] = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl", "aarch64-apple-darwin"];

/// Every package that is compiled for one of the platforms, as cargo describes it, without our own.
fn dependencies() -> Vec<Value> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--locked", "--format-version=1"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    for platform in PLATFORMS {
        cargo.arg("--filter-platform").arg(platform);
    }
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let Value::Array(mut packages) = metadata["packages"].take() else { panic!("no packages") };
    packages.retain(|package| package["name"] != env!("CARGO_PKG_NAME"));
    assert!(packages.len() > 5, "{} dependencies", packages.len());
    packages
}

/// Whether one side of every `OR` in an SPDX expression holds nothing but allowed licences.
fn is_allowed(expression: &str) -> bool {
    let flat = expression.replace(['(', ')'], "").replace('/', " OR ");
    // `(A OR B) AND C`: every part must be met, each by any of its choices.
    flat.split(" AND ").all(|part| part.split(" OR ").any(|licence| LICENCES.contains(&licence.trim())))
}

#[test]
fn licences() {
    for package in dependencies() {
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(is_allowed(licence), "{} {}: licence {licence:?}", package["name"], package["version"]);
    }
}

#[test]
fn licence_expressions() {
    for good in
        ["MIT", "MIT OR Apache-2.0", "MIT/Apache-2.0", "Unlicense OR MIT", "(MIT OR Apache-2.0) AND Unicode-3.0"]
    {
        assert!(is_allowed(good), "{good}");
    }
    for bad in ["", "GPL-3.0-only", "MIT AND GPL-3.0-only", "MPL-2.0", "(GPL-2.0 OR MPL-2.0) AND MIT"] {
        assert!(!is_allowed(bad), "{bad}");
    }
}

#[test]
fn sources() {
    for package in dependencies() {
        assert_eq!(package["source"], REGISTRY, "{}", package["name"]);
    }
}
