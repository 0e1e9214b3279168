//! `ait demo`: three sessions, played in a temporary folder, and what each command says of them.
//!
//! Only Claude Code is played. This very program takes the payloads that Claude Code would send, about processes that
//! run, in a git repository with a worktree; every line shown is what a command printed.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};

use super::Run;
use crate::context::Context;
use crate::error::{Cause, Error, Result};
use crate::render::dialect::{self, Dialect};
use crate::render::line::Line;
use crate::render::theme::{ColorChoice, Role};
use crate::render::ui::Ui;
use crate::report::Report;
use crate::session::json_object::{RawObject, text};
use crate::sys::files::{self, Folder};
use crate::sys::process::{self, Companion, Typed, find_program};

/// show ait at work with three simulated sessions in a temporary folder
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand, name = "demo", help_triggers("-h", "--help"), example = "  ait demo")]
pub struct Demo {
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when", default = "ColorChoice::Auto")]
    color: ColorChoice,
}

/// How long any one step may take; each takes milliseconds.
const LIMIT: Duration = Duration::from_secs(10);
/// Keeps `git` from the system's configuration; the user's configuration is in another home.
const GIT: [(&str, &str); 5] = [
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_AUTHOR_NAME", "ait"),
    ("GIT_AUTHOR_EMAIL", "ait@localhost"),
    ("GIT_COMMITTER_NAME", "ait"),
    ("GIT_COMMITTER_EMAIL", "ait@localhost"),
];

impl Run for Demo {
    /// Plays it all.
    ///
    /// # Errors
    /// If the temporary folder cannot be created, or a program cannot be started.
    fn run(&self, context: &Context) -> Result<Report> {
        let mut stage = Stage::set_up(context, context.ui(self.color))?;
        stage.play()?;
        Ok(Report::text(std::mem::take(&mut stage.text)))
    }

    fn color(&self) -> ColorChoice {
        self.color
    }
}

/// A played session.
struct Session {
    id: &'static str,
    /// Under the played home.
    folder: &'static str,
    process: Companion,
}

struct Stage<'a> {
    context: &'a Context,
    text: String,
    ui: Ui,
    program: PathBuf,
    home: PathBuf,
    git: Option<PathBuf>,
    /// Removes the folder when this process is interrupted or killed.
    broom: Option<Companion>,
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        let broom = self.broom.take();
        if files::remove_folder(&self.home).is_ok()
            && let Some(broom) = broom
        {
            broom.kill();
        }
    }
}

/// More than once: a program that we had started may still write into the folder when we are gone.
const SWEEP: &str = r#"for pause in 0 1 1; do sleep "$pause"; rm -rf -- "$1"; done"#;

fn failed(what: impl std::fmt::Display, why: impl Into<Cause>) -> Error {
    Error::new("running the demo", what, why)
}

impl Stage<'_> {
    fn set_up(context: &Context, ui: Ui) -> Result<Stage<'_>> {
        let program =
            context.program().ok_or_else(|| failed("", "the system does not report the path of this program"))?;
        let home = files::make_temporary_folder("ait-demo")
            .map_err(|why| failed(files::temporary_folder().display(), why).hint("set TMPDIR to a writable folder"))?;
        let broom = Companion::start(SWEEP, home.as_os_str()).map_err(|why| failed("/bin/sh", why));
        if broom.is_err() {
            let _ = files::remove_folder(&home);
        }
        Ok(Stage { context, text: String::new(), ui, program, home, git: find_program("git"), broom: Some(broom?) })
    }

    fn play(&mut self) -> Result<()> {
        self.heading("ait demo");
        self.remark("Three simulated Claude Code sessions, in a temporary folder that is already deleted.");
        self.remark("Processes, hooks, files and git are real; only Claude Code is simulated.");
        let second = match self.git.clone() {
            Some(git) => self.make_repository(&git)?,
            None => self.make_folders()?,
        };

        self.heading("1. Sessions report to ait");
        self.remark("Claude Code runs this hook at its start, at each prompt and at each tool call.");
        self.remark("The hook writes one file per session.");
        let first = self.start("7c1f0a52-93be-4d1c-a3d6-2f8e5b90c714", "shop")?;
        self.tell(&first, "UserPromptSubmit", r#""prompt":"Round prices to the cent""#)?;
        let second = self.start("b40e6d19-5a27-4f83-9c02-e1d7a8f36b55", second)?;
        let third = self.start("e92d83f4-0b6c-47a1-8e5f-6c3b17d4a028", "shop")?;
        self.tell(&third, "UserPromptSubmit", r#""prompt":"Write tests for the cart""#)?;
        let tool = r#""tool_name":"Bash","tool_input":{"command":"make test"}"#;
        self.tell(&third, "PreToolUse", tool)?;
        self.tell(&third, "Notification", r#""notification_type":"permission_prompt""#)?;

        self.heading("2. Tasks");
        self.remark("The first prompt is the task, until you set another:");
        self.ait(second.folder, &["sessions", "task", "Adding the login page"])?;

        self.heading("3. Live sessions, and which one waits for you");
        self.ait("shop", &["sessions", "live"])?;
        self.ait("", &["sessions", "next"])?;
        self.ait(second.folder, &["sessions", "current"])?;

        self.heading("4. Conflicts");
        self.ait("shop", &["sessions", "conflicts"])?;

        self.heading("5. The segment for a prompt");
        self.remark("Each shell and program has its own escapes; \\e is the escape character.");
        for (dialect, _) in Dialect::ALL {
            self.show_segment("shop", dialect)?;
        }

        self.heading("6. One session ends, another is killed");
        self.tell(&first, "SessionEnd", r#""reason":"prompt_input_exit""#)?;
        drop(first);
        self.typed("~", &format!("kill -9 {}", second.process.pid()));
        second.process.kill();
        self.ait("", &["sessions", "live"])?;
        self.ait("", &["sessions", "prune"])?;
        self.ait("", &["sessions", "history"])?;

        self.heading("Install it");
        self.for_real();
        Ok(())
    }

    /// A repository with a commit and a linked worktree; says where the second session works.
    fn make_repository(&mut self, git: &Path) -> Result<&'static str> {
        self.make_folder("shop")?;
        self.git(git, &["init", "--quiet"])?;
        // `init --initial-branch` is younger than the oldest git in use.
        self.git(git, &["symbolic-ref", "HEAD", "refs/heads/main"])?;
        self.write("shop", "prices.txt", "tea 2.999\n")?;
        self.git(git, &["add", "."])?;
        self.git(git, &["commit", "--quiet", "--message", "Prices"])?;
        self.git(git, &["worktree", "add", "--quiet", "-b", "login", "../shop-login"])?;
        self.write("shop-login", "login.txt", "user\n")?;
        Ok("shop-login")
    }

    fn make_folders(&mut self) -> Result<&'static str> {
        self.remark("git is not in PATH: this uses plain folders, without branches and worktrees.");
        self.make_folder("shop")?;
        self.make_folder("blog")?;
        Ok("blog")
    }

    fn make_folder(&self, name: &str) -> Result<()> {
        let path = self.home.join(name);
        files::make_folders(&path).map_err(|why| failed(path.display(), why))
    }

    fn write(&self, folder: &str, name: &str, text: &str) -> Result<()> {
        let path = self.home.join(folder);
        Folder::open(&path)
            .and_then(|folder| folder.create_new(name, text.as_bytes(), files::PRIVATE))
            .map_err(|why| failed(path.join(name).display(), why))
    }

    fn git(&self, git: &Path, arguments: &[&str]) -> Result<()> {
        let output = self.run_program(git, "shop", arguments, &[], b"")?;
        if output.success {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stdout);
        Err(failed(format!("git {}", arguments.join(" ")), said.lines().next().unwrap_or("it failed")))
    }

    /// Starts a process and has it registered.
    fn start(&mut self, id: &'static str, folder: &'static str) -> Result<Session> {
        let process = Companion::start(":", OsStr::new("")).map_err(|why| failed("/bin/sh", why))?;
        let session = Session { id, folder, process };
        let rest = r#""source":"startup","model":"claude-sonnet-5-5""#;
        let said = self.tell(&session, "SessionStart", rest)?;
        self.show_announcement(&said);
        Ok(session)
    }

    /// The message for the user in the response of a SessionStart hook.
    fn show_announcement(&mut self, json: &str) {
        let Ok(RawObject(answer)) = RawObject::parse(json.as_bytes()) else { return };
        let Some(message) = answer.iter().find(|(name, _)| name == "systemMessage").and_then(|(_, raw)| text(raw))
        else {
            return;
        };
        self.remark("Claude Code now shows this to you and to Claude:");
        for line in message.lines() {
            self.ui.line(&mut self.text, |row| {
                row.literal("  ");
                row.text(line);
            });
        }
    }

    /// Gives a hook what Claude Code would give it; `rest` is what depends on the event.
    fn tell(&mut self, session: &Session, event: &str, rest: &str) -> Result<String> {
        let hook = if event == "SessionEnd" { "session-cleanup" } else { "session-register" };
        let cwd = self.home.join(session.folder);
        let transcript = self.home.join(".claude/projects").join(session.folder).join(format!("{}.jsonl", session.id));
        let text = |path: &Path| serde_json::to_string(&path.to_string_lossy()).map_err(|why| failed(event, why));
        let payload = format!(
            r#"{{"session_id":"{}","transcript_path":{},"cwd":{},"hook_event_name":"{event}",{rest}}}"#,
            session.id,
            text(&transcript)?,
            text(&cwd)?,
        );
        let pid = session.process.pid().to_string();
        let variables = [("CLAUDE_PID", pid.as_str()), ("CLAUDE_CODE_SESSION_ID", session.id)];
        self.typed(session.folder, &format!("ait hook {hook} < {event}.json"));
        let output =
            self.run_program(&self.program, session.folder, &["hook", hook], &variables, payload.as_bytes())?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs a command of `ait` and shows its output.
    fn ait(&mut self, folder: &str, arguments: &[&str]) -> Result<()> {
        let words: Vec<String> = arguments
            .iter()
            .map(|word| if word.contains(' ') { format!("\"{word}\"") } else { (*word).to_owned() })
            .collect();
        self.typed(folder, &format!("ait {}", words.join(" ")));
        let output = self.run_program(&self.program, folder, arguments, &[], b"")?;
        self.text.push_str(&String::from_utf8_lossy(&output.stdout));
        self.text.push('\n');
        Ok(())
    }

    fn show_segment(&mut self, folder: &str, reader: &str) -> Result<()> {
        let arguments = ["prompt", "--for", reader];
        self.typed(folder, &format!("ait {}", arguments.join(" ")));
        let output = self.run_program(&self.program, folder, &arguments, &[], b"")?;
        let said = String::from_utf8_lossy(&output.stdout);
        let said = said.trim_end_matches('\n');
        // A terminal reads one dialect by itself; of the others it should show how they are written.
        if self.ui.color && reader == "ansi" {
            self.text.push_str(said);
        } else {
            self.text.push_str(&dialect::with_escapes_shown(said));
        }
        self.text.push('\n');
        Ok(())
    }

    fn run_program(
        &self,
        program: &Path,
        folder: &str,
        arguments: &[&str],
        more: &[(&str, &str)],
        input: &[u8],
    ) -> Result<process::Output> {
        let path = self.context.path_variable("PATH").unwrap_or_default();
        let zone = self.context.path_variable("TZ").unwrap_or_default();
        let width = self.ui.width.unwrap_or(80).to_string();
        let mut variables: Vec<(&str, &OsStr)> =
            vec![("HOME", self.home.as_os_str()), ("PATH", path.as_os_str()), ("AIT_WIDTH", OsStr::new(&width))];
        // Without either, lists are plain here and segments coloured, as their readers want them.
        if self.ui.color {
            variables.push(("CLICOLOR_FORCE", OsStr::new("1")));
        } else if self.context.variable("NO_COLOR").is_some() {
            variables.push(("NO_COLOR", OsStr::new("1")));
        }
        if !zone.as_os_str().is_empty() {
            variables.push(("TZ", zone.as_os_str()));
        }
        // They decide which characters the terminal can show.
        let terminal = ["LC_ALL", "LC_CTYPE", "LANG", "TERM"].map(|name| (name, self.context.path_variable(name)));
        variables.extend(terminal.iter().filter_map(|(name, value)| Some((*name, value.as_ref()?.as_os_str()))));
        variables.extend(GIT.iter().chain(more).map(|(name, value)| (*name, OsStr::new(*value))));
        let folder = self.home.join(folder);
        Typed { program, arguments, variables: &variables, folder: &folder, input, limit: LIMIT }
            .run()
            .map_err(|why| failed(program.display(), why))
    }

    fn for_real(&mut self) {
        let installed =
            find_program("ait").is_some_and(|found| files::resolve(&found) == files::resolve(&self.program));
        let mut steps = Vec::new();
        if !installed {
            steps.push(("sh shell/install.sh", "build ait and copy it to ~/.local/bin"));
        }
        steps.push(("ait setup", "connect ait to your shells, tmux and Claude Code"));
        for (typed, what) in steps {
            self.ui.line(&mut self.text, |line| {
                line.own(format_args!("  {typed:<26}"));
                dim(line, what);
            });
        }
    }

    fn heading(&mut self, text: &str) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
        self.ui.line(&mut self.text, |line| {
            line.role(Role::Title);
            line.literal(text);
        });
    }

    fn remark(&mut self, text: &str) {
        self.ui.line(&mut self.text, |line| dim(line, text));
    }

    /// The command as the user would type it, after a prompt with the folder.
    fn typed(&mut self, folder: &str, command: &str) {
        self.ui.line(&mut self.text, |line| {
            let folder = if folder.is_empty() || folder == "~" { "~".to_owned() } else { format!("~/{folder}") };
            dim(line, &folder);
            line.literal(" $ ");
            line.literal(command);
        });
    }
}

fn dim(line: &mut Line, text: &str) {
    line.role(Role::Dim);
    line.literal(text);
    line.role(Role::Plain);
}
