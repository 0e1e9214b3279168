//! The folder in which everything is measured: processes that stand for clients, and a long history.

use std::fs;
use std::io::PipeWriter;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};

use crate::home::{self, Home, Spread};

/// Over how many days the archived sessions are spread.
const DAYS: usize = 400;

/// A temporary folder, and processes that end with it.
pub(crate) struct Lab {
    folder: PathBuf,
    clients: Vec<Child>,
    /// Every client reads from this pipe and ends when it is closed, even if the benchmark is killed.
    pipe: Option<PipeWriter>,
    history: PathBuf,
}

impl Lab {
    /// A lab with this many processes that stand for clients, and this many sessions in history.
    pub(crate) fn new(clients: usize, archived: usize) -> Lab {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("speed-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for the lab");
        let folder = folder.canonicalize().expect("a folder for the lab");
        let (reader, pipe) = std::io::pipe().expect("a pipe");
        let client = || {
            let stdin = Stdio::from(reader.try_clone().expect("a pipe"));
            Process::new("cat").stdin(stdin).stdout(Stdio::null()).spawn().expect("cat")
        };
        let clients = (0..clients).map(|_| client()).collect();
        let history = folder.join("history");
        write_history(&history, archived);
        Lab { folder, clients, pipe: Some(pipe), history }
    }

    /// A file or folder of the lab.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A home with this many live sessions, each registered by `ait hook` itself.
    pub(crate) fn home(&self, ait: &Path, name: &str, live: usize, spread: Spread) -> Home {
        let pids = self.clients.iter().take(live).map(Child::id).collect();
        let home = Home::new(self.folder.join(name), pids, spread);
        home.register(ait);
        // Linked only now: a session that registers looks for itself in history.
        symlink(&self.history, home.sessions().join("history")).expect("history");
        home
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        drop(self.pipe.take());
        for client in &mut self.clients {
            let _ = client.wait();
        }
        let _ = std::env::set_current_dir("/");
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Archived sessions over the last [`DAYS`] days. The manifests of one day are one file with many names.
fn write_history(folder: &Path, archived: usize) {
    let now = jiff::Timestamp::now();
    for day in 0..DAYS {
        let ended = now - jiff::SignedDuration::from_hours(24 * day as i64);
        let day_folder = folder.join(ended.strftime("%Y-%m-%d").to_string());
        fs::create_dir_all(&day_folder).expect("a day of history");
        let manifest = format!(
            r#"{{"session_id":"","project":"project{day}","path":"/home/dev/project{day}","git_branch":"main","git_dirty":false,"started":"{ended:.0}","pid":{day},"task":"What was done on day {day}","pid_start":4711,"state":"idle","updated":"{ended:.0}","model":"claude-opus-5-5","ended":"{ended:.0}","status":"completed","end_reason":"prompt_input_exit"}}"#,
        );
        let first = day_folder.join(format!("{}.json", home::id_of(day * 1000)));
        home::write(&first, &manifest);
        for session in 1..archived / DAYS {
            let name = format!("{}.json", home::id_of(day * 1000 + session));
            fs::hard_link(&first, day_folder.join(name)).expect("one more name of a manifest");
        }
    }
}
