//! What is measured: `ait` as it is released, the floor below it, and its peers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The least that a process can cost.
pub(crate) struct Floor {
    pub(crate) program: PathBuf,
    /// What it is, for the table.
    pub(crate) description: &'static str,
}

/// Builds the floor in a folder: three instructions that only exit, or the next best thing on this system.
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
    let description = if assembly.is_some_and(|source| build("cc", "floor.s", &source, &["-nostdlib", "-static"])) {
        "three instructions, static"
    } else {
        let built = build("cc", "floor.c", "int main(void) { return 0; }\n", &["-O1"]);
        assert!(built, "the floor needs a C compiler");
        "a C main that returns 0, dynamic"
    };
    Floor { program, description }
}

/// Copies of `ait`.
pub(crate) struct Ait {
    /// The program that `AIT_BENCH_BINARY` names, else the release build.
    pub(crate) program: PathBuf,
    /// The release build with the system's allocator, to show what ait's own gains; or why there is none.
    pub(crate) system_allocator: Result<PathBuf, &'static str>,
}

/// Builds `ait` and copies it into a folder.
pub(crate) fn ait(folder: &Path) -> Ait {
    if let Some(named) = std::env::var_os("AIT_BENCH_BINARY") {
        let program = install(Path::new(&named), folder, "ait");
        return Ait { program, system_allocator: Err("AIT_BENCH_BINARY names the program to measure") };
    }
    // First, because both are built at the same path: what stays there is the released program.
    let variant = build(&["--features", "system-allocator"]);
    let variant = install(&variant, folder, "ait-system-allocator");
    Ait { program: install(&build(&[]), folder, "ait"), system_allocator: Ok(variant) }
}

/// Copies a program as `cargo install` does.
fn install(program: &Path, folder: &Path, name: &str) -> PathBuf {
    let installed = folder.join(name);
    fs::copy(program, &installed).unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    installed
}

/// Builds the released program and returns its path: on Linux a static binary.
fn build(more: &[&str]) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let mut command = Command::new(cargo);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit());
    command.args(["build", "--release", "--locked", "--bin", "ait", "--message-format=json-render-diagnostics"]);
    if cfg!(target_os = "linux") {
        command.args(["--target", &target]);
    }
    let built = command.args(more).output().expect("cargo");
    assert!(built.status.success(), "building ait failed");
    let executable = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    };
    String::from_utf8_lossy(&built.stdout).lines().filter_map(executable).next_back().expect("a program was built")
}

/// A program in the folders of `PATH`.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// A peer that `benches/peers.sh` installed, else one in the folders of `PATH`; and its version.
pub(crate) fn peer(name: &str) -> Option<(PathBuf, String)> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
    let installed = target.join("peers/bin").join(name);
    let program = if installed.is_file() { installed } else { find(name)? };
    let version = Command::new(&program).arg("--version").output().ok()?.stdout;
    let version = String::from_utf8_lossy(&version).split_whitespace().nth(1).unwrap_or("?").to_owned();
    Some((program, version))
}
