//! Files: temporary files belong to their creator, a busy lock is not a missing lock, and what is synced when.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::time::Duration;

use ait::sys::files::{Folder, Locking, PRIVATE};
use serde_json::json;

use crate::common::tools::needs;
use crate::common::{AIT, Client, TestEnv, file_names, payload};

#[test]
fn creating_a_file_that_exists_fails_and_leaves_it_alone() {
    let env = TestEnv::new();
    let file = env.write_file("folder/name", "of another process");
    let folder = Folder::open(env.path("folder")).unwrap();
    let error = folder.create_new("name", b"ours", PRIVATE).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read_to_string(file).unwrap(), "of another process");
}

#[test]
fn each_writer_of_a_file_has_its_own_temporary_file() {
    let env = TestEnv::new();
    let folder = Folder::open(env.create_dir("folder")).unwrap();
    let first = folder.stage("name", b"first", PRIVATE).unwrap();
    let second = folder.stage("name", b"second", PRIVATE).unwrap();
    assert_eq!(file_names(folder.path()).len(), 2);
    drop(first);
    second.commit().unwrap();
    assert_eq!(file_names(folder.path()), ["name"]);
    assert_eq!(fs::read_to_string(folder.path().join("name")).unwrap(), "second");
}

#[test]
fn a_lock_that_another_process_holds_is_busy_not_unsupported() {
    let env = TestEnv::new();
    let folder = Folder::open(env.create_dir("folder")).unwrap();
    let other = File::open(folder.path()).unwrap();
    other.lock().unwrap();
    assert!(folder.has_locks());
    assert!(matches!(folder.lock(Duration::from_millis(1)), Locking::Busy));
    other.unlock().unwrap();
    assert!(matches!(folder.lock(Duration::from_millis(1)), Locking::Held(_)));
}

#[test]
fn prune_archives_nothing_while_another_process_holds_the_lock() {
    let env = TestEnv::new();
    let gone = Client::new().kill();
    let home = env.path("");
    env.write_manifest("stale", gone, &home, json!({}));
    let client = Client::new();
    env.write_manifest("alive", client.pid(), &home, json!({}));
    let active = File::open(env.sessions_path("active")).unwrap();
    active.lock().unwrap();
    let said = env.run("sessions prune");
    assert_eq!((said.exit_code, said.stdout.as_str()), (Some(1), "0 archived, 1 not archived, 1 live.\n"));
    let file = env.sessions_path("active/stale.json");
    let why = format!("ait: archiving a session: {}: another process holds the lock; try again\n", file.display());
    assert_eq!(said.stderr, why);
    assert_eq!((env.active_ids().len(), env.history_entries().len()), (2, 0));
    active.unlock().unwrap();
    env.run("sessions prune").success();
    assert_eq!((env.active_ids().len(), env.history_entries().len()), (1, 1));
}

/// Without the sync, a power loss soon after the start leaves an empty file, which is never a manifest again. Later
/// versions replace a file that is on the disk, and a sync costs milliseconds.
#[test]
fn only_the_first_manifest_of_a_session_is_synced_before_its_rename() {
    needs!("strace");
    let env = TestEnv::new();
    let (client, home) = (Client::new(), env.path(""));
    let calls = |event: &str| {
        let trace = env.path("trace");
        let input = env.write_file("input", &format!("{}\n", payload(event, "one", &home, json!({}))));
        let mut command = env.ait().child_of(&client, "one").command("strace");
        command.args(["-qq", "-e", "trace=fsync,rename,renameat,renameat2", "-o"]).arg(&trace);
        command.args([AIT, "hook", "session-register"]).stdin(File::open(input).unwrap());
        assert!(command.status().unwrap().success());
        let text = fs::read_to_string(trace).unwrap();
        let of_manifest = |line: &&str| line.starts_with("fsync") || line.contains("\"one.json\"");
        text.lines().filter(of_manifest).map(|line| line.split('(').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = calls("SessionStart");
    assert_eq!(first[0], "fsync", "{first:?}");
    assert!(first[1].starts_with("rename"), "{first:?}");
    let second = calls("UserPromptSubmit");
    assert!(!second.contains(&"fsync".to_owned()) && !second.is_empty(), "{second:?}");
}
