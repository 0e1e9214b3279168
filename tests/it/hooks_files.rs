//! `ait hooks install | uninstall | list` on real files: links, modes, copies, other writers, scripts run by a real sh.
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::common::tools::needs;
use ait::claude::settings::{EVENTS, Registration};
use ait::commands::hooks::{self, Install, InstallPaths, Uninstall};
use ait::error::{Exit, Result};
use ait::render::ui::Ui;
use ait::report::Report;
use ait::sys::atomic_edit::{AtomicEdit, Change};

/// What a report writes.
#[derive(Debug)]
struct Output {
    stdout: String,
    stderr: String,
}

impl Output {
    fn of(report: &Report, json: bool) -> Output {
        Output { stdout: report.stdout(&Ui::default(), json), stderr: report.stderr() }
    }
}

/// A home of its own, gone with the test.
struct Home {
    paths: InstallPaths,
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = Command::new("chmod").args(["-R", "u+rwx"]).arg(self.home()).status();
        let _ = fs::remove_dir_all(self.home());
    }
}

impl Home {
    fn new() -> Home {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("ait-hooks-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let home = fs::canonicalize(std::env::temp_dir()).unwrap().join(name);
        fs::create_dir_all(home.join(".claude")).unwrap();
        fs::create_dir_all(home.join("my \"bin\" it's $HOME")).unwrap();
        let paths = InstallPaths {
            claude: home.join(".claude"),
            ait: home.join("my \"bin\" it's $HOME/ait"),
            managed: home.join("managed.json"),
            folder: Some(home.join("project")),
            home: Some(home),
            stamp: "20261122-180000".into(),
            client: None,
        };
        let home = Home { paths };
        // Says how it was called and what it was given.
        home.write_ait("#!/bin/sh\necho \"$@\" >>\"$AIT_OUT\"\ncat >>\"$AIT_OUT\"\n");
        home
    }

    fn home(&self) -> &Path {
        self.paths.home.as_deref().unwrap()
    }

    fn settings(&self) -> PathBuf {
        self.paths.claude.join("settings.json")
    }

    fn write_ait(&self, text: &str) {
        fs::write(&self.paths.ait, text).unwrap();
        fs::set_permissions(&self.paths.ait, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn write(&self, text: &str) {
        fs::write(self.settings(), text).unwrap();
    }

    fn read(&self) -> String {
        fs::read_to_string(self.settings()).unwrap()
    }

    fn install(&self, names: &[&str]) -> Result<Output> {
        let install = Install { names: strings(names), dry_run: false };
        hooks::install_in(&self.paths, &install).map(|installation| Output::of(&installation.report, false))
    }

    fn uninstall(&self, names: &[&str]) -> Result<Output> {
        let uninstall = Uninstall { names: strings(names), dry_run: false };
        hooks::uninstall_in(&self.paths, &uninstall).map(|report| Output::of(&report, false))
    }

    fn list(&self, json: bool) -> Output {
        let seen = "2026-11-22T18:00:00Z".parse().unwrap();
        let now = "2026-11-22T18:05:00Z".parse().unwrap();
        Output::of(&hooks::list_in(&self.paths, now, |event| (event == "Stop").then_some(seen)).unwrap(), json)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.paths.claude)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The command of an event, run as Claude Code runs it.
    fn fire(&self, event: &str) -> std::process::Output {
        let settings: serde_json::Value = serde_json::from_str(&self.read()).unwrap();
        let command = settings["hooks"][event][0]["hooks"][0]["command"].as_str().unwrap();
        let mut child = Command::new("/bin/sh")
            .args(["-c", command])
            .env("HOME", self.home())
            .env("AIT_OUT", self.home().join("out"))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Where nobody reads it, the pipe is closed by then.
        let _ = child.stdin.take().unwrap().write_all(format!("{{\"e\":\"{event}\"}}\n").as_bytes());
        child.wait_with_output().unwrap()
    }
}

/// The events that are registered whatever the client.
fn events() -> impl Iterator<Item = Registration> {
    EVENTS.into_iter().filter(|each| each.since.is_none())
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

const THEIRS: &str = "{\n    \"model\": \"opus\",\n    \"hooks\": {\n        \"Stop\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"bell\"}]}]\n    }\n}";

#[test]
fn every_command_hands_its_event_on() {
    let home = Home::new();
    home.install(&[]).unwrap();
    for Registration { event, hook, .. } in events() {
        let done = home.fire(event);
        assert!(done.status.success() && done.stdout.is_empty() && done.stderr.is_empty(), "{event}: {done:?}");
        let out = fs::read_to_string(home.home().join("out")).unwrap();
        assert_eq!(out, format!("hook {}\n{{\"e\":\"{event}\"}}\n", hook.name()));
        fs::remove_file(home.home().join("out")).unwrap();
    }
}

#[test]
fn commands_are_silent_where_ait_is_gone() {
    let home = Home::new();
    home.install(&[]).unwrap();
    let silent = |why: &str| {
        for Registration { event, .. } in events() {
            let done = home.fire(event);
            assert!(
                done.status.success() && done.stdout.is_empty() && done.stderr.is_empty(),
                "{why}, {event}: {done:?}"
            );
        }
    };
    fs::set_permissions(&home.paths.ait, fs::Permissions::from_mode(0o644)).unwrap();
    silent("not executable");
    fs::remove_file(&home.paths.ait).unwrap();
    silent("gone");
    fs::remove_dir(home.paths.ait.parent().unwrap()).unwrap();
    silent("its folder gone");
    // Settings that are shared with another machine, which has no scripts either.
    fs::remove_dir_all(home.paths.claude.join("hooks")).unwrap();
    silent("the scripts gone too");
}

#[test]
fn a_status_line_where_ait_is_gone_is_silent_and_one_that_it_wraps_still_runs() {
    let home = Home::new();
    let run = || {
        let settings: serde_json::Value = serde_json::from_str(&home.read()).unwrap();
        let command = settings["statusLine"]["command"].as_str().unwrap();
        let mut child = Command::new("/bin/sh")
            .args(["-c", command])
            .env("AIT_OUT", home.home().join("out"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(b"{}\n");
        let done = child.wait_with_output().unwrap();
        assert!(done.stderr.is_empty() && done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    };
    home.install(&["statusline"]).unwrap();
    run();
    assert_eq!(fs::read_to_string(home.home().join("out")).unwrap(), "statusline\n{}\n");

    let theirs = r#"read -r line; echo "it's $line" | cat"#;
    home.write(&serde_json::json!({"statusLine": {"type": "command", "command": theirs}}).to_string());
    home.install(&["statusline"]).unwrap();
    run();
    let out = fs::read_to_string(home.home().join("out")).unwrap();
    assert!(out.ends_with(&format!("statusline --then {theirs}\n{{}}\n")), "{out}");

    fs::remove_file(&home.paths.ait).unwrap();
    assert_eq!(run(), "it's {}\n");
    home.install(&["statusline"]).unwrap();
    home.uninstall(&["statusline"]).unwrap();
    home.install(&["statusline"]).unwrap();
    home.uninstall(&[]).unwrap();
    assert_eq!(run(), "it's {}\n");
    home.write("{}");
    home.install(&["statusline"]).unwrap();
    assert_eq!(run(), "");
}

#[test]
fn an_installation_that_fails_changes_nothing_at_all() {
    let failing = |why: &str, spoil: &dyn Fn(&Home)| {
        let home = Home::new();
        home.write(THEIRS);
        let script = home.paths.claude.join("hooks/session-register.sh");
        spoil(&home);
        let before = fs::read_dir(home.paths.claude.join("hooks")).ok().map(Iterator::count);
        let error = home.install(&[]).err().unwrap_or_else(|| panic!("{why}: it was installed")).to_string();
        assert_eq!(home.read(), THEIRS, "{why}: {error}");
        let after = fs::read_dir(home.paths.claude.join("hooks")).ok().map(Iterator::count);
        assert_eq!(after, before, "{why}: {error}");
        let left = fs::read_to_string(script).unwrap_or_default();
        assert!(!left.contains("hook session-register"), "{why}: {error}");
        let copies =
            |folder: &Path| fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name()).collect::<Vec<_>>();
        let names = copies(&home.paths.claude);
        assert!(names.iter().all(|name| !name.to_string_lossy().contains("backup")), "{why}: {names:?}");
    };
    let set_mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let hooks = |home: &Home| home.paths.claude.join("hooks");
    failing("a settings file that is read-only", &|home| set_mode(&home.settings(), 0o444));
    failing("a folder that is read-only", &|home| set_mode(&home.paths.claude, 0o555));
    failing("a link into a folder that is read-only", &|home| {
        let store = home.home().join("store");
        fs::create_dir(&store).unwrap();
        fs::rename(home.settings(), store.join("settings.json")).unwrap();
        symlink(store.join("settings.json"), home.settings()).unwrap();
        set_mode(&store.join("settings.json"), 0o444);
        set_mode(&store, 0o555);
    });
    failing("a file where the folder of scripts should be", &|home| fs::write(hooks(home), "").unwrap());
    // The first script is written by then.
    failing("a folder where the second script should be", &|home| {
        fs::create_dir_all(hooks(home).join("session-cleanup.sh")).unwrap();
    });
    failing("a folder where the second script should be, and somebody's own first one", &|home| {
        fs::create_dir_all(hooks(home).join("session-cleanup.sh")).unwrap();
        fs::write(hooks(home).join("session-register.sh"), "theirs\n").unwrap();
    });
}

#[test]
fn the_last_five_copies_of_the_settings_are_kept() {
    let mut home = Home::new();
    home.write(THEIRS);
    for second in 0..7 {
        home.paths.stamp = format!("20261122-18000{second}");
        home.install(&[]).unwrap();
        home.uninstall(&[]).unwrap();
    }
    let copies: Vec<String> = home.names().into_iter().filter(|name| name.contains("backup")).collect();
    let expected = ["4-2", "5", "5-2", "6", "6-2"];
    assert_eq!(copies, expected.map(|end| format!("settings.json.ait-backup-20261122-18000{end}")));
    assert_eq!(home.read(), THEIRS);
}

/// Dotfiles and containers mount a single file; nothing can be renamed over it.
#[test]
fn settings_that_are_a_mount_point_are_written_in_place_after_a_copy() {
    needs!("unshare");
    let home = Home::new();
    home.write(THEIRS);
    let root = ait::sys::process::user_id() == 0;
    let run = |words: &str| {
        let script = format!("mount --bind \"$1\" \"$1\" && exec {} hooks {words}", env!("CARGO_BIN_EXE_ait"));
        let done = Command::new("unshare")
            .args([if root { "-m" } else { "-Urm" }, "sh", "-c", &script, "sh"])
            .arg(home.settings())
            .env_clear()
            .envs([("HOME", home.home().to_str().unwrap()), ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), ("TZ", "UTC")])
            .output()
            .unwrap();
        assert!(done.status.success(), "{words}: {done:?}");
    };
    let inode = fs::metadata(home.settings()).unwrap().ino();
    run("install");
    assert!(home.read().contains("hook session-register"), "{}", home.read());
    assert_eq!(fs::metadata(home.settings()).unwrap().ino(), inode, "it is the same file");
    let copy = home.names().into_iter().find(|name| name.contains("backup")).unwrap();
    assert_eq!(fs::read_to_string(home.paths.claude.join(copy)).unwrap(), THEIRS);
    run("uninstall");
    assert_eq!(home.read(), THEIRS);
}

/// The manual installation: a script calls the `ait` in PATH, and is silent without one.
#[test]
fn scripts_copied_by_hand_call_the_ait_in_path() {
    let home = Home::new();
    for (name, hook) in [("session-register.sh", "session-register"), ("session-cleanup.sh", "session-cleanup")] {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("shell").join(name);
        let run = |path: &Path| {
            let path = format!("{}:/usr/bin:/bin", path.display());
            let out = home.home().join("out");
            Command::new("sh").arg(&script).env("PATH", path).env("AIT_OUT", out).stdin(Stdio::null()).output().unwrap()
        };
        let done = run(home.paths.ait.parent().unwrap());
        assert!(done.status.success() && done.stdout.is_empty() && done.stderr.is_empty(), "{done:?}");
        assert_eq!(fs::read_to_string(home.home().join("out")).unwrap(), format!("hook {hook}\n"));
        fs::remove_file(home.home().join("out")).unwrap();
        let done = run(home.home());
        assert!(done.status.success() && done.stdout.is_empty() && done.stderr.is_empty(), "{done:?}");
    }
}

#[test]
fn scripts_work_in_a_folder_of_any_name() {
    let mut home = Home::new();
    home.paths.claude = home.home().join("it's \"my\" $config");
    home.install(&[]).unwrap();
    for event in ["SessionStart", "SessionEnd"] {
        assert!(home.fire(event).status.success());
    }
    let out = fs::read_to_string(home.home().join("out")).unwrap();
    assert!(out.contains("hook session-register\n") && out.contains("hook session-cleanup\n"), "{out}");
    assert_eq!(mode(&home.paths.claude), 0o700);
    assert_eq!(mode(&home.settings()), 0o600);
    assert_eq!(mode(&home.paths.claude.join("hooks/session-register.sh")), 0o755);
}

#[test]
fn install_and_uninstall_keep_bytes_mode_and_copies() {
    let home = Home::new();
    home.write(THEIRS);
    fs::set_permissions(home.settings(), fs::Permissions::from_mode(0o640)).unwrap();
    let said = home.install(&[]).unwrap();
    let copy = home.paths.claude.join("settings.json.ait-backup-20261122-180000");
    assert_eq!(fs::read_to_string(&copy).unwrap(), THEIRS);
    assert_eq!((mode(&copy), mode(&home.settings())), (0o640, 0o640));
    assert!(said.stdout.contains("~/.claude/settings.json.ait-backup-20261122-180000"), "{}", said.stdout);
    let installed = home.read();

    let again = home.install(&[]).unwrap();
    assert!(again.stdout.contains("Nothing was changed"), "{}", again.stdout);
    assert_eq!(home.read(), installed);
    assert_eq!(home.names(), ["hooks", "settings.json", "settings.json.ait-backup-20261122-180000"]);

    let said = home.uninstall(&[]).unwrap().stdout;
    let copies = "Backups: 2, ~/.claude/settings.json.ait-backup-*. You can delete them.\n";
    assert!(said.ends_with(copies), "{said}");
    assert_eq!(home.read(), THEIRS);
    assert_eq!(fs::read_to_string(&copy).unwrap(), THEIRS, "an older copy is never overwritten");
    assert_eq!(fs::read_to_string(format!("{}-2", copy.display())).unwrap(), installed);
    assert_eq!(fs::read_dir(home.paths.claude.join("hooks")).unwrap().count(), 0);
    let left = home.uninstall(&[]).unwrap().stdout;
    assert!(left.contains("Nothing was changed") && !left.contains("delete"), "{left}");
}

#[test]
fn no_settings_before_and_none_after() {
    let home = Home::new();
    home.install(&["session-register", "session-cleanup", "statusline"]).unwrap();
    assert_eq!(mode(&home.settings()), 0o600);
    let said = home.uninstall(&[]).unwrap();
    assert!(!home.settings().exists(), "{}", said.stdout);
    assert!(said.stdout.contains("nothing was left in it"), "{}", said.stdout);
}

#[test]
fn links_stay_links() {
    let home = Home::new();
    let dotfiles = home.home().join("dotfiles");
    fs::create_dir(&dotfiles).unwrap();
    fs::write(dotfiles.join("claude.json"), THEIRS).unwrap();
    symlink("../dotfiles/claude.json", home.settings()).unwrap();
    home.install(&[]).unwrap();
    assert!(fs::symlink_metadata(home.settings()).unwrap().is_symlink());
    assert!(fs::read_to_string(dotfiles.join("claude.json")).unwrap().contains("session-register"));
    assert_eq!(home.names(), ["hooks", "settings.json"], "the copy lies beside the file itself");
    home.uninstall(&[]).unwrap();
    assert_eq!(fs::read_to_string(dotfiles.join("claude.json")).unwrap(), THEIRS);

    fs::remove_file(dotfiles.join("claude.json")).unwrap();
    let error = home.install(&[]).unwrap_err().to_string();
    assert!(error.contains("symlink to ../dotfiles/claude.json, which does not exist"), "{error}");
}

#[test]
fn a_link_to_a_file_of_ours_alone_keeps_its_file() {
    let home = Home::new();
    home.install(&[]).unwrap();
    fs::rename(home.settings(), home.home().join("moved.json")).unwrap();
    symlink(home.home().join("moved.json"), home.settings()).unwrap();
    home.uninstall(&[]).unwrap();
    assert_eq!(home.read(), "{}\n");
}

#[test]
fn what_cannot_be_changed_is_said_and_left() {
    let home = Home::new();
    home.write("{\n  \"a\": 1\n  \"b\": 2\n}\n");
    let error = home.install(&[]).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("settings.json: line 2, column 9: expected comma"), "{text}");
    assert_eq!(
        (home.read().as_str(), home.names()),
        ("{\n  \"a\": 1\n  \"b\": 2\n}\n", vec!["settings.json".to_owned()])
    );
    assert!(home.uninstall(&[]).unwrap_err().to_string().contains("line 2, column 9"));

    home.write(THEIRS);
    fs::set_permissions(home.settings(), fs::Permissions::from_mode(0o444)).unwrap();
    let text = home.install(&[]).unwrap_err().to_string();
    assert!(text.contains("it is read-only"), "{text}");
    assert_eq!(home.read(), THEIRS);
    assert!(home.names().iter().all(|name| !name.contains("backup") && !name.contains("tmp")), "{:?}", home.names());

    fs::remove_file(home.settings()).unwrap();
    fs::create_dir(home.settings()).unwrap();
    assert!(home.install(&[]).unwrap_err().to_string().contains("not a regular file"));
}

#[test]
fn a_folder_that_cannot_be_written_is_said() {
    // Root may write everywhere: then there is nothing to see here.
    if ait::sys::process::user_id() == 0 {
        return;
    }
    let home = Home::new();
    home.write(THEIRS);
    fs::set_permissions(&home.paths.claude, fs::Permissions::from_mode(0o555)).unwrap();
    let text = home.install(&[]).unwrap_err().to_string();
    assert!(text.contains("denied"), "{text}");
    assert_eq!((home.read().as_str(), home.names()), (THEIRS, vec!["settings.json".to_owned()]));
}

#[test]
fn another_writer_is_not_overwritten() {
    let home = Home::new();
    home.write("0");
    let path = home.settings();
    let careful = AtomicEdit { doing: "testing", path: &path, limit: 100, backup_suffix: ".copy", mode: None };
    let mut asked = 0;
    let done = careful
        .edit(|current| {
            asked += 1;
            // Twice somebody else writes between our reading and our writing, the second time by rename.
            match asked {
                1 => fs::write(&path, "1").unwrap(),
                2 => {
                    fs::write(path.with_extension("new"), "2").unwrap();
                    fs::rename(path.with_extension("new"), &path).unwrap();
                }
                _ => {}
            }
            Ok(Change::Write { bytes: [current.bytes.unwrap(), b"+"].concat(), backup: true })
        })
        .unwrap();
    assert_eq!((asked, home.read().as_str()), (3, "2+"));
    assert_eq!(fs::read_to_string(done.backup.unwrap()).unwrap(), "2");
    assert_eq!(home.names(), ["settings.json", "settings.json.copy"]);

    let error = careful
        .edit(|current| {
            fs::write(&path, [current.bytes.unwrap(), b"x"].concat()).unwrap();
            Ok(Change::Write { bytes: b"ours".to_vec(), backup: true })
        })
        .unwrap_err();
    assert!(error.to_string().contains("another program keeps writing to it"), "{error}");
    assert!(home.read().starts_with("2+xx"));
    assert_eq!(home.names(), ["settings.json", "settings.json.copy"]);

    // And where there was no file when we looked.
    fs::remove_file(&path).unwrap();
    let mut asked = 0;
    careful
        .edit(|current| {
            asked += 1;
            if asked == 1 {
                fs::write(&path, "theirs").unwrap();
            }
            Ok(Change::Write { bytes: [current.bytes.unwrap_or(b"none"), b"+"].concat(), backup: false })
        })
        .unwrap();
    assert_eq!(home.read(), "theirs+");
}

#[test]
fn a_script_of_somebody_else_comes_back() {
    let home = Home::new();
    let script = home.paths.claude.join("hooks/session-register.sh");
    fs::create_dir(home.paths.claude.join("hooks")).unwrap();
    fs::write(&script, "#!/bin/sh\necho theirs\n").unwrap();
    let said = home.install(&[]).unwrap();
    assert!(
        said.stderr
            .contains("was not written by ait; it was renamed to ~/.claude/hooks/session-register.sh.ait-backup-"),
        "{}",
        said.stderr
    );
    assert!(fs::read_to_string(&script).unwrap().contains("hook session-register"));
    assert_eq!(mode(&script), 0o755);
    home.uninstall(&[]).unwrap();
    assert_eq!(fs::read_to_string(&script).unwrap(), "#!/bin/sh\necho theirs\n");
    // It is not ours: a further uninstall leaves it.
    let said = home.uninstall(&[]).unwrap();
    assert!(said.stderr.contains("was not removed: ait did not write it"), "{}", said.stderr);
    assert!(script.exists());
}

/// An `ait` that is killed in the middle of a write leaves its temporary file; the next one takes it away, and no other.
#[test]
fn what_a_killed_one_left_is_swept() {
    let home = Home::new();
    home.install(&[]).unwrap();
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let scripts = home.paths.claude.join("hooks");
    let (script, settings) =
        (format!(".session-register.sh.{}.0.tmp", gone.id()), format!(".settings.json.{}.1.tmp", gone.id()));
    let ours = [scripts.join(script), home.paths.claude.join(settings)];
    let others = [scripts.join(format!(".their.sh.{}.0.tmp", gone.id())), home.paths.claude.join(".settings.json.tmp")];
    for file in ours.iter().chain(&others) {
        fs::write(file, "half").unwrap();
        let touched = Command::new("touch").args(["-d", "2 minutes ago"]).arg(file).status().unwrap();
        assert!(touched.success());
    }
    home.install(&[]).unwrap();
    assert!(ours.iter().all(|file| !file.exists()) && others.iter().all(|file| file.exists()));
}

#[test]
fn dry_run_shows_a_diff_that_patch_can_apply() {
    let home = Home::new();
    home.write(THEIRS);
    let dry =
        Output::of(&hooks::install_in(&home.paths, &Install { names: vec![], dry_run: true }).unwrap().report, false);
    assert_eq!((home.read().as_str(), home.names()), (THEIRS, vec!["settings.json".to_owned()]));
    assert!(dry.stdout.contains("+++ ") && dry.stdout.contains("@@ -"), "{}", dry.stdout);
    if let Ok(mut patch) = Command::new("patch").args(["-p0", "-s", "-d/"]).stdin(Stdio::piped()).spawn() {
        patch.stdin.take().unwrap().write_all(dry.stdout.as_bytes()).unwrap();
        assert!(patch.wait().unwrap().success());
        let patched = home.read();
        home.write(THEIRS);
        home.install(&[]).unwrap();
        assert_eq!(patched, home.read());
    } else {
        home.install(&[]).unwrap();
    }
    let dry =
        Output::of(&hooks::uninstall_in(&home.paths, &Uninstall { names: vec![], dry_run: true }).unwrap(), false);
    assert!(dry.stdout.contains("+++ /dev/null\n"), "{}", dry.stdout);
    let dry =
        Output::of(&hooks::install_in(&home.paths, &Install { names: vec![], dry_run: true }).unwrap().report, false);
    assert_eq!(dry.stdout, "Nothing would be changed.\n");
}

#[test]
fn dry_run_remarks_are_in_the_conditional_and_the_file_is_unchanged() {
    let home = Home::new();
    home.write(
        r#"{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "ait hook session-cleanup"}]}],
            "SessionStart": [{"type": "command", "command": "ait hook session-register"}]}}"#,
    );
    let before = home.read();
    let install = Install { names: vec![], dry_run: true };
    let dry = Output::of(&hooks::install_in(&home.paths, &install).unwrap().report, false);
    for wanted in ["would move session-cleanup from Stop", "line 2: would repair the entry under SessionStart"] {
        assert!(dry.stderr.contains(wanted), "{}", dry.stderr);
    }
    assert_eq!(home.read(), before);
    let done = home.install(&[]).unwrap();
    assert!(done.stderr.contains("ait: moved session-cleanup from Stop"), "{}", done.stderr);
    assert!(!done.stderr.contains("would"), "{}", done.stderr);
}

#[test]
fn names_that_do_not_exist() {
    let home = Home::new();
    let error = home.install(&["sesion-register"]).unwrap_err();
    assert_eq!(error.code(), Exit::NotFound);
    let text = error.to_string();
    assert!(text.contains("session-register, session-cleanup, statusline; did you mean `session-register`?"), "{text}");
    assert!(home.names().is_empty());
}

#[test]
fn list_says_what_is_there() {
    let home = Home::new();
    let none = home.list(false).stdout;
    assert!(none.contains("type: ait hooks install\n") || none.contains("Type: ait hooks install\n"), "{none}");
    home.install(&[]).unwrap();
    let all = home.list(false).stdout;
    assert!(!all.contains("Type: ait hooks install\n"), "{all}");
    let stop = all.lines().find(|line| line.contains(" Stop ")).unwrap();
    assert!(stop.contains("yes") && stop.contains("5m ago"), "{all}");
    // Each command once and in short, and nothing wider than a terminal.
    let (_, commands) = all.split_once("\nIn ~/.claude/settings.json, which runs\n").unwrap();
    let commands: Vec<&str> = commands.lines().take(3).map(str::trim).collect();
    let program = r#"~/my "bin" it's $HOME/ait hook session-register"#;
    let scripts = ["~/.claude/hooks/session-register.sh", "~/.claude/hooks/session-cleanup.sh"];
    assert_eq!(commands, [scripts[0], program, scripts[1]], "{all}");
    assert!(all.lines().all(|line| line.chars().count() <= 80), "{all}");

    let json: serde_json::Value = serde_json::from_str(&home.list(true).stdout).unwrap();
    assert_eq!(json["schema_version"], 1);
    let rows = json["hooks"].as_array().unwrap();
    assert_eq!(rows.len(), events().count() + 1);
    let stop = rows.iter().find(|row| row["event"] == "Stop").unwrap();
    assert_eq!((&stop["name"], &stop["installed"]), (&"session-register".into(), &true.into()));
    assert_eq!(stop["last_seen"], "2026-11-22T18:00:00Z");
    assert_eq!(rows.last().unwrap()["installed"], false);

    fs::remove_file(home.paths.claude.join("hooks/session-cleanup.sh")).unwrap();
    fs::write(&home.paths.managed, "{\"allowManagedHooksOnly\": true}").unwrap();
    fs::create_dir_all(home.home().join("project/.claude")).unwrap();
    fs::copy(home.settings(), home.home().join("project/.claude/settings.local.json")).unwrap();
    home.write(&home.read().replacen('{', "{\n  \"disableAllHooks\": true,", 1));
    let said = home.list(false).stderr;
    for part in
        ["session-cleanup.sh is missing", "allowManagedHooksOnly", "in this project's settings too", "disableAllHooks"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_newer_place_of_ait_is_brought_up_to_date() {
    let mut home = Home::new();
    home.write(THEIRS);
    home.install(&["session-register", "session-cleanup", "statusline"]).unwrap();
    home.paths.ait = home.home().join("ait");
    home.write_ait("#!/bin/sh\n");
    assert!(home.list(false).stdout.contains("outdated"));
    home.install(&["session-register", "session-cleanup", "statusline"]).unwrap();
    assert!(!home.read().contains("my \\\"bin"), "{}", home.read());
    assert!(!home.list(false).stdout.contains("outdated"));
    let script = fs::read_to_string(home.paths.claude.join("hooks/session-cleanup.sh")).unwrap();
    assert!(script.contains(&format!("ait='{}'\n", home.paths.ait.display())), "{script}");
    home.uninstall(&[]).unwrap();
    assert_eq!(home.read(), THEIRS);
}
