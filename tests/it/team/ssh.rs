//! A remote that is reached through ssh: a server of the test's own on loopback, without root.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use super::remotes::{Server, arrives, failure, free_port, is_open};
use super::{Member, Team};
use crate::common::tools::{installed, sshd};
use crate::common::wait_until;

/// A server with keys of its own, and the client's part of it.
struct Ssh {
    _server: Server,
    folder: PathBuf,
    port: u16,
}

impl Ssh {
    /// Starts a server that admits the test's key, or asks for a password; `None` if there is none here.
    fn start(team: &Team, name: &str, how: &str) -> Option<Ssh> {
        let sshd = sshd()?;
        let folder = team.env.create_dir(name);
        for key in ["host", "key"] {
            let file = folder.join(key);
            let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(file).status();
            assert!(made.unwrap().success());
        }
        let port = free_port();
        let at = folder.display();
        let config = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {at}/host\nPidFile none\nUsePAM no\nStrictModes no\n\
             AuthorizedKeysFile {at}/key.pub\nKbdInteractiveAuthentication no\n{how}\n"
        );
        let config = team.env.write_file(&format!("{name}/config"), &config);
        // A server that runs as root wants this folder.
        let needs_folder = ait::sys::process::user_id() == 0 && !Path::new("/run/sshd").is_dir();
        let mut command = match needs_folder {
            true if !installed(&["unshare"]) => return None,
            true => {
                let mut command = Command::new("unshare");
                let script = "mount -t tmpfs none /run && mkdir /run/sshd && exec \"$@\"";
                command.args(["-m", "sh", "-c", script, "sh"]).arg(sshd);
                command
            }
            false => Command::new(sshd),
        };
        let command = command.arg("-f").arg(config).args(["-D", "-e"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Server(child);
        wait_until("sshd listens", || is_open(port));
        Some(Ssh { _server: server, folder, port })
    }

    /// Lets a clone use this server, with a key that only the clone's configuration names.
    fn connect(&self, member: &Member<'_>, options: &str) {
        let at = self.folder.display();
        let command =
            format!("ssh -F none -o IdentitiesOnly=yes -i {at}/key -o UserKnownHostsFile={at}/known {options}");
        let url = format!("ssh://localhost:{}{}", self.port, member.team.remote.display());
        let git = |words: &[&str]| {
            let run = Command::new("git").current_dir(&member.clone).args(words).status();
            assert!(run.unwrap().success());
        };
        git(&["config", "core.sshCommand", &command]);
        git(&["remote", "set-url", "origin", &url]);
    }
}

const TRUST: &str = "-o StrictHostKeyChecking=accept-new";

#[test]
fn records_travel_through_ssh_with_the_key_of_the_clone() {
    let team = Team::new();
    let (ada, bob) = (team.member("Ada"), team.member("Bob"));
    let Some(ssh) = Ssh::start(&team, "ssh", "PasswordAuthentication no") else { return };
    for member in [&ada, &bob] {
        ssh.connect(member, TRUST);
    }
    ada.ended_session("s1", json!({}));
    ada.join("");
    bob.join("");
    assert_eq!(bob.sessions_of("Ada").len(), 1);
    ada.ended_session("s2", json!({}));
    ada.sync();
    bob.sync();
    assert_eq!(bob.sessions_of("Ada").len(), 2);
    let forgot = ada.run("team forget s1");
    assert!(forgot.exit_code == Some(0) && forgot.stdout.starts_with("Forgot 1 record.\n"), "{forgot:?}");
    bob.run("team sync").success_with_warning("the records of Ada were rewritten since the last fetch");
    assert_eq!(bob.sessions_of("Ada").len(), 1);
    team.git("fsck --strict");
}

#[test]
fn an_ssh_server_that_wants_a_password_or_is_unknown_is_explained_without_a_question() {
    let team = Team::new();
    let ada = team.ada_with_news();
    let password = "PasswordAuthentication yes\nPubkeyAuthentication no";
    let Some(ssh) = Ssh::start(&team, "password", password) else { return };
    ssh.connect(&ada, TRUST);
    let line = failure(&ada);
    assert!(line.contains("Permission denied (password)"), "{line}");
    assert!(line.contains("set up a credential helper or an ssh key"), "{line}");
    let Some(ssh) = Ssh::start(&team, "unknown", "PasswordAuthentication no") else { return };
    ssh.connect(&ada, "");
    let line = failure(&ada);
    assert!(line.contains("Host key verification failed") && line.contains("connect once with ssh"), "{line}");
    // What could not be sent arrives through the server that is known.
    ssh.connect(&ada, TRUST);
    arrives(&team, &ada);
}
