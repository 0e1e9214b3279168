//! `ait completions SHELL`: the completion file of a shell. The same files are in `completions/`. What changes, such as the
//! ids of sessions, they ask for when it is needed: `ait completions sessions`.

use argh::{ArgsInfo, FromArgs};

use super::live_sessions::LiveSession;
use super::picker::in_order;
use super::{Run, resume};
use crate::context::Context;
use crate::error::{Error, Exit, Result, on_one_line};
use crate::render::completion_tables::{elvish, nushell, xonsh};
use crate::render::completions::{bash, fish, zsh};
use crate::report::Report;
use crate::session::manifest::Manifest;
use crate::session::order::sort_by;
use crate::store::history;

/// print the completion file for a shell
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "completions",
    help_triggers("-h", "--help"),
    example = "  ait completions fish > ~/.config/fish/completions/ait.fish"
)]
pub struct Completions {
    /// zsh, bash, fish, nushell, elvish or xonsh; or what these files ask for: sessions, targets, projects, days, interrupted
    #[argh(positional)]
    shell: String,
}

impl Run for Completions {
    /// Prints the file, or the words.
    ///
    /// # Errors
    /// If the shell is another one, or the sessions cannot be read.
    fn run(&self, context: &Context) -> Result<Report> {
        let write = match self.shell.as_str() {
            "bash" => bash,
            "zsh" => zsh,
            "fish" => fish,
            "nushell" => nushell,
            "elvish" => elvish,
            "xonsh" => xonsh,
            "sessions" => return Ok(lines(sessions(&in_order(context)?))),
            "targets" => {
                let live = in_order(context)?;
                return Ok(lines(projects(&live).into_iter().chain(sessions(&live))));
            }
            "projects" => return Ok(lines(projects(&in_order(context)?))),
            "days" => return Ok(lines(days(context)?)),
            "interrupted" => return Ok(lines(interrupted(context)?)),
            other => {
                return Err(Error::new("writing completions", other, "unknown shell")
                    .hint("type one of: zsh, bash, fish, nushell, elvish, xonsh")
                    .exit(Exit::NotFound));
            }
        };
        Ok(Report::text(write(&(context.commands)())))
    }
}

/// A word and its meaning.
type Proposal = (String, String);

/// A line for each: the word, a tab, the meaning. Some shells expand what they are offered, so words that mean something to a
/// shell are left out.
fn lines(proposals: impl IntoIterator<Item = Proposal>) -> Report {
    let is_plain = |word: &str| word.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-".contains(&b));
    let proposals = proposals.into_iter().filter(|(word, _)| is_plain(word));
    Report::text(
        proposals.map(|(word, meaning)| [&word, "\t", &on_one_line(&meaning), "\n"].concat()).collect::<String>(),
    )
}

fn about(manifest: &Manifest) -> String {
    [&manifest.project, ": ", manifest.task.as_deref().unwrap_or_default()].concat()
}

/// The live sessions, blocked ones first.
fn sessions(live: &[LiveSession]) -> Vec<Proposal> {
    live.iter().map(|session| (session.session.id.to_string(), about(&session.session.manifest))).collect()
}

/// The projects of the live sessions.
fn projects(live: &[LiveSession]) -> Vec<Proposal> {
    let mut names: Vec<String> = live.iter().map(|session| session.session.manifest.project.clone()).collect();
    sort_by(&mut names, Ord::cmp);
    names.dedup();
    names.into_iter().map(|name| (name, "project".to_owned())).collect()
}

/// The days with history, the newest first.
fn days(context: &Context) -> Result<Vec<Proposal>> {
    let days = history::days(context.root()?)?.into_iter().map(|day| day.to_string());
    let words = ["today".to_owned(), "yesterday".to_owned()].into_iter().chain(days);
    Ok(words.map(|day| (day, String::new())).collect())
}

/// The sessions that `ait sessions resume` lists, and the word for all of them.
fn interrupted(context: &Context) -> Result<Vec<Proposal>> {
    let lost = resume::interrupted(context)?;
    let sessions = lost.iter().map(|manifest| (manifest.session_id.clone(), about(manifest)));
    Ok(sessions.chain([("all".to_owned(), "all of these".to_owned())]).collect())
}
