//! What happens while a shell shows a segment, with the real program and real hooks: each change is seen at the next
//! prompt, and between two changes no process is started.

use crate::common::tools::installed;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::typed::Typed;
use super::{SHELLS, TestEnv as ShellEnv};
use crate::common::{AIT, Client, TestEnv};

const ONE: &str = "11111111-1111-4111-8111-111111111111";
const TWO: &str = "22222222-2222-4222-8222-222222222222";

/// A repository with sessions, and a home for shells in which each call of `ait` is counted.
pub(super) struct Fixture {
    pub(super) env: TestEnv,
    pub(super) shells: ShellEnv,
    pub(super) shop: PathBuf,
}

impl Fixture {
    pub(super) fn new() -> Fixture {
        let env = TestEnv::new();
        env.create_dir(".claude/sessions/active");
        let shells = ShellEnv::at(env.path(""));
        shells.program(&format!("#!/bin/sh\necho x >> \"$HOME/calls\"\nexec '{AIT}' \"$@\"\n"));
        let shop = env.repository("shop");
        Fixture { env, shells, shop }
    }

    /// A shell in the repository, with a format that shows everything that can change.
    fn shell<'a>(&'a self, shell: &'a str) -> Typed<'a> {
        self.shell_in("outer", shell)
    }

    fn shell_in<'a>(&'a self, terminal: &'static str, shell: &'a str) -> Typed<'a> {
        let mut typed = Typed::open_in(&self.shells, terminal, shell, "");
        typed.line("cd shop");
        typed.line(&typed.export("AIT_FORMAT", "{project}:{branch}:{state}:{task}:{conflict}"));
        typed
    }

    fn event(&self, client: &Client, event: &str, more: Value) {
        self.env.send_event(client, event, ONE, &self.shop, more);
    }

    fn task(&self, id: &str, task: &str) {
        self.env.ait().run_args(&["sessions", "task", "--session", id, task]).success();
    }

    fn caches(&self) -> PathBuf {
        self.env.path(".cache/ait")
    }

    fn runtime(&self) -> PathBuf {
        self.env.path("run")
    }
}

impl Typed<'_> {
    /// The segment after a change, which must stay the same without another process.
    #[track_caller]
    fn shows(&mut self, scene: &Fixture, what: &str, wanted: &str) {
        assert_eq!(self.line(""), wanted, "{}: {what}", self.shell);
        let before = scene.shells.calls();
        // A minute, or the five seconds of a waiting session, may end in between.
        let mut same = false;
        for _ in 0..3 {
            assert_eq!(self.line(""), wanted, "{}: {what}, again", self.shell);
            same |= scene.shells.calls() == before;
        }
        assert!(same, "{}: {what}: asked at each prompt", self.shell);
    }
}

#[test]
fn each_change_of_a_session_is_seen_at_the_next_prompt() {
    for shell in SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let scene = Fixture::new();
        let mut typed = scene.shell(shell);
        assert_eq!(typed.line(""), "", "{shell}");
        assert_eq!(scene.shells.calls(), 0, "{shell}: nothing is live");
        let one = Client::new();
        scene.env.start_session(&one, ONE, &scene.shop);
        typed.shows(&scene, "a session starts", "shop:main:idle::");
        scene.event(&one, "UserPromptSubmit", json!({"prompt": "Fix the till"}));
        typed.shows(&scene, "it works", "shop:main:working:Fix the till:");
        scene.event(
            &one,
            "Notification",
            json!({"notification_type": "permission_prompt", "message": "Claude needs your permission to use Bash"}),
        );
        typed.shows(&scene, "it waits", "shop:main:waiting:Fix the till:");
        scene.event(&one, "PreToolUse", json!({"tool_name": "Bash", "tool_input": {"command": "true"}}));
        typed.shows(&scene, "it works again", "shop:main:working:Fix the till:");
        scene.task(ONE, "Fix the door");
        typed.shows(&scene, "it gets a task", "shop:main:working:Fix the door:");

        let two = Client::new();
        scene.env.start_session(&two, TWO, &scene.shop);
        typed.shows(&scene, "a conflict", "shop:main:working:Fix the door:⚠2");
        two.kill();
        typed.shows(&scene, "the other one is killed", "shop:main:working:Fix the door:");

        scene.env.git(&scene.shop, "switch --quiet -c another");
        typed.shows(&scene, "another session's checkout", "shop:another:working:Fix the door:");
        assert_eq!(
            typed.line("git switch --quiet main"),
            "shop:main:working:Fix the door:",
            "{shell}: git switch here"
        );
        scene.env.git(&scene.shop, "checkout --quiet --detach");
        assert!(!typed.line("").contains("main"), "{shell}: a detached HEAD");
        scene.env.git(&scene.shop, "switch --quiet main");
        typed.shows(&scene, "back on the branch", "shop:main:working:Fix the door:");

        scene.env.run("sessions prune").success();
        scene.env.end_session(&one, ONE, &scene.shop, "prompt_input_exit");
        let before = scene.shells.calls();
        assert_eq!(typed.line(""), "", "{shell}: it ends");
        assert_eq!(typed.line(""), "", "{shell}: it has ended");
        assert_eq!(scene.shells.calls(), before, "{shell}: nothing is live");
        let killed = Client::new();
        scene.env.start_session(&killed, TWO, &scene.shop);
        typed.shows(&scene, "another session", "shop:main:idle::");
        killed.kill();
        assert_eq!(typed.line(""), "", "{shell}: killed with -9");
    }
}

#[test]
fn a_folder_without_a_session_shows_who_is_blocked_elsewhere() {
    for shell in SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let scene = Fixture::new();
        scene.env.repository("bank");
        let mut typed = Typed::open_in(&scene.shells, "outer", shell, "");
        typed.line("cd bank");
        let one = Client::new();
        scene.env.start_session(&one, ONE, &scene.shop);
        scene.event(&one, "UserPromptSubmit", json!({"prompt": "Fix the till"}));
        assert_eq!(typed.line(""), "", "{shell}: it works");
        scene.event(
            &one,
            "Notification",
            json!({"notification_type": "permission_prompt", "message": "Claude needs your permission to use Bash"}),
        );
        assert!(typed.line("").starts_with("◷shop "), "{shell}: it is blocked");
        assert!(typed.line("cd ../shop").starts_with("shop main "), "{shell}: in its own folder");
        assert!(typed.line("cd ../bank").starts_with("◷shop "), "{shell}: back in a folder without a session");
        scene.event(&one, "PreToolUse", json!({"tool_name": "Bash", "tool_input": {"command": "true"}}));
        assert_eq!(typed.line(""), "", "{shell}: it has its permission");
    }
}

#[test]
fn the_folder_and_the_options_of_the_shell_count_at_once() {
    for shell in SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let scene = Fixture::new();
        let bank = scene.env.repository("bank");
        let (one, two) = (Client::new(), Client::new());
        scene.env.start_session(&one, ONE, &scene.shop);
        scene.env.start_session(&two, TWO, &bank);
        let mut typed = scene.shell(shell);
        typed.shows(&scene, "the first tree", "shop:main:idle::");
        assert_eq!(typed.line("cd ../bank"), "bank:main:idle::", "{shell}");
        typed.shows(&scene, "a tree with another session", "bank:main:idle::");
        assert_eq!(typed.line("cd /"), "", "{shell}");
        typed.shows(&scene, "a folder without a session", "");
        assert_eq!(typed.line("cd ~/shop"), "shop:main:idle::", "{shell}");
        assert_eq!(typed.line(&typed.export("AIT_FORMAT", "{project}")), "shop", "{shell}");
        let elsewhere = scene.env.path("elsewhere");
        assert_eq!(typed.line(&typed.export("AIT_SESSIONS_DIR", &elsewhere.display().to_string())), "", "{shell}");
        assert_eq!(typed.line(&typed.export("AIT_SESSIONS_DIR", "")), "shop", "{shell}");
        // A shell in this shell, and one in its place.
        let again = scene.shells.init(shell, true);
        let start = scene.env.path(match shell {
            "zsh" => ".zshrc",
            "bash" => "bashrc",
            _ => ".config/fish/config.fish",
        });
        assert!(fs::read_to_string(start).unwrap().contains(&again), "{shell}");
        let command = match shell {
            "zsh" => "zsh -d -i",
            "bash" => "bash --noprofile --rcfile ~/bashrc -i",
            _ => "fish -i",
        };
        let outer = typed.count;
        typed.count = 0;
        assert_eq!(typed.line(&format!("clear; {command}")), "shop", "{shell}: a shell in it");
        scene.env.git(&scene.shop, "switch --quiet -c more");
        assert_eq!(typed.line(&typed.export("AIT_FORMAT", "{branch}")), "more", "{shell}: a shell in it");
        typed.count = outer;
        assert_eq!(typed.line("exit"), "shop", "{shell}: back in the first");
        typed.count = 0;
        assert_eq!(typed.line(&format!("clear; exec {command}")), "shop", "{shell}: a shell in its place");
    }
}

/// What may become of the folder that holds the revision. The files there may be deleted at any time.
type Damage = (&'static str, fn(&Path));

const DAMAGES: &[Damage] = &[
    ("is removed", |folder| fs::remove_dir_all(folder).unwrap()),
    ("is a file", |folder| {
        fs::remove_dir_all(folder).unwrap();
        fs::write(folder, "").unwrap();
    }),
    ("is read-only", |folder| fs::set_permissions(folder, fs::Permissions::from_mode(0o500)).unwrap()),
    ("is a link to nowhere", |folder| {
        fs::remove_dir_all(folder).unwrap();
        std::os::unix::fs::symlink("/nowhere/at/all", folder).unwrap();
    }),
    ("has an empty revision", |folder| fs::write(folder.join("revision"), "").unwrap()),
    ("has garbage for a revision", |folder| fs::write(folder.join("revision"), b"\x80\x00\xff\n\n\t").unwrap()),
    ("has a folder for a revision", |folder| {
        let _ = fs::remove_file(folder.join("revision"));
        fs::create_dir(folder.join("revision")).unwrap();
    }),
    ("has a revision of a GiB", |folder| {
        let file = fs::File::create(folder.join("revision")).unwrap();
        file.set_len(1 << 30).unwrap();
    }),
];

#[test]
fn damage_to_the_revision_never_leaves_an_outdated_segment() {
    for shell in SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        for (what, damage) in DAMAGES {
            for with_runtime in [false, true] {
                let scene = Fixture::new();
                let one = Client::new();
                scene.env.start_session(&one, ONE, &scene.shop);
                let mut typed = scene.shell(shell);
                let task = |task: &str| {
                    let mut ait = scene.env.ait();
                    if with_runtime {
                        ait = ait.env("XDG_RUNTIME_DIR", scene.runtime());
                    }
                    ait.run_args(&["sessions", "task", "--session", ONE, task]).success();
                };
                let mut folder = scene.caches();
                if with_runtime {
                    folder = scene.runtime().join("ait");
                    fs::create_dir(scene.runtime()).unwrap();
                    typed.line(&typed.export("XDG_RUNTIME_DIR", &scene.runtime().display().to_string()));
                }
                let name = folder.display();
                assert_eq!(typed.line(""), "shop:main:idle::", "{shell}: {what}");
                damage(&folder);
                assert_eq!(typed.line(""), "shop:main:idle::", "{shell}: {name} {what}");
                for text in ["first", "second"] {
                    task(text);
                    assert_eq!(typed.line(""), format!("shop:main:idle:{text}:"), "{shell}: {name} {what}");
                }
            }
        }
    }
}

#[test]
fn two_shells_in_one_tree_see_the_same() {
    for (first, second) in [("zsh", "zsh"), ("bash", "fish")] {
        if !installed(&["tmux", first, second]) {
            continue;
        }
        let scene = Fixture::new();
        let one = Client::new();
        scene.env.start_session(&one, ONE, &scene.shop);
        let mut shells = [scene.shell_in("first", first), scene.shell_in("second", second)];
        for task in ["one", "two"] {
            scene.task(ONE, task);
            for typed in &mut shells {
                typed.shows(&scene, "a task", &format!("shop:main:idle:{task}:"));
            }
        }
        assert_eq!(shells[0].line("git switch --quiet -c more"), "shop:more:idle:two:");
        assert_eq!(shells[1].line(""), "shop:more:idle:two:", "{second}: switched in the other shell");
    }
}

/// Nothing is written there, so nothing is promised. Only root can give a folder away.
#[test]
fn a_cache_folder_of_someone_else_is_not_relied_on() {
    for shell in SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let scene = Fixture::new();
        let one = Client::new();
        scene.env.start_session(&one, ONE, &scene.shop);
        if std::os::unix::fs::chown(scene.caches(), Some(12345), Some(12345)).is_err() {
            return;
        }
        let mut typed = scene.shell(shell);
        for task in ["first", "second"] {
            scene.task(ONE, task);
            assert_eq!(typed.line(""), format!("shop:main:idle:{task}:"), "{shell}");
        }
    }
}

#[test]
fn a_minute_that_passes_is_seen() {
    for shell in SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let scene = Fixture::new();
        let client = Client::new();
        let mut typed = scene.shell(shell);
        typed.line(&typed.export("AIT_FORMAT", "{elapsed}"));
        // 45 minutes and most of another one.
        scene.env.write_manifest(ONE, client.pid(), &scene.shop, json!({"started": crate::common::ago(46 * 60 - 4)}));
        assert_eq!(typed.line(""), "45m", "{shell}");
        std::thread::sleep(Duration::from_secs(5));
        assert_eq!(typed.line(""), "46m", "{shell}");
    }
}

#[test]
fn a_hundred_prompts_while_five_sessions_send_hooks() {
    for shell in SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let scene = Fixture::new();
        let one = Client::new();
        scene.env.start_session(&one, ONE, &scene.shop);
        let mut typed = scene.shell(shell);
        let busy = scene.env.repository("busy");
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for n in 0..5 {
                let (scene, busy, done) = (&scene, &busy, &done);
                scope.spawn(move || {
                    let client = Client::new();
                    let id = format!("{n}{}", &TWO[1..]);
                    scene.env.start_session(&client, &id, busy);
                    while !done.load(Ordering::Relaxed) {
                        for event in ["UserPromptSubmit", "Stop"] {
                            scene.env.send_event(&client, event, &id, busy, json!({"prompt": "x"}));
                        }
                        std::thread::sleep(Duration::from_millis(50));
                    }
                });
            }
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                for n in 0..100 {
                    scene.task(ONE, &format!("task {n}"));
                    assert_eq!(typed.line(""), format!("shop:main:idle:task {n}:"), "{shell}");
                }
            }));
            done.store(true, Ordering::Relaxed);
            if let Err(panic) = result {
                std::panic::resume_unwind(panic);
            }
        });
    }
}
