//! `ait setup` and `ait uninstall` in homes of all kinds.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use crate::common::tools::{self, brought, installed, needs};
use crate::common::{AIT, TestEnv};

/// Every path below a folder with its mode and content.
fn tree(folder: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut all = BTreeMap::new();
    let mut next = vec![folder.to_owned()];
    while let Some(folder) = next.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let content = if meta.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            all.insert(path.display().to_string(), (meta.permissions().mode(), content));
            if meta.is_dir() {
                next.push(path);
            }
        }
    }
    all
}

/// A home in which zsh, bash, fish, tmux and Claude Code are used, with files that end in different ways.
fn used(env: &TestEnv) {
    env.write_file(".zshrc", "setopt autocd\n");
    env.write_file(".bashrc", "alias ll='ls -l'");
    env.write_file(".config/fish/config.fish", "set -g x 1\n");
    env.write_file(".tmux.conf", "set -g mouse on\r\n");
    env.write_file(".config/elvish/rc.elv", "# mine\n");
    env.write_file(".config/nushell/config.nu", "# mine\n");
    env.write_file(".xonshrc", "# mine");
    env.write_file(".config/starship.toml", "# mine\n[line_break]\ndisabled = true");
    env.write_file(".claude/settings.json", "{\"model\": \"opus\"}\n");
}

const ALL: &str = "setup --yes --only zsh,bash,fish,nushell,elvish,xonsh,tmux,starship,claude";

fn text(env: &TestEnv, name: &str) -> String {
    fs::read_to_string(env.path(name)).unwrap()
}

#[test]
fn uninstall_after_setup_leaves_the_home_byte_identical() {
    for prepare in [used, |_: &TestEnv| {}, |env: &TestEnv| drop(env.write_file(".bashrc", ""))] {
        let env = TestEnv::new();
        prepare(&env);
        let before = tree(&env.path("."));
        let said = env.run(ALL);
        assert_eq!(said.exit_code, Some(0), "{said:?}");
        for name in [".zshrc", ".bashrc", ".config/fish/conf.d/ait.fish"] {
            assert!(text(&env, name).contains(" init "), "{name}");
        }
        assert!(text(&env, ".config/starship.toml").contains("[custom.ait]"));
        assert!(text(&env, ".claude/settings.json").contains("session-register"));
        assert!(text(&env, ".local/share/man/man1/ait.1").starts_with(".TH AIT 1 "));
        env.run("uninstall --yes").success();
        assert_eq!(tree(&env.path(".")), before);
    }
}

#[test]
fn setup_twice_changes_nothing_the_second_time() {
    let env = TestEnv::new();
    used(&env);
    env.run(ALL);
    let before = tree(&env.path("."));
    let again = env.run(ALL).success();
    assert!(again.starts_with("Nothing to change: ait is set up.\n"), "{again}");
    assert_eq!(tree(&env.path(".")), before);
    assert!(env.run("setup --dry-run").success().starts_with("Nothing would be changed.\n"));
}

#[test]
fn dry_run_shows_the_changes_and_makes_none() {
    let env = TestEnv::new();
    used(&env);
    let before = tree(&env.path("."));
    let shown = env.run("setup --dry-run --only bash,claude").success();
    assert!(shown.contains("/.bashrc\n@@ -1 +1,") && shown.contains("\"hooks\": {"), "{shown}");
    assert!(!shown.contains(".zshrc"), "{shown}");
    // Nobody can be asked.
    let refused = "asking for confirmation: standard input: not a terminal; nothing was changed; add --yes, or --dry-run \
                   to see the changes";
    env.run("setup").failure(2, refused);
    let unknown = "reading the command line: --only csh: unknown name; use some of: zsh,bash,fish,nushell,elvish,xonsh,tmux,\
                   starship,claude";
    env.run("setup --only csh").failure(2, unknown);
    env.run("setup --yes --only ,").failure(2, "reading the command line: --only: no name");
    assert_eq!(tree(&env.path(".")), before);
    env.run(ALL);
    let installed = tree(&env.path("."));
    let shown = env.run("uninstall --dry-run").success();
    assert!(
        shown.contains("-alias ll='ls -l'\n") && shown.contains("remove ~/.config/fish/conf.d/ait.fish"),
        "{shown}"
    );
    env.run("uninstall").failure(2, refused);
    assert_eq!(tree(&env.path(".")), installed);
}

/// A user who is not in the group of a file cannot replace it by one of the same group.
#[test]
fn a_file_whose_group_cannot_be_kept_stays_and_the_lines_to_add_are_shown() {
    needs!("setpriv");
    if !tools::is_root() {
        return;
    }
    let env = TestEnv::new();
    let program = env.path("ait");
    tools::copy_program(AIT, &program);
    let zshrc = env.write_file(".zshrc", "# mine\n");
    let bashrc = env.write_file(".bashrc", "# mine\n");
    for (path, group) in [(env.path(""), 65534), (zshrc, 0), (bashrc, 65534)] {
        chown(path, Some(65534), Some(group)).unwrap();
    }
    let mut command = env.ait().command("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
    let output = command.args(["setup", "--yes", "--only", "zsh,bash"]).output().unwrap();
    let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{said}{error}");
    assert!(error.contains(".zshrc: Operation not permitted"), "{error}");
    assert!(said.contains("zsh: ~/.zshrc is unchanged. Add by hand:\n\n    ") && said.contains("init zsh"), "{said}");
    assert!(said.contains("type: exec bash\n"), "only what was changed is loaded: {said}");
    assert_eq!(text(&env, ".zshrc"), "# mine\n");
    assert!(text(&env, ".bashrc").contains("init bash"));
}

#[test]
fn files_that_cannot_be_written_stay_and_the_lines_to_add_are_shown() {
    let env = TestEnv::new();
    // As home-manager does it.
    env.write_file("store/zshrc", "# generated\n");
    fs::set_permissions(env.path("store/zshrc"), fs::Permissions::from_mode(0o444)).unwrap();
    symlink(env.path("store/zshrc"), env.path(".zshrc")).unwrap();
    env.write_file(".bashrc", "# read-only\n");
    fs::set_permissions(env.path(".bashrc"), fs::Permissions::from_mode(0o444)).unwrap();
    // As stow does it.
    env.write_file("dotfiles/tmux.conf", "set -g mouse on\n");
    symlink("dotfiles/tmux.conf", env.path(".tmux.conf")).unwrap();
    let said = env.run("setup --yes --only zsh,bash,tmux").success();
    assert!(
        said.contains("zsh: ~/.zshrc, a link to ~/store/zshrc, cannot be written. Where it is generated from, add:\n"),
        "{said}"
    );
    assert!(said.contains("bash: ~/.bashrc cannot be written.") && said.contains("    if [ -x "), "{said}");
    assert_eq!(text(&env, ".zshrc"), "# generated\n");
    assert_eq!(text(&env, ".bashrc"), "# read-only\n");
    // The link stays, and what it leads to is changed.
    assert_eq!(fs::read_link(env.path(".tmux.conf")).unwrap(), Path::new("dotfiles/tmux.conf"));
    assert!(text(&env, "dotfiles/tmux.conf").contains("init tmux --plugin"));
    env.run("uninstall --yes").success();
    assert_eq!(text(&env, "dotfiles/tmux.conf"), "set -g mouse on\n");
    assert_eq!(fs::read_dir(env.path("dotfiles")).unwrap().count(), 1);
}

#[test]
fn setup_leaves_a_line_that_already_loads_ait_and_uninstall_removes_it() {
    let env = TestEnv::new();
    env.write_file(".zshrc", "a=1\neval \"$(ait init zsh)\"\nb=2\n");
    env.write_file(".bashrc", "x=1; eval \"$(ait init bash)\"\n");
    env.write_file(".config/fish/config.fish", "ait init fish | source\n");
    let tmux = env.run("init tmux").success();
    env.write_file(".tmux.conf", &format!("set -g mouse on\n{tmux}"));
    let said = env.run("setup --yes --only zsh,bash,fish,tmux").success();
    for line in
        ["zsh: ~/.zshrc already loads ait, line 2\n", "fish: ~/.config/fish/config.fish already loads ait, line 1\n"]
    {
        assert!(said.contains(line), "{said}");
    }
    assert!(text(&env, ".zshrc").starts_with("a=1\neval"));
    env.run("uninstall --yes").success();
    assert_eq!(text(&env, ".zshrc"), "a=1\nb=2\n");
    assert_eq!(text(&env, ".config/fish/config.fish"), "");
    assert_eq!(text(&env, ".tmux.conf"), "set -g mouse on\n");
    // A line that does something else too is the user's.
    assert_eq!(text(&env, ".bashrc"), "x=1; eval \"$(ait init bash)\"\n");
}

#[test]
fn uninstall_keeps_what_the_user_wrote_since_and_the_sessions() {
    let env = TestEnv::new();
    used(&env);
    env.run("setup --yes --only zsh,bash");
    let zshrc = format!("first\n{}last\n", text(&env, ".zshrc"));
    fs::write(env.path(".zshrc"), &zshrc).unwrap();
    env.write_manifest(
        "6425757d-2548-4fb2-9ce2-2c43e134d597",
        std::process::id(),
        &env.path("."),
        serde_json::json!({}),
    );
    let said = env.run("uninstall --yes").success();
    assert_eq!(text(&env, ".zshrc"), "first\nsetopt autocd\nlast\n");
    assert!(said.contains("Shells that are open show the segment until you close them.\n"), "{said}");
    assert!(said.contains("Your sessions are still in ~/.claude/sessions/active"), "{said}");
    assert_eq!(env.active_ids().len(), 1);
    // The copies of a file that differs from all of them stay.
    let copies = fs::read_dir(env.path("."))
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".zshrc.ait-backup-"));
    assert_eq!(copies.count(), 2);
    env.run("uninstall --yes --history").success();
    assert!(!env.path(".claude/sessions").join("active").exists());
}

#[test]
fn damaged_marks_are_an_error_and_change_nothing() {
    let env = TestEnv::new();
    let damaged = "# >>> ait: added by `ait setup`, removed by `ait uninstall` >>>\nmine\n";
    env.write_file(".zshrc", damaged);
    for command in ["setup --yes --only zsh", "uninstall --yes"] {
        let said = env.run(command);
        assert_eq!(said.exit_code, Some(1), "{said:?}");
        assert!(said.stderr.contains("the last line that `ait setup` added is missing; repair the file"), "{said:?}");
        assert_eq!(text(&env, ".zshrc"), damaged);
    }
}

/// Of a package that has them, completions and the manual page are already there.
#[test]
fn completions_of_a_package_are_not_written_again() {
    let env = TestEnv::new();
    let program = env.path("usr/bin/ait");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    tools::copy_program(AIT, &program);
    env.write_file("usr/share/man/man1/ait.1.gz", "");
    let completions = ".config/nushell/autoload/ait-completions.nu";
    // nushell looks into folders of its own: there the first package has no file.
    for is_for_nushell in [false, true] {
        if is_for_nushell {
            env.run("uninstall --yes").success();
            env.write_file("usr/share/nushell/vendor/autoload/ait.nu", "");
        }
        let mut command = env.ait().command(&program);
        command.args(["setup", "--yes", "--only", "bash,fish,nushell"]);
        let set_up = command.env("XDG_DATA_DIRS", env.path("usr/share")).output().unwrap();
        assert!(set_up.status.success(), "{set_up:?}");
        assert!(text(&env, ".bashrc").contains("ait\" init bash"));
        assert!(!env.path(".local").exists() && !env.path(".config/fish/completions").exists());
        assert_eq!(env.path(completions).exists(), !is_for_nushell);
    }
}

#[test]
fn powerlevel10k_gets_the_variable_only() {
    let env = TestEnv::new();
    env.write_file(".zshrc", "source ~/powerlevel10k/powerlevel10k.zsh-theme\n");
    let said = env.run("setup --yes --only zsh").success();
    assert!(said.contains("powerlevel10k: add ait to its elements"), "{said}");
    assert!(text(&env, ".zshrc").contains(" init zsh --manual)"));
}

/// Sets up these shells for a copy of the program, which can be removed.
fn set_up_copy(env: &TestEnv, shells: &str) -> PathBuf {
    used(env);
    let program = env.path("bin/ait");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    tools::copy_program(AIT, &program);
    let set_up = env.ait().command(&program).args(["setup", "--yes", "--only", shells]).output().unwrap();
    assert!(set_up.status.success(), "{set_up:?}");
    program
}

/// Shells start without a word after the program was removed without `ait uninstall`.
#[test]
fn shells_are_silent_after_the_program_is_gone() {
    let env = TestEnv::new();
    let program = set_up_copy(&env, "zsh,bash,fish");
    let run = |shell: &str| {
        let script = if shell == "fish" {
            "functions -q __ait_setup; and echo loaded"
        } else {
            "typeset -f ait_segment >/dev/null && echo loaded; command -v ait"
        };
        env.ait().command(shell).args(["-i", "-c", script]).env("TERM", "dumb").output().unwrap()
    };
    let shells: Vec<&str> = ["zsh", "bash", "fish"].into_iter().filter(|shell| installed(&[shell])).collect();
    for shell in &shells {
        let output = run(shell);
        assert!(String::from_utf8_lossy(&output.stdout).starts_with("loaded\n"), "{shell}: {output:?}");
    }
    fs::remove_file(&program).unwrap();
    for shell in &shells {
        let output = run(shell);
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert!(!said.contains("ait"), "{shell}: {said}");
    }
}

/// The same for the startup files of nushell, elvish and xonsh, read as scripts: interactive, they need a terminal.
#[test]
fn startup_files_of_other_shells_are_silent_after_the_program_is_gone() {
    let env = TestEnv::new();
    let program = set_up_copy(&env, "nushell,elvish,xonsh");
    fs::remove_file(&program).unwrap();
    for (shell, options, file) in [
        ("nushell", &["--no-config-file"][..], ".config/nushell/autoload/ait.nu"),
        ("elvish", &["-norc"], ".config/elvish/rc.elv"),
        ("xonsh", &["--no-rc"], ".xonshrc"),
    ] {
        if !installed(&[shell]) {
            continue;
        }
        assert!(text(&env, file).contains("bin/ait"), "{shell}");
        let name = brought(shell).unwrap_or_else(|| shell.to_owned());
        let output = env.ait().command(&name).args(options).arg(env.path(file)).output().unwrap();
        assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{shell}: {output:?}");
    }
}
