//! What is measured: `ait` as it is released, and the floor below it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The least that a process can cost.
pub(crate) struct Floor {
    pub(crate) program: PathBuf,
    /// What it is, for the table.
    pub(crate) made_of: &'static str,
}

/// Builds the floor in a folder: a few instructions that only exit, or the next best that can be had here.
pub(crate) fn floor(folder: &Path) -> Floor {
    let program = folder.join("floor");
    let build = |compiler: &str, name: &str, source: &str, arguments: &[&str]| {
        let source_file = folder.join(name);
        fs::write(&source_file, source).expect("the source of the floor");
        let built = Command::new(compiler).args(arguments).arg("-o").arg(&program).arg(&source_file).output();
        built.is_ok_and(|built| built.status.success())
    };
    let exit = if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        Some("mov $60, %eax\n\txor %edi, %edi\n\tsyscall")
    } else if cfg!(all(target_os = "linux", target_arch = "aarch64")) {
        Some("mov x8, #93\n\tmov x0, #0\n\tsvc #0")
    } else {
        None
    };
    let assembly = exit.map(|exit| format!(".globl _start\n_start:\n\t{exit}\n"));
    let made_of = if assembly.is_some_and(|source| build("cc", "floor.s", &source, &["-nostdlib", "-static"])) {
        "three instructions, static"
    } else if build("cc", "floor.c", "int main(void) { return 0; }\n", &["-O1"]) {
        "a C main that returns 0, dynamic"
    } else {
        let source = "#![no_main]\n#[unsafe(no_mangle)]\nextern \"C\" fn main() -> i32 {\n    0\n}\n";
        let arguments = ["--edition=2024", "-Copt-level=s", "-Cpanic=abort"];
        assert!(build("rustc", "floor.rs", source, &arguments), "the floor is built by cc or by rustc");
        "a Rust main that returns 0"
    };
    Floor { program, made_of }
}

/// The binary to measure: `AIT_BENCH_BINARY`, else the one that is released, built now if it is not there or not of
/// this source.
pub(crate) fn ait() -> PathBuf {
    if let Some(named) = std::env::var_os("AIT_BENCH_BINARY") {
        return PathBuf::from(named).canonicalize().expect("AIT_BENCH_BINARY names a program");
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/shell/build.sh");
    let built = Command::new("sh").arg(script).stderr(Stdio::inherit()).output().expect("a shell");
    assert!(built.status.success(), "ait is built by shell/build.sh");
    PathBuf::from(String::from_utf8_lossy(&built.stdout).trim_end())
}

/// A program in the usual folders, or none.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    ait::sys::process::find_program(name)
}
