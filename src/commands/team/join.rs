//! `ait team join`, `leave` and `preview`: whether and what the user shares.

use std::time::Duration;

use argh::{ArgsInfo, FromArgs};

use super::here::{store_here, tree_here, unsent_records};
use super::status::report_of;
use super::sync::locked_sync;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::git::{Settings, Tree};
use crate::report::Report;
use crate::store::history::Day;
use crate::sys::terminal;
use crate::team::own;
use crate::team::record::{Level, clean_name};
use crate::team::store::{self, Store};

/// How long to wait for a sync in the background.
const LOCK_LIMIT: Duration = Duration::from_secs(90);

/// share what you work on in this repository with its team
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "join",
    help_triggers("-h", "--help"),
    example = "  ait team join\n  ait team join --share tasks --remote git@example.org:team/records.git"
)]
pub(super) struct Join {
    /// share through this remote: its name here, or a URL (default: origin)
    #[argh(option, arg_name = "remote")]
    remote: Option<String>,
    /// your name (default: user.name of git)
    #[argh(option, arg_name = "name")]
    name: Option<String>,
    /// time (the default), tasks (also the tasks you set), or all (also titles and files)
    #[argh(option, arg_name = "level")]
    share: Option<Level>,
    /// do not ask
    #[argh(switch)]
    yes: bool,
    /// print one JSON object
    #[argh(switch)]
    pub(super) json: bool,
}

impl Join {
    /// Shows what would be shared, asks, and sends it. Joining again changes the name, the level or the remote.
    ///
    /// # Errors
    /// If there is no repository, remote or name, the user does not agree, or the remote refuses.
    pub(super) fn run(&self, context: &Context) -> Result<Report> {
        let tree = tree_here(context, "joining a team")?;
        let settings = Settings::of_clone(&tree.root)?;
        let before = store::of_clone(&tree.common_dir);
        let (remote, url) = self.remote(&settings, &tree, before.as_ref())?;
        let mut store = Store::for_url(&url)?;
        // Of a store that is not written yet there is nothing to wait for.
        let _guard = store.lock(LOCK_LIMIT)?;
        let is_new = !store.state.is_joined();
        let state = &mut store.state;
        if let Some(name) = self.name.as_deref().or_else(|| settings.get("user.name").filter(|_| state.name.is_empty()))
        {
            state.name = clean_name(name).into_owned();
        }
        if state.name.is_empty() {
            return Err(Error::new("joining a team", "--name", "git has no user.name to use")
                .hint("type: ait team join --name NAME")
                .exit(Exit::NotFound));
        }
        state.share = self.share.unwrap_or(state.level()).as_str().to_owned();
        if is_new {
            let zone = context.time_zone();
            let midnight = Day::of(context.now, &zone).0.at(0, 0, 0, 0).to_zoned_datetime(zone);
            state.not_before = midnight.map_or(context.now, |midnight| midnight.timestamp()).as_second();
        }
        state.remote = remote;
        state.url = store::shown_url(&url);
        state.left.retain(|common| *common != tree.common_dir);
        state.clones.retain(|(_, common)| *common != tree.common_dir);
        state.clones.push((tree.root.clone(), tree.common_dir.clone()));
        state.last_tree.clone_from(&tree.root);
        self.agree(context, &store)?;
        if let Some(mut before) = before.filter(|before| before.path() != store.path()) {
            leave(&mut before, &tree)?;
        }
        store.save()?;
        match locked_sync(context, &mut store, None) {
            Ok(_) => Ok(report_of(context, store, "Joined.\n".to_owned())),
            Err(error) => {
                Ok(report_of(context, store, "Joined, but nothing was sent yet.\n".to_owned()).exit(Exit::Failed))
                    .map(|report| report.remark(error.to_string()))
            }
        }
    }

    fn remote(&self, settings: &Settings, tree: &Tree, before: Option<&Store>) -> Result<(String, String)> {
        let names = settings.remotes();
        let usual = || match names.as_slice() {
            [only] => Some((*only).to_owned()),
            names => names.iter().find(|name| **name == "origin").map(|name| (*name).to_owned()),
        };
        let remote = self.remote.clone().or_else(|| before.map(|store| store.state.remote.clone())).or_else(usual);
        let Some(remote) = remote else {
            let why = if names.is_empty() { "this repository has no remote" } else { "choose one of several remotes" };
            return Err(Error::new("joining a team", names.join(", "), why)
                .hint("type: ait team join --remote REMOTE")
                .exit(Exit::NotFound));
        };
        match settings.url(&remote, &tree.root) {
            Some(url) => Ok((remote, url)),
            None => Err(Error::new("joining a team", remote, "neither a remote of this repository nor a URL")
                .hint(format!("its remotes: {}", names.join(", ")))
                .exit(Exit::NotFound)),
        }
    }

    /// Shows what will be sent, and asks.
    fn agree(&self, context: &Context, store: &Store) -> Result<()> {
        if self.yes {
            return Ok(());
        }
        let refused = |why: &'static str| {
            Error::new("joining a team", "", why).hint("to agree to it, type: ait team join --yes").exit(Exit::NotFound)
        };
        if !context.stdin_is_terminal || !context.stderr_is_terminal {
            return Err(refused("this needs your consent; ait team join asks for it on a terminal"));
        }
        let batches = preview(context, store)?;
        let text = format!(
            "This goes to everyone who can read {}, now and after each session (level {}):\n\n{}\nShare it? [y/N] ",
            crate::error::on_one_line(&store.state.url),
            store.state.level().as_str(),
            batches.concat()
        );
        match terminal::ask(&text) {
            Ok(true) => Ok(()),
            Ok(false) => Err(refused("nothing is shared")),
            Err(why) => Err(Error::new("joining a team", "standard input", why)),
        }
    }
}

/// The batches that would leave with the next sync.
fn preview(context: &Context, store: &Store) -> Result<Vec<String>> {
    let records = unsent_records(context, &store.state)?;
    let bare = store.repository()?;
    own::unsent(&bare, &store.state, records, context.now)
        .map_err(|why| Error::new("reading the own records", store.path().display(), why))
}

/// print exactly what the next sync would send
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand, name = "preview", help_triggers("-h", "--help"), example = "  ait team preview")]
pub(super) struct Preview {}

impl Preview {
    /// Prints the bytes of the batches.
    ///
    /// # Errors
    /// If this repository does not share, or git fails.
    pub(super) fn run(&self, context: &Context) -> Result<Report> {
        let (mut store, _) = store_here(context)?;
        let _guard = store.lock(LOCK_LIMIT)?;
        Ok(Report::text(preview(context, &store)?.concat()))
    }
}

/// stop sharing what you work on in this repository
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand, name = "leave", help_triggers("-h", "--help"), example = "  ait team leave")]
pub(super) struct Leave {
    /// print one JSON object
    #[argh(switch)]
    pub(super) json: bool,
}

impl Leave {
    /// Nothing is sent any more. What was sent stays in the remote.
    ///
    /// # Errors
    /// If this repository does not share.
    pub(super) fn run(&self, context: &Context) -> Result<Report> {
        let (mut store, tree) = store_here(context)?;
        let guard = store.lock(LOCK_LIMIT)?;
        leave(&mut store, &tree)?;
        drop(guard);
        let stays = "your records stay in the remote; to remove them, type: ait team forget --all";
        Ok(report_of(context, store, "Left.\n".to_owned()).remark(stays))
    }
}

fn leave(store: &mut Store, tree: &Tree) -> Result<()> {
    store.state.clones.retain(|(_, common)| *common != tree.common_dir);
    store.state.left.push(tree.common_dir.clone());
    store.save()
}
