//! `ait setup` and `ait uninstall`: everything that connects ait to shells, tmux, starship and Claude Code, in one step
//! each way.

mod ask;
mod block;
mod places;
mod plan;
mod record;
mod removal;
mod uninstall;

use argh::{ArgsInfo, FromArgs};

pub use uninstall::Uninstall;

use self::ask::confirm;
use self::places::{CLAUDE, Places};
use self::plan::{DOING, Plan};
use self::record::Record;
use super::hooks::{self, Install, InstallPaths};
use super::live::Live;
use super::{Run, doctor};
use crate::claude::settings::Hook;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::render::ui::Ui;
use crate::report::{Data, Report};
use crate::sys::files;

/// set up shells, tmux, completions and Claude Code's hooks in one step
#[derive(FromArgs, ArgsInfo, Clone, Debug, Default)]
#[argh(
    subcommand,
    name = "setup",
    help_triggers("-h", "--help"),
    example = "  ait setup                 show the changes, ask, then make them\n  ait setup --dry-run       only show them\n  ait setup --only zsh,tmux",
    note = "Names for --only: zsh, bash, fish, nushell, elvish, xonsh, tmux, starship and claude.\nWithout it, all that are used here, except starship: the shells show the segment beside it."
)]
pub struct Setup {
    /// make the changes without asking
    #[argh(switch, short = 'y')]
    yes: bool,
    /// show the changes, and make none
    #[argh(switch)]
    dry_run: bool,
    /// only these, separated by commas
    #[argh(option, arg_name = "names")]
    only: Option<String>,
}

impl Run for Setup {
    /// Changes every file or, if one cannot be changed, says so and goes on with the others.
    ///
    /// # Errors
    /// If a name is unknown, a file cannot be read, or standard input is not a terminal.
    fn run(&self, context: &Context) -> Result<Report> {
        let (places, paths) = (Places::find(context)?, InstallPaths::find(context)?);
        let targets = plan::chosen(self.only.as_deref(), &places)?;
        let mut plan = plan::plan(context, &places, &targets)?;
        let with_claude = self.only.as_deref().is_none_or(|only| only.split(',').any(|name| name.trim() == CLAUDE));
        let hooks = if with_claude { plan_hooks(&paths, &mut plan)? } else { None };
        let is_done = plan.steps.is_empty() && hooks.is_none();
        let problems = std::mem::take(&mut plan.problems);
        if self.dry_run {
            let diff = if is_done { "Nothing would be changed.\n" } else { &plan.diff };
            return Ok(Report::text(format!("{diff}{}", plan.notes)).remarks(problems));
        }
        if is_done {
            let text = if problems.is_empty() { "Nothing to change: ait is set up.\n" } else { "" };
            return Ok(finish(context, format!("{text}{}", plan.notes), problems));
        }
        if !self.yes && !confirm(context, &format!("{}{}\n", plan.diff, plan.notes), "Make these changes?")? {
            return Ok(Report::text("Nothing was changed.\n"));
        }
        let (text, failed) = apply(&places, &paths, &plan, hooks)?;
        Ok(finish(context, text + &plan.notes, [problems, failed].concat()))
    }
}

/// The hooks to install, if something is to be changed for them.
fn plan_hooks(paths: &InstallPaths, plan: &mut Plan) -> Result<Option<Install>> {
    let found = hooks::read_settings(DOING, &paths.settings())?.unwrap_or_default();
    let is_ours = found.installed.iter().any(|entry| entry.hook == Hook::Statusline);
    let mut names = Vec::new();
    if found.plugin {
        plan.notes.push_str("Claude Code: the plugin is enabled, so no hooks are installed.\n");
    } else {
        names.extend([Hook::Register, Hook::Cleanup]);
    }
    if is_ours || !found.has_status_line {
        names.push(Hook::Statusline);
    } else {
        plan.notes
            .push_str("Claude Code's status line is yours; to add ait to it, type: ait hooks install statusline\n");
    }
    let names: Vec<String> = names.into_iter().map(|hook| hook.name().to_owned()).collect();
    if names.is_empty() {
        return Ok(None);
    }
    match hooks::install_diff(paths, &names) {
        Ok(diff) if diff.is_empty() => Ok(None),
        Ok(diff) => {
            plan.diff.push_str(&diff);
            Ok(Some(Install { names, dry_run: false }))
        }
        Err(error) => {
            plan.notes.push_str(&format!("{error}\n"));
            Ok(None)
        }
    }
}

/// Makes the changes. Returns what was done, and what could not be.
fn apply(places: &Places, paths: &InstallPaths, plan: &Plan, hooks: Option<Install>) -> Result<(String, Vec<String>)> {
    record(places, paths, plan)?;
    let suffix = paths.suffix();
    let (mut out, mut reload, mut problems) = (String::new(), Vec::new(), Vec::new());
    for step in &plan.steps {
        match step.edit(&suffix).edit(|current| step.change(current)) {
            Ok(done) => {
                out.push_str(&format!("{:<21} {}\n", step.what, places.show(&done.file)));
                if let Some(copy) = done.backup {
                    out.push_str(&format!("{:<21} {}\n", "  backup", places.show(&copy)));
                }
                if !step.reload.is_empty() {
                    reload.push(step.reload.replace("FILE", &places.show(&step.path)));
                }
            }
            Err(error) => {
                problems.push(error.to_string());
                if let Some(lines) = step.to_add() {
                    let file = places.show(&step.path);
                    out.push_str(&format!("{}: {file} is unchanged. Add by hand:{lines}", step.what));
                }
            }
        }
    }
    if let Some(install) = hooks {
        match hooks::install_in(paths, &install) {
            Ok(_) => out.push_str(&format!("{:<21} {}\n", "Claude Code", places.show(&paths.settings()))),
            Err(error) => problems.push(error.to_string()),
        }
    }
    if !reload.is_empty() {
        out.push_str(&format!("New shells show the segment. In one that is open, type: {}\n", reload.join(", or ")));
    }
    Ok((out, problems))
}

/// Notes what does not exist yet, before it is created.
fn record(places: &Places, paths: &InstallPaths, plan: &Plan) -> Result<()> {
    let folder = places.config.join("ait");
    let mut record = Record::read(&folder);
    let scripts = paths.scripts().join("x");
    let settings = paths.settings();
    // Of what ait writes later on, the folders that others may use too.
    let later = [places.folders.home.join(".cache/ait/x"), paths.claude.join("sessions/x"), folder.join("x")];
    let own = plan.steps.iter().map(|step| step.path.clone()).chain([settings, scripts.clone()]);
    for path in own.chain(later.clone()) {
        record.add_missing_folders(&path, &places.folders.home);
        if path != scripts && !later.contains(&path) && !files::exists(&path) {
            record.add_file(&path);
        }
    }
    record.write(&folder)
}

/// The end: sessions that run already, and the problems that are left.
struct Finished {
    text: String,
    live: Option<Report>,
    verdict: Report,
}

fn finish(context: &Context, text: String, problems: Vec<String>) -> Report {
    let live = Live::default().run(context).ok();
    let exit = if problems.is_empty() { Exit::Done } else { Exit::Failed };
    Report::new(Finished { text, live, verdict: doctor::verdict(context) }).remarks(problems).exit(exit)
}

impl Data for Finished {
    fn text(&self, ui: &Ui) -> String {
        let live = self.live.as_ref().map(|live| live.stdout(ui, false)).unwrap_or_default();
        format!("{}\n{live}\n{}", self.text, self.verdict.stdout(ui, false))
    }
}
