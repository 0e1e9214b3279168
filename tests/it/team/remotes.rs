//! Remotes that misbehave: nothing is lost, hooks do not wait, and one line says what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Member, Team};
use crate::common::tools::needs;
use crate::common::wait_until;

/// A server that ends with the test.
pub(super) struct Server(pub(super) Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that nobody uses.
pub(super) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub(super) fn is_open(port: u16) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// The one line of a sync that failed.
#[track_caller]
pub(super) fn failure(member: &Member<'_>) -> String {
    let output = member.run("team sync");
    assert_eq!((output.exit_code, output.stdout.as_str()), (Some(1), ""), "{output:?}");
    assert_eq!(output.stderr.lines().count(), 1, "{output:?}");
    let status: serde_json::Value = serde_json::from_str(&member.run("team status --json").stdout).unwrap();
    assert_eq!(format!("ait: {}\n", status["problem"].as_str().unwrap()), output.stderr);
    output.stderr
}

/// What was not sent while the remote was away arrives when it is back.
#[track_caller]
pub(super) fn arrives(team: &Team, member: &Member<'_>) {
    member.sync();
    assert!(team.everything().contains("\"session\":"), "{}", team.everything());
    let status = member.run("team status --json").json();
    assert_eq!(status["problem"], json!(null));
}

fn hook(team: &Team, text: &str) {
    let hook = team.remote.join("hooks/pre-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_remote_that_refuses_or_is_full_is_explained_and_nothing_is_lost() {
    let team = Team::new();
    let ada = team.ada_with_news();
    for (text, cause, step) in [
        ("exit 1", "pre-receive hook declined", "ait team join --remote URL"),
        ("echo 'fatal: No space left on device' >&2; exit 1", "declined", "the remote needs free space"),
    ] {
        hook(&team, text);
        let line = failure(&ada);
        assert!(line.contains(cause) && line.contains(step), "{line}");
    }
    fs::remove_file(team.remote.join("hooks/pre-receive")).unwrap();
    arrives(&team, &ada);
}

#[test]
fn a_remote_that_is_gone_or_was_recreated_gets_the_whole_log_again() {
    let team = Team::new();
    let ada = team.ada_with_news();
    ada.sync();
    let before = team.batches();
    fs::rename(&team.remote, team.env.path("away")).unwrap();
    let line = failure(&ada);
    assert!(line.contains("does not") && line.contains("git remote -v"), "{line}");
    team.env.git(&team.env.path(""), &format!("init --quiet --bare {}", team.remote.display()));
    arrives(&team, &ada);
    assert_eq!(team.batches(), before);
}

#[test]
fn a_log_that_someone_else_overwrote_is_restored_and_reported() {
    let team = Team::new();
    let ada = team.ada_with_news();
    ada.sync();
    let (before, name) = (team.batches(), team.git("for-each-ref --format=%(refname) refs/ait"));
    let foreign = team.git("rev-parse main");
    team.git(&format!("update-ref {name} {foreign}"));
    ada.run("team sync").success_with_warning("your records in the remote were overwritten, and have been restored");
    assert_eq!(team.batches(), before);
    // Only shortened: what is missing is sent again.
    let first = team.git(&format!("rev-list --max-parents=0 {name}"));
    team.git(&format!("update-ref {name} {first}"));
    ada.sync();
    assert_eq!(team.batches(), before);
}

#[test]
fn a_remote_that_asks_for_a_password_is_not_answered() {
    needs!("python3");
    let team = Team::new();
    let ada = team.member("Ada");
    let port = free_port();
    let script = format!(
        "import http.server\nclass H(http.server.BaseHTTPRequestHandler):\n def do_GET(s):\n  s.send_response(401); \
         s.send_header('WWW-Authenticate','Basic realm=x'); s.end_headers()\n def log_message(s,*a): pass\n\
         http.server.HTTPServer(('127.0.0.1',{port}),H).serve_forever()"
    );
    let server = Command::new("python3").args(["-c", &script]).stdin(Stdio::null()).spawn().unwrap();
    let _server = Server(server);
    wait_until("the server listens", || is_open(port));
    let output = ada.run(&format!("team join --yes --remote http://me:hunter2secret@127.0.0.1:{port}/x.git"));
    assert_eq!(output.exit_code, Some(1), "{output:?}");
    let line = failure(&ada);
    assert!(line.contains("set up a credential helper or an ssh key"), "{line}");
    assert!(!line.contains("hunter2secret") && !output.stderr.contains("hunter2secret"), "{line} {output:?}");
    assert!(!ada.run("team status").stdout.contains("hunter2secret"));
}

#[test]
fn hooks_do_not_wait_for_a_remote_that_hangs() {
    let team = Team::new();
    let ada = team.member("Ada");
    ada.join("");
    // It accepts connections and never answers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("git://127.0.0.1:{}/x.git", listener.local_addr().unwrap().port());
    team.env.git(&ada.clone, &format!("remote set-url origin {url}"));
    let state = ada.store().join("state.json");
    let mut value: serde_json::Value = serde_json::from_str(&fs::read_to_string(&state).unwrap()).unwrap();
    value["tried"] = json!(0);
    fs::write(&state, value.to_string()).unwrap();
    let client = crate::common::Client::new();
    let payload = json!({"session_id": "s1", "hook_event_name": "SessionStart", "cwd": ada.clone, "source": "startup"});
    let begin = Instant::now();
    ada.ait().child_of(&client, "s1").hook(&payload).success();
    // The limit for the remote is twenty seconds. Not a measurement: it must not be that.
    assert!(begin.elapsed() < Duration::from_secs(15));
    // The job has connected, and waits there.
    listener.set_nonblocking(true).unwrap();
    wait_until("the job has connected", || listener.accept().is_ok());
}

/// A web server around `git http-backend`, and `git daemon`.
fn serve(team: &Team, kind: &str) -> (Server, String) {
    let port = free_port();
    let base = team.env.path("");
    team.git("config http.receivepack true");
    let child = match kind {
        // Not through `git daemon`: the server would be a child, and survive.
        "git" => Command::new(Path::new(&team.git("--exec-path")).join("git-daemon"))
            .args(["--listen=127.0.0.1", &format!("--port={port}"), "--export-all", "--enable=receive-pack"])
            .args(["--reuseaddr", &format!("--base-path={}", base.display()), &base.display().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn(),
        _ => Command::new("python3")
            .args(["-c", HTTP_BACKEND, &port.to_string(), &base.display().to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn(),
    };
    let server = Server(child.unwrap());
    wait_until("the server listens", || is_open(port));
    (server, format!("{kind}://127.0.0.1:{port}/remote.git"))
}

const HTTP_BACKEND: &str = r#"
import http.server, os, subprocess, sys
class H(http.server.BaseHTTPRequestHandler):
    def go(s):
        path, _, query = s.path.partition('?')
        body = s.rfile.read(int(s.headers.get('Content-Length') or 0))
        if s.headers.get('Transfer-Encoding') == 'chunked':
            while True:
                n = int(s.rfile.readline(), 16)
                body += s.rfile.read(n); s.rfile.readline()
                if n == 0: break
        env = dict(os.environ, GIT_PROJECT_ROOT=sys.argv[2], GIT_HTTP_EXPORT_ALL='1', PATH_INFO=path, QUERY_STRING=query,
            REQUEST_METHOD=s.command, CONTENT_TYPE=s.headers.get('Content-Type') or '', CONTENT_LENGTH=str(len(body)),
            HTTP_CONTENT_ENCODING=s.headers.get('Content-Encoding') or '', GIT_PROTOCOL=s.headers.get('Git-Protocol') or '',
            REMOTE_USER='dev')
        out = subprocess.run(['git', 'http-backend'], input=body, stdout=subprocess.PIPE, env=env).stdout
        head, _, rest = out.partition(b'\r\n\r\n')
        headers = [h.split(b': ', 1) for h in head.split(b'\r\n')]
        status = [int(v.split()[0]) for k, v in headers if k == b'Status']
        s.send_response(status[0] if status else 200)
        for k, v in headers:
            if k != b'Status': s.send_header(k.decode(), v.decode())
        s.send_header('Content-Length', str(len(rest))); s.end_headers(); s.wfile.write(rest)
    do_GET = do_POST = go
    def log_message(s, *a): pass
http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), H).serve_forever()
"#;

#[test]
fn git_daemon_and_http_work_like_a_folder() {
    needs!("python3");
    for kind in ["git", "http"] {
        let team = Team::new();
        let (ada, bob) = (team.member("Ada"), team.member("Bob"));
        let (_server, url) = serve(&team, kind);
        for member in [&ada, &bob] {
            team.env.git(&member.clone, &format!("remote set-url origin {url}"));
        }
        ada.ended_session("s1", json!({}));
        ada.join("");
        bob.join("");
        assert_eq!(bob.sessions_of("Ada").len(), 1, "{kind}");
        ada.ended_session("s2", json!({}));
        ada.sync();
        bob.sync();
        assert_eq!(bob.sessions_of("Ada").len(), 2, "{kind}");
        team.git("fsck --strict");
    }
}

#[test]
fn only_files_git_http_and_ssh_are_used_to_reach_a_remote() {
    let team = Team::new();
    let ada = team.member("Ada");
    let mark = team.env.path("ran");
    let output = ada.run_args(&["team", "join", "--yes", "--remote", &format!("ext::touch% {}", mark.display())]);
    assert_eq!(output.exit_code, Some(1), "{output:?}");
    // A hook, a template and a setting of the clone are not used either.
    let script = format!("#!/bin/sh\ntouch {}\n", mark.display());
    for name in ["pre-push", "reference-transaction", "post-checkout"] {
        let hook = ada.clone.join(".git/hooks").join(name);
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        fs::write(&hook, &script).unwrap();
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let run = team.env.write_file("run", &script);
    fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).unwrap();
    for key in ["core.fsmonitor", "core.pager", "core.editor", "diff.external", "remote.origin.vcs", "core.askPass"] {
        team.env.git(&ada.clone, &format!("config {key} {}", run.display()));
    }
    ada.join("--remote origin");
    ada.sync();
    assert!(!Path::new(&mark).exists());
}
