//! The files for package managers agree with `Cargo.toml`.

use std::fs;
use std::path::Path;

use argh::CommandInfoWithArgs;

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[test]
fn every_package_has_the_version_and_the_address_of_the_crate() {
    let version = env!("CARGO_PKG_VERSION");
    assert!(read("packages/homebrew/ait-sessions.rb").contains(&format!("\n  version \"{version}\"\n")));
    assert!(read("packages/aur/PKGBUILD").contains(&format!("\npkgver={version}\n")));
    let repository = env!("CARGO_PKG_REPOSITORY");
    let address = |text: &str| repository.len() > 20 && text.contains(repository);
    for name in ["packages/homebrew/ait-sessions.rb", "packages/aur/PKGBUILD", "packages/npm/pack.sh"] {
        assert!(address(&read(name)), "{name}");
    }
    // The names of all three archives are those that `cargo binstall` and the formula ask for.
    for target in ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl", "universal-apple-darwin"] {
        for name in
            ["Cargo.toml", "packages/homebrew/ait-sessions.rb", "packages/npm/pack.sh", ".github/workflows/release.yml"]
        {
            assert!(read(name).contains(target), "{name}: {target}");
        }
    }
}

#[test]
fn every_completion_file_is_in_every_package() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<String> = names.collect();
    assert_eq!(names.len(), 6, "{names:?}");
    for name in names {
        let path = format!("completions/{name}");
        for file in ["packages/homebrew/ait-sessions.rb", "packages/aur/PKGBUILD", "flake.nix"] {
            assert!(read(file).contains(&path), "{file}: {path}");
        }
        assert_eq!(read("Cargo.toml").matches(&format!("\"{path}\"")).count(), 2, "{path}");
    }
    // These two take the whole folder.
    for file in ["packages/archive.sh", "packages/npm/pack.sh"] {
        assert!(read(file).contains("/completions"), "{file}");
    }
}

#[test]
fn the_manual_page_has_every_command_and_option() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_ait")).arg("man").output().unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    fn check(page: &str, path: &str, command: &CommandInfoWithArgs) {
        for inner in &command.commands {
            check(page, &format!("{path} {}", inner.name), &inner.command);
        }
        if command.commands.is_empty() {
            assert!(page.contains(&format!("\n.SS {}\n", path.replace('-', "\\-"))), "{path}");
        }
        for flag in command.flags.iter().filter(|flag| !flag.hidden && command.commands.is_empty()) {
            assert!(page.contains(&flag.long.replace('-', "\\-")), "{path} {}", flag.long);
        }
    }
    check(&page, "ait", &ait::cli::description());
    // No line of text that the formatter takes for a request.
    let requests = [".TH ", ".SH ", ".SS ", ".B ", ".I ", ".TP", ".PP", ".nf", ".fi", "[\\fI"];
    for line in page.lines().filter(|line| line.starts_with(['.', '\''])) {
        assert!(requests.iter().any(|request| line.starts_with(request)), "{line}");
    }
}
