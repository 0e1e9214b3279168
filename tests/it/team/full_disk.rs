//! A remote whose disk is really full: a small file system of its own.

use std::process::Stdio;

use serde_json::json;

use super::Team;
use crate::common::AIT;
use crate::common::tools::needs;

/// Mounts 300 KiB over an empty folder, makes a remote in it, and fills it; `ait` joins, syncs, and syncs again with space.
const SCRIPT: &str = r#"
set -e
mount -t tmpfs -o size=300k none "$1"
git init --quiet --bare --template= "$1/remote.git"
cat /dev/zero >"$1/filler" 2>/dev/null || true
if "$2" team join --yes --remote "$1/remote.git"; then exit 9; fi
echo ---
if "$2" team sync; then exit 9; fi
rm "$1/filler"
echo ---
"$2" team sync
echo ---
git --git-dir="$1/remote.git" fsck --strict
git --git-dir="$1/remote.git" log --all --format= -p
"#;

#[test]
fn records_wait_until_the_full_disk_of_a_remote_has_space() {
    needs!("unshare");
    let team = Team::new();
    let ada = team.member("Ada");
    ada.ended_session("s1", json!({}));
    let disk = team.env.create_dir("disk");
    let mut command = ada.ait().command("unshare");
    command.arg(if ait::sys::process::user_id() == 0 { "-m" } else { "-Urm" });
    let output = command.args(["sh", "-c", SCRIPT, "sh"]).arg(&disk).arg(AIT).stdin(Stdio::null()).output().unwrap();
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{output:?}");
    let parts: Vec<&str> = text.split("---\n").collect();
    assert!(parts[0].starts_with("Joined, but nothing was sent yet.\n"), "{text}");
    assert_eq!((parts[1], &parts[2][..13]), ("", "Sent 1 batch;"), "{text}");
    let lines: Vec<&str> = errors.lines().filter(|line| line.starts_with("ait: ")).collect();
    assert_eq!(lines.len(), 2, "{errors}");
    for line in lines {
        assert!(line.starts_with(&format!("ait: sending records: {}/remote.git: ", disk.display())), "{line}");
        assert!(line.ends_with("; the remote needs free space; nothing is lost, and the next sync sends it"), "{line}");
    }
    assert_eq!(parts[3].matches("\"session\":").count(), 1, "{text}");
}
