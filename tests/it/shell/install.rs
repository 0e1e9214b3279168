//! The scripts that build and install, and whether all texts for shells are well formed.

use crate::common::tools::installed;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::TestEnv;

#[test]
fn install_script_builds_and_updates_ait() {
    let env = TestEnv::new();
    for folder in ["tree/shell", "tools", "to"] {
        fs::create_dir_all(env.path(folder)).unwrap();
    }
    for script in ["install.sh", "build.sh"] {
        let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/shell")).join(script);
        fs::copy(source, env.path("tree/shell").join(script)).unwrap();
    }
    fs::write(env.path("tree/Cargo.toml"), "").unwrap();
    let install = |folder: &str| {
        let output = Command::new("/bin/sh")
            .arg(env.path("tree/shell/install.sh"))
            .env_clear()
            .env("PATH", format!("{}:{}", env.path("tools").display(), env.path("system").display()))
            .env("HOME", &env.home)
            .env("SHELL", "/bin/zsh")
            .env("AIT_INSTALL_DIR", env.path(folder))
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    // The system's own tools, and no cargo among them.
    fs::create_dir(env.path("system")).unwrap();
    for tool in ["dirname", "uname", "sed", "mkdir", "cp", "dd", "mv", "chmod", "rm", "cat", "sh"] {
        let real =
            ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(tool)).into_iter().find(|file| file.exists());
        std::os::unix::fs::symlink(real.unwrap(), env.path("system").join(tool)).unwrap();
    }
    let (done, _, said) = install("to");
    assert!(!done && said.starts_with("build.sh: cargo is not in PATH: install Rust"), "{said}");

    let tool = |name: &str, script: &str| {
        let file = env.path("tools").join(name);
        fs::write(&file, format!("#!/bin/sh\necho \"{name} $*\" >> \"$HOME/calls\"\n{script}")).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let build = "case $1 in metadata) echo '{\"target_directory\":\"'\"$HOME\"'/target\"}'; exit ;; esac\n\
                 case \"$*\" in *-musl*) last=$(uname -m)-unknown-linux-musl ;; *) last= ;; esac\n\
                 mkdir -p \"$HOME/target/$last/release\"; cp \"$HOME/built\" \"$HOME/target/$last/release/ait\"\n";
    tool("cargo", build);
    tool("rustc", "case $2 in sysroot) echo \"$HOME/rust\" ;; *) echo \"$HOME/libraries\" ;; esac\n");
    fs::write(env.path("built"), "#!/bin/sh\necho ait 1\n").unwrap();
    fs::set_permissions(env.path("built"), fs::Permissions::from_mode(0o755)).unwrap();
    if cfg!(target_os = "linux") {
        let (done, _, said) = install("to");
        assert!(!done && said.contains("no rustup to add it"), "{said}");
        tool("rustup", "[ \"$1\" = target ] && mkdir \"$HOME/libraries\"\n");
    }
    let (done, said, wrong) = install("to");
    assert!(done, "{wrong}");
    assert!(said.contains("/to/ait: ait 1\n") && said.contains("/to/ait setup\n"), "{said}");
    if cfg!(target_os = "linux") {
        let calls = fs::read_to_string(env.path("calls")).unwrap();
        assert_eq!(calls.matches("rustup target add").count(), 1, "{calls}");
        assert!(calls.contains("-unknown-linux-musl\n"), "{calls}");
    }
    // Run again, it updates, and says so; and leaves nothing else there.
    fs::write(env.path("built"), "#!/bin/sh\necho ait 2\n").unwrap();
    let (done, said, wrong) = install("to");
    assert!(done && said.contains("ait 2 (was ait 1)"), "{said}{wrong}");
    assert_eq!(fs::read_dir(env.path("to")).unwrap().count(), 1);
    // A folder that cannot be made.
    let (done, _, said) = install("built/in");
    assert!(!done && said.contains("install.sh: cannot make"), "{said}");
}

#[test]
fn shell_files_pass_the_syntax_check_and_shellcheck() {
    for (program, arguments) in [
        ("zsh", &["-n", "shell/ait.zsh"][..]),
        ("bash", &["-n", "shell/ait.bash"]),
        ("fish", &["-n", "shell/ait.fish"]),
        ("zsh", &["-n", "ait.plugin.zsh"]),
        ("fish", &["-n", "conf.d/ait.fish"]),
        ("sh", &["-n", "ait.tmux"]),
        ("sh", &["-n", "shell/install.sh"]),
        ("sh", &["-n", "shell/build.sh"]),
        ("shellcheck", &["shell/ait.bash", "ait.tmux", "shell/install.sh", "shell/build.sh"]),
    ] {
        if !installed(&[program]) {
            continue;
        }
        let checked = Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        assert!(checked.status.success() && checked.stdout.is_empty() && checked.stderr.is_empty(), "{checked:?}");
    }
}
