//! Programs that a test needs and a machine may lack. Such a test is skipped; on a CI machine it fails.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Ends a test early if a program is missing: `needs!("zsh", "tmux");` reports `skipped: no zsh`.
macro_rules! needs {
    ($($program:expr),+ $(,)?) => {
        if !$crate::common::tools::installed(&[$($program),+]) {
            return;
        }
    };
}
pub(crate) use needs;

/// Programs that exist on Linux only, or have other options elsewhere.
const LINUX_ONLY: [&str; 4] = ["strace", "unshare", "setpriv", "script"];

/// Whether all these programs can be used here. If not, reports the test as skipped, except with CI=true: there a missing
/// program is a failure, so that nothing is skipped unnoticed.
#[track_caller]
pub(crate) fn installed(programs: &[&str]) -> bool {
    let missing: Vec<&str> = programs.iter().copied().filter(|program| !works(program)).collect();
    let expected = |program: &&str| cfg!(target_os = "linux") || !LINUX_ONLY.contains(program);
    let is_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(
        !(is_ci && missing.iter().any(expected)),
        "no {}; `sh tests/run.sh install` installs what the tests need",
        missing.join(", no ")
    );
    missing.is_empty() || skipped(&format!("no {}", missing.join(", no ")))
}

/// Copies a program, in a process of its own: a process that another thread starts meanwhile would hold the copy open for
/// writing, and the kernel runs no such file.
pub(crate) fn copy_program(from: impl AsRef<OsStr>, to: &Path) {
    assert!(Command::new("cp").arg(from).arg(to).status().unwrap().success());
}

/// Whether the tests run as root. If not, reports the test as skipped; also with CI=true, where they rarely do.
pub(crate) fn is_root() -> bool {
    ait::sys::process::user_id() == 0 || skipped("not root")
}

/// Whether there is a browser that `tests/browser/inspect_page.py` knows. If not, reports the test as skipped; also with
/// CI=true, because not every distribution has a package of it, and it is larger than all else that the tests need.
pub(crate) fn has_browser() -> bool {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().any(works) || skipped("no Chromium")
}

/// The path of the ssh server. If there is none, reports the test as skipped; also with CI=true, because installing it
/// would start a server that listens to the network.
pub(crate) fn sshd() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    let found = folders.map(|folder| folder.join("sshd")).find(|file| file.is_file());
    if found.is_none() {
        skipped("no sshd");
    }
    found
}

/// Writes why the running test is skipped; returns `false`.
fn skipped(reason: &str) -> bool {
    let thread = std::thread::current();
    // Not `eprintln`: the harness hides its output, because the test passes.
    let _ = writeln!(std::io::stderr(), "{}: skipped: {reason}", thread.name().unwrap_or("a test"));
    false
}

/// Where a program is that `sh tests/run.sh install` brings, because no package of the system has it in this version; `None`
/// if it is not there.
pub(crate) fn brought(program: &str) -> Option<String> {
    let file = match program {
        "starship" => "starship-1.27.0/bin/starship",
        "nushell" => "nushell-0.115.1/bin/nu",
        "xonsh" => "xonsh-0.25.0/bin/xonsh",
        _ => return None,
    };
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    let file = cache.join("ait-tests").join(file);
    file.is_file().then(|| file.to_str().unwrap().to_owned())
}

/// Installed is not enough: a container may forbid tracing or namespaces.
fn works(program: &str) -> bool {
    let root = ait::sys::process::user_id() == 0;
    match program {
        "starship" | "nushell" | "xonsh" => brought(program).is_some(),
        "strace" => succeeds("strace", &["-qq", "-o", "/dev/null", "true"]),
        // Without root, a user namespace gives the right to mount.
        "unshare" => succeeds("unshare", &[if root { "-m" } else { "-Urm" }, "true"]),
        "script" => succeeds("script", &["-qec", "true", "/dev/null"]),
        _ => std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file())),
    }
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
