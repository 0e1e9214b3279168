//! What goes wrong on real machines: many at once, kills, full disks, wrong clocks, folders that are not what they should
//! be, hostile payloads. No data is lost, commands report the problem, and the fast commands print nothing.
//!
//! Sizes are for every day; `AIT_LONG=1` (`sh tests/run.sh long`) runs the long ones, and `AIT_EVENTS` says how many events
//! there are when many come at once. Faults that cannot be made for real
//! are made by strace, at the system call itself: an error, a kill, another time of day.
#![cfg(target_os = "linux")]

use crate::common;
use crate::common::tools::{self, needs};

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use crate::common::{AIT, AitCommand, Client, CommandOutput, TestEnv, file_names, payload, read_json, wait_until};
use serde_json::{Value, json};

/// The every-day size of a test, or its long one.
fn size(usual: usize, long: usize) -> usize {
    if std::env::var_os("AIT_LONG").is_some() { long } else { usual }
}

/// Runs `ait` under strace with these options, and gives what it left and what strace wrote.
fn traced(ait: &AitCommand, options: &[&str], words: &[&str], input: &[u8]) -> (CommandOutput, String) {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("ait-trace-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let trace = std::env::temp_dir().join(name);
    let mut strace = ait.command("strace");
    strace.args(["-f", "-qq", "-o"]).arg(&trace).args(options).arg(AIT).args(words);
    let said = outcome(strace, words, input);
    let lines = fs::read_to_string(&trace).expect("strace, which is allowed to trace");
    let _ = fs::remove_file(&trace);
    (said, lines)
}

fn outcome(mut command: Command, words: &[&str], input: &[u8]) -> CommandOutput {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program");
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    CommandOutput {
        command: format!("ait {}", words.join(" ")),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        exit_code: output.status.code(),
    }
}

/// Bytes that one event makes.
fn event(event: &str, id: &str, folder: &Path, more: Value) -> Vec<u8> {
    format!("{}\n", payload(event, id, folder, more)).into_bytes()
}

/// The most memory, in KiB, that `ait` took for these words.
fn memory(ait: &AitCommand, words: &[&str], input: &[u8]) -> (CommandOutput, u64) {
    // Nothing but the kernel's own count of a child that was waited for.
    let script = "import resource, subprocess, sys\n\
                  code = subprocess.run(sys.argv[1:]).returncode\n\
                  peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n\
                  print('peak', peak, file=sys.stderr)\n\
                  sys.exit(code)";
    let mut python = ait.command("python3");
    python.args(["-c", script, AIT]).args(words);
    let mut said = outcome(python, words, input);
    let (err, peak) = said.stderr.rsplit_once("peak ").map(|(err, peak)| (err.to_owned(), peak.to_owned())).unwrap();
    said.stderr = err;
    (said, peak.trim().parse().unwrap())
}

/// The fast commands print nothing and exit with 0. Returns the output of `prompt`.
#[track_caller]
fn fast_commands_print_no_errors(ait: &AitCommand, id: &str, folder: &Path) -> String {
    ait.run_with_input(&["hook", "session-register"], &event("UserPromptSubmit", id, folder, json!({"prompt": "x"})))
        .no_output();
    let status = json!({"session_id": id, "cwd": folder, "model": {"display_name": "Opus"}});
    let line = ait.run_with_input(&["statusline"], format!("{status}\n").as_bytes());
    assert_eq!((line.exit_code, line.stderr.as_str()), (Some(0), ""), "{line:?}");
    ait.run_args(&["prompt", "--for", "plain", "--dir", folder.to_str().unwrap()]).success()
}

/// No temporary file anywhere below, and nobody holds the lock.
#[track_caller]
fn nothing_left_behind(env: &TestEnv) {
    let mut folders = vec![env.path("")];
    while let Some(folder) = folders.pop() {
        for name in file_names(&folder) {
            let path = folder.join(&name);
            assert!(!name.ends_with(".tmp"), "{} is left behind", path.display());
            if fs::symlink_metadata(&path).unwrap().is_dir() {
                folders.push(path);
            }
        }
    }
    assert_not_locked(env);
}

#[track_caller]
fn assert_not_locked(env: &TestEnv) {
    File::open(env.sessions_path("active")).unwrap().try_lock().expect("nobody holds the lock");
}

mod many_at_once {
    use super::*;

    const SESSIONS: usize = 20;
    const TASKS: usize = 5;

    /// 20 sessions' hooks, 5 tasks, prune and readers, all at once.
    #[test]
    fn no_last_word_is_lost() {
        let env = TestEnv::new();
        let events =
            std::env::var("AIT_EVENTS").map_or(size(3_000, 1_000_000), |count| count.parse().unwrap()) / SESSIONS;
        let clients: Vec<Client> = (0..SESSIONS).map(|_| Client::new()).collect();
        let folders: Vec<_> = (0..SESSIONS).map(|number| env.create_dir(&format!("p{number}"))).collect();
        let id = |number: usize| format!("session-{number}");
        for (number, client) in clients.iter().enumerate() {
            let _ = env.start_session(client, &id(number), &folders[number]);
        }
        let (ended, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..SESSIONS)
                .map(|number| {
                    let (env, client, folder) = (&env, &clients[number], &folders[number]);
                    scope.spawn(move || {
                        for count in 0..events {
                            let more = json!({"prompt": format!("prompt {count}"), "tool_name": "Write",
                                "tool_input": {"file_path": folder.join(format!("file {}", count % 9))}});
                            let name = ["UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop"][count % 4];
                            env.send_event(client, name, &id(number), folder, more).no_output();
                        }
                        // What is to be seen at the end.
                        let last = if number % 2 == 0 { "Stop" } else { "UserPromptSubmit" };
                        env.send_event(client, last, &id(number), folder, json!({"prompt": "x"})).no_output();
                    })
                })
                .collect();
            let tasks: Vec<_> = (0..TASKS)
                .map(|number| {
                    let env = &env;
                    scope.spawn(move || {
                        for count in 0..=events / 4 {
                            env.ait()
                                .run_args(&["sessions", "task", &format!("task {count}"), "--session", &id(number)])
                                .success();
                        }
                    })
                })
                .collect();
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    env.run("sessions prune").success();
                }
            });
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    let shown = env.run("sessions live --json").json();
                    assert_eq!(shown["sessions"].as_array().unwrap().len(), SESSIONS);
                    let said = env.ait().current_dir(&folders[0]).run("prompt --for plain").success();
                    assert!(said.starts_with("p0"), "{said}");
                }
            });
            for _ in 0..2 {
                scope.spawn(|| {
                    while !ended.load(Ordering::Relaxed) {
                        for number in 0..SESSIONS {
                            let manifest =
                                read_json(&env.sessions_path(&format!("active/{}.json", id(number)))).unwrap();
                            assert_eq!(manifest["session_id"], id(number));
                            reads.fetch_add(1, Ordering::Relaxed);
                        }
                        // Files are there to be read; the processors are for the writers.
                        std::thread::sleep(Duration::from_millis(5));
                    }
                });
            }
            let failed = writers.into_iter().chain(tasks).filter_map(|thread| thread.join().err()).next();
            ended.store(true, Ordering::Relaxed);
            if let Some(failed) = failed {
                std::panic::resume_unwind(failed);
            }
        });
        assert!(reads.into_inner() > SESSIONS);
        // A hook that did not get the lock leaves its event to another process.
        let late_events = env.path(&env.cache()).join("late-events");
        wait_until("late events are recorded", || file_names(&late_events).is_empty());
        for number in 0..SESSIONS {
            let manifest = env.active_manifest(&id(number));
            let state = if number % 2 == 0 { "idle" } else { "working" };
            assert_eq!(manifest["state"], state, "{manifest}");
            if number < TASKS {
                assert_eq!(manifest["task"], format!("task {}", events / 4));
            }
        }
        let touched = env.run("sessions conflicts --json").json();
        assert_eq!(touched["conflicts"], json!([]));
        assert_eq!(env.history_entries(), []);
        nothing_left_behind(&env);
        assert_eq!(env.log_lines(), Vec::<String>::new());
    }
}

mod killed {
    use super::*;

    fn writer(env: &TestEnv, text: &str) -> Command {
        let mut command = env.ait().command(AIT);
        command.args(["sessions", "task", text, "--session", "s"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// At a random moment, by the one who started it.
    #[test]
    fn at_any_moment_leaves_the_old_manifest_or_the_new_one() {
        let env = TestEnv::new();
        let client = Client::new();
        let file = env.write_manifest("s", client.pid(), &env.path(""), json!({"task": "0", "x_future": [1, 2]}));
        let began = std::time::Instant::now();
        writer(&env, "0").status().unwrap();
        let usual = u64::try_from(began.elapsed().as_micros()).unwrap().max(500);
        let (mut last, mut killed) = ("0".to_owned(), 0);
        // Steps that have no measure in common with the length: every moment has its turn.
        for count in 1..=size(300, 10_000) as u64 {
            let text = count.to_string();
            let mut child = writer(&env, &text).spawn().unwrap();
            std::thread::sleep(Duration::from_micros(count * 7919 % usual));
            child.kill().unwrap();
            killed += usize::from(child.wait().unwrap().signal() == Some(9));
            let manifest = read_json(&file).unwrap();
            let task = manifest["task"].as_str().unwrap();
            assert!(task == last || task == text, "{task:?} is neither {last:?} nor {text:?}");
            assert_eq!(manifest["x_future"], json!([1, 2]));
            assert_not_locked(&env);
            last = task.to_owned();
        }
        assert!(killed > 0, "every one was faster than its kill");
        assert!(writer(&env, "after").status().unwrap().success());
        assert_eq!(env.active_manifest("s")["task"], "after");
    }

    /// At each system call, one after the other, until it comes to its end.
    #[test]
    fn a_kill_at_each_system_call_leaves_the_old_or_the_new_manifest() {
        needs!("strace");
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.repository("p");
        let _ = env.start_session(&client, "s", &folder);
        let ait = env.ait().child_of(&client, "s").current_dir(&folder);
        let words = ["hook", "session-register"];
        let bytes = event("UserPromptSubmit", "s", &folder, json!({"prompt": "a prompt"}));
        // strace counts each kind of call for itself.
        let (said, trace) = traced(&ait, &["-e", "trace=%file,%desc"], &words, &bytes);
        said.no_output();
        let name = |line: &str| Some(line.split_once(' ')?.1.trim_start().split_once('(')?.0.to_owned());
        let mut calls: BTreeSet<String> = trace.lines().filter_map(name).collect();
        calls.retain(|name| name != "execve" && name != "mmap");
        assert!(calls.contains("flock") && calls.contains("openat"), "{calls:?}");
        let mut killed = 0;
        for name in calls {
            for number in 1.. {
                let inject = format!("inject={name}:signal=KILL:when={number}");
                let (said, _) = traced(&ait, &["-e", &format!("trace={name}"), "-e", &inject], &words, &bytes);
                let manifest = env.active_manifest("s");
                assert_eq!(
                    (&manifest["session_id"], &manifest["path"]),
                    (&json!("s"), &json!(folder)),
                    "{name} {number}"
                );
                assert_not_locked(&env);
                if said.exit_code == Some(0) {
                    break;
                }
                killed += 1;
            }
        }
        assert!(killed > 30, "{killed} calls");
        env.ait().child_of(&client, "s").current_dir(&folder).hook_with_input("session-register", &bytes).no_output();
        assert_eq!(env.active_ids(), ["s"]);
        assert_eq!(env.active_manifest("s")["state"], "working");
    }

    /// What the killed ones left is swept by whoever comes next and has the time: a session that starts, or prune.
    #[test]
    fn temporary_files_of_killed_writers_are_removed() {
        let env = TestEnv::new();
        let (client, gone) = (Client::new(), Client::new().kill());
        let day = SystemTime::now() - Duration::from_secs(86_400);
        let leave = |below: &str, when: SystemTime| {
            let file = env.write_file(below, "half");
            File::options().write(true).open(&file).unwrap().set_modified(when).unwrap();
            file
        };
        let leftovers = |when: SystemTime| {
            [
                leave(&format!(".claude/sessions/active/.s.json.{gone}.0.tmp"), when),
                leave(&format!("{}/.log.{gone}.0.tmp", env.cache()), when),
                leave(&format!("{}/touched/.abc.{gone}.0.tmp", env.cache()), when),
            ]
        };
        let _ = env.start_session(&client, "s", &env.path(""));
        // Its writer runs: nobody may take it away.
        let busy = leave(&format!(".claude/sessions/active/.s.json.{}.0.tmp", client.pid()), day);
        // A writer on another machine, or in another container, whose number says nothing here.
        let fresh = leave(&format!(".claude/sessions/active/.t.json.{gone}.0.tmp"), SystemTime::now());
        let foreign = leave(".claude/sessions/active/.notes.tmp", day);
        for sweep in ["start", "prune"] {
            let files = leftovers(day);
            if sweep == "start" {
                let _ = env.start_session(&client, "s", &env.path(""));
            } else {
                env.run("sessions prune").success();
            }
            for file in &files {
                assert!(!file.exists(), "{sweep}: {} is still there", file.display());
            }
            assert!(busy.exists() && fresh.exists() && foreign.exists(), "{sweep}");
        }
    }
}

mod disks {
    use super::*;

    /// Runs a script in a mount namespace of its own: `$AIT` is the program, `$S` the folder of sessions.
    fn on_a_disk(env: &TestEnv, client: &Client, script: &str) -> CommandOutput {
        let ait = env.ait().child_of(client, "s").env("AIT", AIT).env("S", env.path(".claude/sessions"));
        let mut command = ait.command("unshare");
        // Without root a user namespace gives the right to mount.
        let how: &[&str] = if rustix::process::geteuid().is_root() { &["-m"] } else { &["-Urm"] };
        command.args(how).args(["sh", "-euc", script]);
        outcome(command, &["(on a disk of its own)"], b"")
    }

    const EVENT: &str = r#"say() {
        printf '{"session_id":"s","hook_event_name":"%s","cwd":"%s","prompt":"a prompt","source":"startup"}\n' "$1" "$HOME" |
            "$AIT" hook session-register
    }
    "#;

    #[test]
    fn a_full_disk_leaves_the_old_manifest() {
        needs!("unshare");
        let env = TestEnv::new();
        env.create_dir(".claude/sessions");
        let script = format!(
            "{EVENT}
            mount -t tmpfs -o size=64k tmpfs \"$S\"
            say SessionStart
            before=$(cat \"$S/active/s.json\")
            dd if=/dev/zero of=\"$S/fill\" bs=1k 2>/dev/null || :
            say UserPromptSubmit
            [ \"$before\" = \"$(cat \"$S/active/s.json\")\" ] || echo 'changed'
            \"$AIT\" prompt --for plain >\"$HOME/prompt\"
            code=0; \"$AIT\" sessions task new --session s || code=$?
            echo \"code $code\"
            ls -A \"$S/active\"
            rm \"$S/fill\"
            say UserPromptSubmit
            \"$AIT\" sessions task --session s
            \"$AIT\" sessions task new --session s"
        );
        let client = Client::new();
        let said = on_a_disk(&env, &client, &script);
        assert_eq!(said.stdout, "code 1\ns.activity\ns.json\na prompt\nTask of s: new\n", "{}", said.stderr);
        let file = env.sessions_path("active/s.json");
        assert_eq!(
            said.stderr,
            format!("ait: writing a manifest: {}: No space left on device (os error 28)\n", file.display())
        );
        assert_eq!(fs::read_to_string(env.path("prompt")).unwrap().split(' ').count(), 2);
        assert!(env.log_lines()[0].contains("No space left on device"), "{:?}", env.log_lines());
    }

    #[test]
    fn a_home_that_is_read_only() {
        needs!("unshare");
        let env = TestEnv::new();
        let script = format!(
            "{EVENT}
            say SessionStart
            mount --bind \"$HOME\" \"$HOME\"
            mount -o remount,ro,bind \"$HOME\"
            cd \"$HOME\"
            say UserPromptSubmit
            \"$AIT\" prompt --for plain
            echo
            printf '{{\"session_id\":\"s\",\"cwd\":\"%s\",\"model\":{{\"display_name\":\"Opus\"}}}}' \"$HOME\" | \"$AIT\" statusline
            \"$AIT\" sessions task new --session s || echo \"code $?\""
        );
        let client = Client::new();
        let said = on_a_disk(&env, &client, &script);
        assert!(said.stdout.ends_with("code 1\n") && said.stdout.lines().count() == 3, "{said:?}");
        let file = env.sessions_path("active/s.json");
        assert!(
            said.stderr
                .ends_with(&format!("writing a manifest: {}: Read-only file system (os error 30)\n", file.display())),
            "{said:?}"
        );
        assert_eq!(said.stderr.lines().count(), 1, "{said:?}");
    }

    /// Quota, a disk that fails at the rename, one that cannot make a file: the call itself says so.
    #[test]
    fn failing_system_calls_leave_the_old_manifest() {
        needs!("strace");
        let env = TestEnv::new();
        let client = Client::new();
        let _ = env.start_session(&client, "s", &env.path(""));
        let before = env.active_manifest("s");
        for (inject, why) in [
            ("write:error=EDQUOT:when=1..2", "Disk quota exceeded (os error 122)"),
            ("/^rename:error=EIO", "Input/output error (os error 5)"),
            ("write:error=EIO:when=1..2", "Input/output error (os error 5)"),
            ("write:retval=0:when=1..2", "write zero"),
        ] {
            let options = ["-e", "trace=write,/^rename", "-e", &format!("inject={inject}")];
            let (said, _) = traced(&env.ait(), &options, &["sessions", "task", "new", "--session", "s"], b"");
            let file = env.sessions_path("active/s.json");
            said.failure(1, &format!("writing a manifest: {}: {why}", file.display()));
            let bytes = event("UserPromptSubmit", "s", &env.path(""), json!({"prompt": "new"}));
            let ait = env.ait().child_of(&client, "s");
            let (said, _) = traced(&ait, &options, &["hook", "session-register"], &bytes);
            said.no_output();
            assert_eq!(env.active_manifest("s"), before, "{inject}");
            nothing_left_behind(&env);
        }
        // A write that is cut short is gone on with.
        let options = ["-e", "trace=write", "-e", "inject=write:error=EINTR:when=1"];
        traced(&env.ait(), &options, &["sessions", "task", "new", "--session", "s"], b"")
            .0
            .stdout_is("Task of s: new\n");
    }

    /// A folder on a file system without locks.
    #[test]
    fn prune_on_a_file_system_without_locks_archives_and_warns() {
        needs!("strace");
        let env = TestEnv::new();
        let client = Client::new();
        let ait = env.ait().child_of(&client, "s");
        for why in ["ENOLCK", "EOPNOTSUPP", "ENOSYS", "EINVAL"] {
            let options = ["-e", "trace=flock", "-e", &format!("inject=flock:error={why}")];
            let home = env.path("");
            let start = event("SessionStart", "s", &home, json!({"source": "startup"}));
            traced(&ait, &options, &["hook", "session-register"], &start).0.success();
            let prompt = event("UserPromptSubmit", "s", &home, json!({"prompt": "a prompt"}));
            traced(&ait, &options, &["hook", "session-register"], &prompt).0.no_output();
            assert_eq!(env.active_manifest("s")["state"], "working", "{why}");
            traced(&ait, &options, &["sessions", "task", why, "--session", "s"], b"")
                .0
                .stdout_is(&format!("Task of s: {why}\n"));
            let (said, trace) = traced(&ait, &options, &["sessions", "prune"], b"");
            assert!(trace.contains(&format!("{why} ")), "{trace}");
            let remark = format!(
                "archiving sessions: {}: this file system has no locks: of two changes to one session in the same \
                 millisecond one can be lost",
                env.sessions_path("active").display()
            );
            assert_eq!(said.success_with_warning(&remark), "Nothing to archive; 1 live.\n");
            assert_eq!(env.active_manifest("s")["task"], why);
        }
        nothing_left_behind(&env);
    }
}

mod folders {
    use super::*;

    #[test]
    fn commands_without_home_fail_with_a_hint() {
        let env = TestEnv::new();
        for ait in [env.ait().env_remove("HOME"), env.ait().env("HOME", ""), env.ait().env("HOME", "not/absolute")] {
            assert_eq!(fast_commands_print_no_errors(&ait, "s", &env.path("")), "");
            for words in ["sessions live", "sessions current", "sessions history", "sessions prune", "sessions task x"]
            {
                ait.run(words).failure(
                    1,
                    "finding the sessions: HOME: not set to an absolute path; set HOME, or set AIT_SESSIONS_DIR to the sessions folder",
                );
            }
        }
        assert_eq!(file_names(&env.path("")), Vec::<String>::new());
    }

    /// A file is in the place of a folder: the fast commands print nothing, and every other command names it.
    #[track_caller]
    fn in_the_way(env: &TestEnv, home: &Path, why: &str) {
        let ait = env.ait().env("HOME", home).env("XDG_CACHE_HOME", env.path("cache"));
        assert_eq!(fast_commands_print_no_errors(&ait, "s", &env.path("")), "");
        for words in ["sessions live", "sessions current", "sessions prune", "sessions conflicts"] {
            let said = ait.run(words);
            assert_eq!((said.exit_code.is_some_and(|code| code > 0), said.stdout.as_str()), (true, ""), "{said:?}");
            assert!(said.stderr.starts_with("ait: ") && said.stderr.contains(why), "{said:?}");
            assert_eq!(said.stderr.lines().count(), 1, "{said:?}");
        }
    }

    #[test]
    fn a_file_for_a_home() {
        let env = TestEnv::new();
        let home = env.write_file("home", "a file\n");
        in_the_way(&env, &home, "Not a directory");
        assert_eq!(fs::read_to_string(&home).unwrap(), "a file\n");
    }

    #[test]
    fn a_file_in_place_of_active_is_reported() {
        let env = TestEnv::new();
        let file = env.write_file(".claude/sessions/active", "a file\n");
        in_the_way(&env, &env.path(""), "Not a directory");
        assert_eq!(fs::read_to_string(&file).unwrap(), "a file\n");
    }

    #[test]
    fn a_symlink_that_leads_nowhere() {
        let env = TestEnv::new();
        let link = env.create_dir(".claude/sessions").join("active");
        std::os::unix::fs::symlink("/nowhere/at/all", &link).unwrap();
        in_the_way(&env, &env.path(""), "symlink");
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("/nowhere/at/all"));
    }

    /// What is written would land somewhere else.
    #[test]
    fn a_symlink_to_a_folder() {
        let env = TestEnv::new();
        let elsewhere = env.create_dir("elsewhere");
        let link = env.create_dir(".claude/sessions").join("active");
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
        in_the_way(&env, &env.path(""), "symlink");
        assert_eq!(file_names(&elsewhere), Vec::<String>::new());
        assert_eq!(fs::read_link(&link).unwrap(), elsewhere);
    }

    #[test]
    fn a_folder_of_somebody_else() {
        if !tools::is_root() {
            return;
        }
        needs!("setpriv");
        let env = TestEnv::new();
        fs::set_permissions(env.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        let client = Client::new();
        let _ = env.start_session(&client, "s", &env.path(""));
        // The folder is root's, 0700; we are nobody.
        let ait = env.path("ait");
        tools::copy_program(AIT, &ait);
        for folder in [".claude", ".claude/sessions"] {
            fs::set_permissions(env.path(folder), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let run = |words: &[&str], input: &[u8]| {
            let mut command = env.ait().child_of(&client, "s").command("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&ait).args(words);
            outcome(command, words, input)
        };
        run(&["hook", "session-register"], &event("UserPromptSubmit", "s", &env.path(""), json!({"prompt": "x"})))
            .no_output();
        run(&["prompt", "--for", "plain"], b"").no_output();
        for words in [&["sessions", "live"][..], &["sessions", "prune"], &["sessions", "task", "x"]] {
            let what = format!(
                "reading the live sessions: {}: Permission denied (os error 13); type: ait doctor",
                env.sessions_path("active").display()
            );
            run(words, b"").failure(1, &what);
        }
        assert_eq!(env.active_manifest("s")["state"], "idle");
    }

    #[test]
    fn a_pipe_for_a_manifest() {
        let env = TestEnv::new();
        let client = Client::new();
        let pipe = env.create_dir(".claude/sessions/active").join("pipe.json");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let _ = env.start_session(&client, "s", &env.path(""));
        // Each of them would wait for ever for a writer.
        assert!(fast_commands_print_no_errors(&env.ait().child_of(&client, "s"), "s", &env.path("")).contains("<1m"));
        env.ait()
            .run_with_input(&["hook", "session-register"], &event("Stop", "pipe", &env.path(""), json!({})))
            .no_output();
        assert!(
            env.log_lines().iter().any(|line| line.contains("pipe.json: not a regular file")),
            "{:?}",
            env.log_lines()
        );
        for words in ["sessions live", "sessions prune"] {
            let said = env.run(words);
            assert_eq!(said.exit_code, Some(0), "{said:?}");
            assert!(said.stderr.contains("pipe.json: not a regular file"), "{said:?}");
        }
        assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
    }

    #[test]
    fn a_manifest_of_two_gigabytes() {
        needs!("python3");
        let env = TestEnv::new();
        let client = Client::new();
        let _ = env.start_session(&client, "s", &env.path(""));
        let file = env.sessions_path("active").join("huge.json");
        File::create(&file).unwrap().set_len(2 << 30).unwrap();
        let ait = env.ait().child_of(&client, "s");
        assert!(fast_commands_print_no_errors(&ait, "s", &env.path("")).contains("<1m"));
        let stop = event("Stop", "huge", &env.path(""), json!({}));
        for (words, input) in [
            (&["hook", "session-register"][..], &stop[..]),
            (&["prompt", "--for", "plain"], b""),
            (&["sessions", "live"], b""),
            (&["sessions", "prune"], b""),
        ] {
            let (said, peak) = memory(&ait, words, input);
            assert_eq!(said.exit_code, Some(0), "{said:?}");
            assert!(peak < 32 << 10, "{words:?}: {peak} KiB");
            if words[0] == "sessions" {
                assert!(said.stderr.contains("huge.json: larger than 4194304 bytes"), "{said:?}");
            }
        }
        assert_eq!(file.metadata().unwrap().len(), 2 << 30);
        assert!(env.log_lines().iter().any(|line| line.contains("larger than")), "{:?}", env.log_lines());
    }

    /// A hundred thousand files in `active`, all stale.
    #[test]
    fn commands_work_with_a_hundred_thousand_manifests() {
        needs!("python3");
        let env = TestEnv::new();
        let client = Client::new();
        let count = size(20_000, 100_000);
        let gone = Client::new().kill();
        let home = env.path("");
        env.git(&home, "init -q -b main");
        // Somewhere among them one that lives.
        let sibling = Client::new();
        env.send_event(&sibling, "UserPromptSubmit", "sibling", &home, json!({"prompt": "Living here"})).no_output();
        many(&env.create_dir(".claude/sessions/active"), count, &common::manifest("x", gone, &home, json!({})));
        // The client's own registry leads to it, and to this one.
        for (client, id) in [(&sibling, "sibling"), (&client, "s")] {
            let record = json!({"pid": client.pid(), "sessionId": id, "status": "busy"});
            env.write_file(&format!(".claude/sessions/{}.json", client.pid()), &record.to_string());
        }
        let ait = env.ait().child_of(&client, "s");
        let start = event("SessionStart", "s", &home, json!({"source": "startup"}));
        // KiB; what the program itself takes depends on how it was built.
        let base = memory(&ait, &["--version"], b"").1;
        println!("nothing: {base} KiB");
        let most = |(said, peak): (CommandOutput, u64), most: u64, what: &str| {
            assert_eq!((said.exit_code, said.stderr.as_str()), (Some(0), ""), "{said:?}");
            println!("{what}: {peak} KiB");
            assert!(peak < most, "{what}: {peak} KiB, not {most}");
            said.stdout
        };

        // A hook reads so many, and no more: it needs no more memory either.
        let (said, trace) = traced(&ait, &["-e", "trace=openat"], &["hook", "session-register"], &start);
        assert!(said.success().contains("Living here"), "it is told of the one that lives");
        let read = trace.lines().filter(|line| line.contains(".json\"")).count();
        assert!((900..1_500).contains(&read), "{read} manifests are read");
        let told = most(memory(&ait, &["hook", "session-register"], &start), base + (8 << 10), "hook");
        assert!(told.contains("1 other live session in this working tree"), "{told}");
        let tool = |event_name: &str| event(event_name, "s", &home, json!({"tool_name": "Bash"}));
        most(
            memory(&ait, &["hook", "session-register"], &tool("PreToolUse")),
            base + (8 << 10),
            "hook before a commit",
        );
        env.git(&home, "-c user.name=a -c user.email=b commit -q --allow-empty -m x");
        most(
            memory(&ait, &["hook", "session-register"], &tool("PostToolUse")),
            base + (8 << 10),
            "hook after a commit",
        );
        assert!(env.active_manifest("sibling")["head_moved"].is_object(), "{:#}", env.active_manifest("sibling"));

        let shown = most(memory(&ait, &["prompt", "--for", "plain"], b""), base + (8 << 10), "prompt");
        assert!(shown.len() < 200, "{shown}");
        let (_, trace) = traced(&ait, &["-e", "trace=openat"], &["prompt"], b"");
        let read = trace.lines().filter(|line| line.contains(".json\"")).count();
        assert!((900..=1_002).contains(&read), "{read} manifests are read");
        // Names, and what is said of those that live.
        let names_only = base + (4 << 10) + count as u64 / 4;
        for words in [
            "live --json",
            "conflicts",
            "next --json",
            "task --session sibling",
            "current --session s",
            "prune --dry-run --json",
        ] {
            let words: Vec<&str> = ["sessions"].into_iter().chain(words.split(' ')).collect();
            let (said, peak) = memory(&ait, &words, b"");
            println!("{words:?}: {peak} KiB");
            assert!(matches!(said.exit_code, Some(0 | 1)) && !said.stdout.is_empty(), "{said:?}");
            let shown = said.stdout.len() as u64 >> 10;
            assert!(peak < names_only + 4 * shown, "{words:?}: {peak} KiB");
        }
        // Each is shown, with what it takes to have it back.
        let (said, peak) = memory(&ait, &["sessions", "resume"], b"");
        println!("resume: {peak} KiB");
        assert!(
            peak < base + (4 << 10) + 4 * count as u64 && said.stdout.lines().count() > count,
            "resume: {peak} KiB"
        );

        // Each one that is archived is a file on the disk; not all of them every day.
        let pruned = size(1_000, count);
        let alive = |id: &&String| matches!(id.as_str(), "s" | "sibling");
        for id in env.active_ids().iter().filter(|id| !alive(id)).skip(pruned) {
            fs::remove_file(env.sessions_path(&format!("active/{id}.json"))).unwrap();
        }
        let before = env.history_entries().len();
        let left = env.active_ids().len() - 2;
        let (said, peak) = memory(&ait, &["sessions", "prune"], b"");
        let shown = said.stdout.len() as u64 >> 10;
        assert!(said.success().ends_with(&format!("{left} archived, 2 live.\n")));
        println!("prune of {left}: {peak} KiB");
        assert!(peak < names_only + 4 * shown, "prune: {peak} KiB");
        let ids = ["s", "sibling"].map(str::to_owned).to_vec();
        assert_eq!((env.active_ids(), env.history_entries().len()), (ids, before + left));
    }

    /// So many manifests, by links to a few files: each with another name, which is what it goes by.
    pub(super) fn many(folder: &Path, count: usize, manifest: &Value) {
        let mut source = None;
        for number in 0..count {
            let file = folder.join(format!("session-{number:06}.json"));
            match &source {
                // No file system takes fewer links to one file.
                Some(source) if number % 1_000 != 0 => fs::hard_link(source, &file).unwrap(),
                _ => {
                    fs::write(&file, manifest.to_string()).unwrap();
                    source = Some(file);
                }
            }
        }
    }
}

mod history {
    use super::*;

    /// A hundred thousand ended sessions on four hundred days.
    #[test]
    fn reads_the_days_that_are_asked_for_and_nothing_else() {
        needs!("strace");
        let env = TestEnv::new();
        let first = jiff::civil::date(2025, 1, 1);
        let ended =
            common::manifest("x", 1, &env.path(""), json!({"ended": "2025-01-01T12:00:00Z", "status": "completed"}));
        for number in 0..400 {
            let day = first.checked_add(jiff::Span::new().days(number)).unwrap();
            folders::many(&env.create_dir(&format!(".claude/sessions/history/{day}")), 250, &ended);
        }
        let opens = |words: &str| {
            let words: Vec<&str> = words.split(' ').collect();
            let (said, trace) = traced(&env.ait(), &["-e", "trace=%file"], &words, b"");
            said.success();
            trace.lines().filter(|line| line.contains("/history") || line.contains("session-")).count()
        };
        let days: Vec<usize> =
            [1, 2, 7].map(|days| opens(&format!("sessions history --json --date 2026-02-04 --days {days}"))).to_vec();
        // The list of days, and for each day its folder and its manifests.
        let day = days[1] - days[0];
        assert!((250..=260).contains(&day), "{days:?}");
        assert_eq!(days, [days[0], days[0] + day, days[0] + 6 * day]);
        assert!(days[0] < day + 20, "{days:?}");
        assert!(opens("sessions history --date 2026-02-04 --days 7 --limit 1") <= days[0]);
        // Sessions that ended in the week after the day may have been active on it.
        assert_eq!(opens("sessions history --json --date 2025-06-30"), days[0] + 7 * day);

        let client = Client::new();
        env.write_manifest("dead", Client::new().kill(), &env.path(""), json!({}));
        env.write_manifest("alive", client.pid(), &env.path(""), json!({}));
        let (said, peak) = memory(&env.ait(), &["sessions", "prune"], b"");
        assert!(said.success().ends_with("1 archived, 1 live.\n"));
        assert!(peak < 16 << 10, "{peak} KiB");
        // A session that comes back is found by name: a look at each day, and no manifest but its own.
        let bytes = event("UserPromptSubmit", "dead", &env.path(""), json!({"prompt": "x"}));
        let (said, trace) =
            traced(&env.ait().child_of(&client, "dead"), &["-e", "trace=%file"], &["hook", "session-register"], &bytes);
        said.no_output();
        assert!(!trace.contains("session-0"), "{trace}");
    }
}

mod clocks {
    use super::*;

    /// Central Europe, by rule: no table of the system is needed.
    const EUROPE: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

    /// As [`traced`], at this moment: the answer of the system's clock is put in its place.
    fn at(ait: &AitCommand, moment: &str, words: &[&str], input: &[u8]) -> CommandOutput {
        let moment: jiff::Timestamp = moment.parse().unwrap();
        let mut bytes = String::new();
        for number in [moment.as_second(), i64::from(moment.subsec_nanosecond())] {
            bytes.extend(number.to_ne_bytes().map(|byte| format!("{byte:02x}")));
        }
        let inject = format!("inject=clock_gettime:poke_exit=@arg2={bytes}");
        let (said, trace) = traced(ait, &["-e", "trace=clock_gettime", "-e", &inject], words, input);
        assert!(trace.contains("(INJECTED: args)"), "{trace}");
        said
    }

    fn hook(env: &TestEnv, client: &Client, moment: &str, name: &str, more: Value) {
        let ait = env.ait().child_of(client, "s").env("TZ", EUROPE);
        let said = at(&ait, moment, &["hook", "session-register"], &event(name, "s", &env.path(""), more));
        assert_eq!((said.exit_code, said.stderr.as_str()), (Some(0), ""), "{said:?}");
    }

    /// Set back by an hour, to 1970 and before it, and forward by thirty years.
    #[test]
    fn elapsed_is_never_negative_or_absurd() {
        needs!("strace");
        let env = TestEnv::new();
        let client = Client::new();
        hook(&env, &client, "2026-11-22T12:00:00Z", "SessionStart", json!({"source": "startup"}));
        hook(&env, &client, "2026-11-22T12:10:00Z", "UserPromptSubmit", json!({"prompt": "a task"}));
        let name = env.path("").file_name().unwrap().to_str().unwrap().to_owned();
        for (moment, seconds, elapsed) in [
            ("2026-11-22T12:45:00Z", 2700, "45m"),
            ("2026-11-22T11:00:00Z", 0, "<1m"),
            ("1970-01-01T00:00:01Z", 0, "<1m"),
            ("1960-01-01T00:00:00Z", 0, "<1m"),
        ] {
            let prompt = at(&env.ait(), moment, &["prompt", "--for", "plain"], b"").success();
            assert_eq!(prompt, format!("{name} {elapsed} a task"), "{moment}");
            let live: Value =
                serde_json::from_str(&at(&env.ait(), moment, &["sessions", "live", "--json"], b"").success()).unwrap();
            assert_eq!(live["sessions"][0]["elapsed_seconds"], seconds, "{moment}");
            let shown = at(&env.ait(), moment, &["sessions", "current"], b"").success();
            let started = shown.lines().find(|line| line.starts_with("Started:")).unwrap();
            assert!(!started.contains('-'), "{moment}: {started}");
        }
        // Events while the clock is wrong, and the end: what was worked is never less than nothing.
        hook(&env, &client, "1970-01-01T00:00:05Z", "Stop", json!({}));
        hook(&env, &client, "2026-11-22T12:20:00Z", "UserPromptSubmit", json!({"prompt": "x"}));
        hook(&env, &client, "2026-11-22T11:30:00Z", "Stop", json!({}));
        hook(&env, &client, "2026-11-22T11:00:00Z", "SessionEnd", json!({"reason": "other"}));
        let ended = env.history_manifest("s");
        assert_eq!(env.history_entries(), [("2026-11-22".to_owned(), "s".to_owned())]);
        assert!(ended["worked_seconds"].as_u64().unwrap() < 3600, "{ended}");
        let shown = env.ait().env("TZ", EUROPE).run("sessions history --date 2026-11-22 --json").json();
        assert_eq!(shown["sessions"][0]["elapsed_seconds"], 0);
    }

    #[test]
    fn a_session_started_in_the_future_has_no_negative_age() {
        let env = TestEnv::new();
        let client = Client::new();
        env.write_manifest(
            "s",
            client.pid(),
            &env.path(""),
            json!({"started": "2999-01-01T00:00:00Z", "task": "a task"}),
        );
        let said = env.run("prompt --for plain").success();
        assert_eq!(said, "aiterm main <1m a task");
        let shown = env.run("sessions live --json").json();
        assert_eq!(shown["sessions"][0]["elapsed_seconds"], 0);
    }

    /// The day of a session is the local one on which it ended.
    #[test]
    fn history_puts_sessions_on_both_sides_of_midnight() {
        needs!("strace");
        for (moment, day) in [
            ("2026-11-22T22:59:59.900Z", "2026-11-22"),
            ("2026-11-22T23:00:00Z", "2026-11-23"),
            // Summer time.
            ("2026-07-01T21:59:59Z", "2026-07-01"),
            ("2026-07-01T22:00:00Z", "2026-07-02"),
            // 02:30 twice, and the night's own midnights.
            ("2026-10-25T00:30:00Z", "2026-10-25"),
            ("2026-10-25T01:30:00Z", "2026-10-25"),
            ("2026-10-24T22:00:00Z", "2026-10-25"),
            ("2026-10-25T22:59:59Z", "2026-10-25"),
            ("2026-10-25T23:00:00Z", "2026-10-26"),
        ] {
            let env = TestEnv::new();
            let client = Client::new();
            hook(&env, &client, "2026-06-01T00:00:00Z", "SessionStart", json!({"source": "startup"}));
            hook(&env, &client, moment, "SessionEnd", json!({"reason": "other"}));
            assert_eq!(env.history_entries(), [(day.to_owned(), "s".to_owned())], "{moment}");
            let ait = env.ait().env("TZ", EUROPE);
            let shown: Value =
                serde_json::from_str(&at(&ait, moment, &["sessions", "history", "--json"], b"").success()).unwrap();
            assert_eq!(shown["days"], json!([day]), "{moment}");
        }
    }

    #[test]
    fn the_night_with_an_hour_more() {
        needs!("strace");
        let env = TestEnv::new();
        let client = Client::new();
        // 02:30 in summer time, and 02:30 in winter time, an hour later.
        hook(&env, &client, "2026-10-25T00:30:00Z", "SessionStart", json!({"source": "startup"}));
        hook(&env, &client, "2026-10-25T01:30:00Z", "SessionEnd", json!({"reason": "other"}));
        let ait = env.ait().env("TZ", EUROPE);
        let shown = ait.run("sessions history --date 2026-10-25").success();
        assert!(shown.contains("02:30 to 02:30"), "{shown}");
        assert_eq!(ait.run("sessions history --date 2026-10-25 --json").json()["sessions"][0]["elapsed_seconds"], 3600);
    }

    #[test]
    fn a_time_zone_that_is_none() {
        let long = "x".repeat(100_000);
        for zone in
            ["Mars/Olympus", ":/etc/passwd", "../../../etc/passwd", "/dev/zero", "UTC+99:99:99", "\u{1b}[2J", &long]
        {
            let env = TestEnv::new();
            let client = Client::new();
            let ait = env.ait().child_of(&client, "s").env("TZ", zone);
            ait.hook(&payload("SessionStart", "s", &env.path(""), json!({"source": "startup"}))).no_output();
            ait.hook(&payload("SessionEnd", "s", &env.path(""), json!({"reason": "other"}))).no_output();
            env.history_manifest("s");
            assert!(ait.run("sessions history --days 3").success().contains("interrupted"), "{zone:.40}");
        }
    }
}

/// A newer `ait` wrote fields that this one does not know, and values it does not know in fields that it does.
#[test]
fn fields_of_another_version_survive() {
    let env = TestEnv::new();
    let client = Client::new();
    let home = env.path("");
    let newer = json!({
        "schema": {"version": 9, "needs": ["x"]}, "plan": [1e300, null, {"a": "\u{e9}"}],
        "state": "dreaming", "task_source": "telepathy", "touched": {"new": "shape"}, "git_dirty": "partly",
        "pid_start": {"ticks": 7}, "boot_id": null,
    });
    env.write_manifest("s", client.pid(), &home, newer.clone());
    let ait = env.ait().child_of(&client, "s");
    let kept = ["schema", "plan", "touched"];
    let check = |manifest: &Value, when: &str| {
        for field in kept {
            assert_eq!(manifest[field], newer[field], "{when}: {field}");
        }
    };
    env.run("sessions task mine --session s").success();
    let manifest = env.active_manifest("s");
    check(&manifest, "task");
    assert_eq!((&manifest["state"], &manifest["git_dirty"]), (&json!("dreaming"), &json!("partly")));
    ait.hook(&payload("UserPromptSubmit", "s", &home, json!({"prompt": "x"}))).no_output();
    check(&env.active_manifest("s"), "event");
    env.end_session(&client, "s", &home, "other");
    check(&env.history_manifest("s"), "history");
    let _ = env.send_event(&client, "SessionStart", "s", &home, json!({"source": "resume"}));
    check(&env.active_manifest("s"), "resumed");
    assert_eq!(env.active_manifest("s")["task"], "mine");

    // An older one, or somebody's script, with the documented fields alone.
    let older = TestEnv::new();
    older.write_manifest("s", client.pid(), &home, json!({}));
    older.send_event(&client, "Stop", "s", &home, json!({})).no_output();
    let manifest = older.active_manifest("s");
    assert_eq!((&manifest["task"], &manifest["state"]), (&json!("Implementing session coordination"), &json!("idle")));
}

mod payloads {
    use super::*;

    /// Nothing came of it but one line in the log.
    #[track_caller]
    fn refused(what: &str, bytes: &[u8]) {
        let env = TestEnv::new();
        let client = Client::new();
        let before = env.write_manifest("there", client.pid(), &env.path("p"), json!({}));
        let text = fs::read(&before).unwrap();
        for name in ["session-register", "session-cleanup"] {
            env.ait().child_of(&client, "there").hook_with_input(name, bytes).no_output();
        }
        assert_eq!(env.active_ids(), ["there"], "{what}");
        assert_eq!(fs::read(&before).unwrap(), text, "{what}");
        assert_eq!(env.history_entries(), [], "{what}");
        assert_eq!(file_names(&env.path(".claude/sessions")), ["active"], "{what}");
        let log = env.log_lines();
        assert_eq!(log.len(), 2, "{what}: {log:?}");
        assert!(
            log.iter().all(|line| line.contains("hook: recording an event: ") && line.len() < 700),
            "{what}: {log:?}"
        );
        // Nothing else appeared: only the cache with its log.
        assert_eq!(file_names(&env.path("")), [".cache", ".claude"], "{what}");
    }

    #[test]
    fn ids_that_must_not_become_a_path() {
        let long = "x".repeat(4096);
        for id in [
            "../../x",
            "",
            &long,
            "a\0b",
            "a\nb",
            "a/b",
            "/",
            "..",
            ".",
            "-rf",
            ".hidden",
            "a b",
            "\u{e9}",
            "a\u{1b}[2J",
        ] {
            let bytes = event("SessionStart", id, Path::new("/"), json!({"source": "startup"}));
            refused(&format!("id {id:.20?}"), &bytes);
        }
        for id in [json!(7), json!(null), json!(["s"]), json!({"s": 1}), json!(true)] {
            let mut payload = payload("SessionStart", "s", Path::new("/"), json!({"source": "startup"}));
            payload["session_id"] = id;
            refused("id of another type", payload.to_string().as_bytes());
        }
    }

    #[test]
    fn input_that_is_not_an_event_is_logged() {
        let nested = |count: usize, close: bool| {
            let end = if close { "]".repeat(count) } else { String::new() };
            format!("{}{end}", "[".repeat(count))
        };
        let objects = |count: usize| format!("{}1{}", r#"{"a":"#.repeat(count), "}".repeat(count));
        for (what, bytes) in [
            ("nothing", Vec::new()),
            ("an empty line", b"\n".to_vec()),
            ("no object", b"[]".to_vec()),
            ("no field", b"{}".to_vec()),
            ("no event", br#"{"session_id":"s"}"#.to_vec()),
            ("no id", br#"{"hook_event_name":"SessionStart"}"#.to_vec()),
            ("half", br#"{"session_id":"s","hook_event_name":"SessionSt"#.to_vec()),
            ("two", br#"{"session_id":"s","hook_event_name":"Stop"} {}"#.to_vec()),
            ("NaN", br#"{"session_id":"s","hook_event_name":"Stop","x":NaN}"#.to_vec()),
            ("infinite", br#"{"session_id":"s","hook_event_name":"Stop","x":-Infinity}"#.to_vec()),
            ("latin-1", b"{\"session_id\":\"s\",\"hook_event_name\":\"Stop\",\"cwd\":\"/\xe9\"}".to_vec()),
            ("not UTF-8", [b"{\"session_id\":\"".as_slice(), &[0xff; 9], b"\",\"hook_event_name\":\"Stop\"}"].concat()),
            ("nul bytes", vec![0; 4096]),
            ("10,000 arrays", nested(10_000, true).into_bytes()),
            ("100,000 arrays", nested(100_000, true).into_bytes()),
            ("100,000 open arrays", nested(100_000, false).into_bytes()),
            ("10,000 objects", objects(10_000).into_bytes()),
            ("100,000 objects", objects(100_000).into_bytes()),
        ] {
            refused(what, &bytes);
        }
    }

    /// Where an event is deep in a field that nobody reads, it is an event all the same.
    #[test]
    fn depth_in_a_field_that_nobody_reads() {
        let env = TestEnv::new();
        let client = Client::new();
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for field in ["tool_response", "tool_input", "background_tasks", "permission_mode", "prompt"] {
            let bytes = format!(
                r#"{{"session_id":"s","hook_event_name":"PostToolUse","tool_name":"Write","cwd":{},"{field}":{deep}}}"#,
                json!(env.path(""))
            );
            env.ait().child_of(&client, "s").hook_with_input("session-register", bytes.as_bytes()).no_output();
        }
        assert_eq!(env.active_ids(), ["s"]);
        assert!(fs::metadata(env.sessions_path("active/s.json")).unwrap().len() < 4096);
        assert_eq!(env.log_lines(), Vec::<String>::new());
    }

    #[test]
    fn an_event_of_a_hundred_mebibytes_takes_little_memory() {
        needs!("python3");
        let env = TestEnv::new();
        let client = Client::new();
        let ait = env.ait().child_of(&client, "s");
        let mut bytes = br#"{"session_id":"s","hook_event_name":"PostToolUse","tool_response":""#.to_vec();
        bytes.resize(100 << 20, b'x');
        bytes.extend_from_slice(b"\"}\n");
        let (said, peak) = memory(&ait, &["hook", "session-register"], &bytes);
        said.no_output();
        assert!(peak < 64 << 10, "{peak} KiB");
        assert!(!env.sessions_path("active").join("s.json").exists());
        let log = env.log_lines();
        assert!(log.len() == 1 && log[0].contains("larger than"), "{log:?}");
        // The same without an end, as from a device.
        let mut endless = ait.command(AIT);
        endless.args(["hook", "session-register"]).stdin(File::open("/dev/zero").unwrap());
        assert_eq!(endless.output().unwrap().status.code(), Some(0));
        assert_eq!(env.log_lines().len(), 2);
    }

    /// Numbers that are none, in the fields that are read.
    #[test]
    fn odd_numbers_in_a_payload_do_no_harm() {
        let env = TestEnv::new();
        let client = Client::new();
        for number in ["1e999", "-1e999", "1e-999", "-0", "0.1e1", "99999999999999999999999999", "1E+2"] {
            let bytes = format!(
                r#"{{"session_id":"s","hook_event_name":"Stop","cwd":{},"model":{number},"background_tasks":[{{"type":{number}}}]}}"#,
                json!(env.path(""))
            );
            env.ait().child_of(&client, "s").hook_with_input("session-register", bytes.as_bytes()).no_output();
            let status = format!(
                r#"{{"session_id":"s","cwd":{},"cost":{{"total_cost_usd":{number}}},"context_window":{{"used_percentage":{number}}}}}"#,
                json!(env.path(""))
            );
            let line = env.ait().run_with_input(&["statusline"], status.as_bytes()).success();
            let lower = line.to_lowercase();
            assert!(!lower.contains("inf") && !lower.contains("nan"), "{number}: {line}");
        }
        assert_eq!(env.active_manifest("s")["state"], "idle");
    }
}
