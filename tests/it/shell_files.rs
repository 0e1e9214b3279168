//! The shell files of the repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::tools::installed;

/// All files below a folder of the repository.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

/// Each shell file is parsed by the shell that it is written for.
#[test]
fn each_shell_file_parses_in_its_shell() {
    let mut broken = Vec::new();
    let mut seen = 0;
    for file in [files("shell"), files("tests"), files("benches"), files(".ci")].concat() {
        let text = fs::read(&file).unwrap();
        let first = String::from_utf8_lossy(text.split(|byte| *byte == b'\n').next().unwrap()).into_owned();
        let kind = file.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        // The first line decides, then the extension.
        let shell = match (first.strip_prefix("#!"), kind) {
            (Some(line), "sh" | "bash" | "zsh" | "fish" | "tmux" | "") => {
                line.trim().rsplit(['/', ' ']).next().unwrap()
            }
            (None, "sh" | "bash" | "zsh" | "fish") => kind,
            _ => continue,
        };
        seen += 1;
        if !installed(&[shell]) {
            continue;
        }
        let output = Command::new(shell).arg("-n").arg(&file).output().unwrap_or_else(|why| panic!("{shell}: {why}"));
        if !output.status.success() || !output.stderr.is_empty() {
            broken.push(format!("{}: {}", file.display(), String::from_utf8_lossy(&output.stderr)));
        }
    }
    assert!(seen > 5, "only {seen} shell files found");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
