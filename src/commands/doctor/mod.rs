//! `ait doctor`: diagnoses problems and suggests fixes.
//!
//! Each check looks at the real thing: settings, scripts, folders, records of running clients, startup files, and a
//! prompt that is really made. A check that does not come out well says why, and what to type. `--fix` does what can be
//! done without asking, and looks again.

mod check;
mod firing;
mod fix;
mod folders;
mod installed_hooks;
mod profiles;
mod program;
mod sessions;
mod settings_files;
mod speed;
mod startup_files;
mod team;

use argh::{ArgsInfo, FromArgs};
use serde::Serialize;

use super::Run;
use super::hooks;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::render::json;
use crate::render::theme::{ColorChoice, Role};
use crate::render::ui::{Ui, put};
use crate::report::{Data, Report};
use crate::store::active;

use self::check::{Check, Findings, Status};
use self::firing::{firing, of_client, running_clients};
use self::fix::fix_problems;
use self::folders::of_folders;
use self::installed_hooks::of_hooks;
use self::profiles::of_profiles;
use self::program::{on_path, program};
use self::sessions::{manifests, stale};
use self::settings_files::of_settings;
use self::speed::{of_config, of_log, of_prompt};
use self::startup_files::of_shell;
use self::team::of_team;
/// diagnose problems and suggest fixes
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "doctor",
    help_triggers("-h", "--help"),
    example = "  ait doctor        check everything\n  ait doctor --fix  reinstall hooks, correct modes, archive stale sessions"
)]
pub struct Doctor {
    /// fix what can be fixed safely, then check again
    #[argh(switch)]
    fix: bool,
    /// print one JSON object
    #[argh(switch)]
    json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when", default = "ColorChoice::Auto")]
    color: ColorChoice,
}

#[derive(Serialize)]
struct Examination {
    checks: Vec<Check>,
    /// The corrections that `--fix` made, a sentence each.
    mended: Vec<String>,
    /// The text leaves out checks that came out well.
    #[serde(skip)]
    only_problems: bool,
}

/// The problems that are left after `ait setup`, and how many there are.
pub(super) fn verdict(context: &Context) -> Report {
    Report::new(Examination { checks: run_checks(context), mended: Vec::new(), only_problems: true })
}

impl Run for Doctor {
    /// Looks at everything.
    fn run(&self, context: &Context) -> Result<Report> {
        let mut examination = Examination { checks: run_checks(context), mended: Vec::new(), only_problems: false };
        let mut remarks = Vec::new();
        if self.fix {
            examination.mended = fix_problems(context, &examination.checks, &mut remarks);
            examination.checks = run_checks(context);
        }
        let failed = examination.checks.iter().any(|check| check.status == Status::Fail);
        let exit = if failed { Exit::Failed } else { Exit::Done };
        Ok(Report::new(examination).remarks(remarks).exit(exit))
    }

    fn json(&self) -> bool {
        self.json
    }

    fn color(&self) -> ColorChoice {
        self.color
    }
}

impl Data for Examination {
    fn json(&self) -> Option<String> {
        json::object(self)
    }

    fn text(&self, ui: &Ui) -> String {
        written(self, ui)
    }
}

fn written(report: &Examination, ui: &Ui) -> String {
    let mut out = String::new();
    for done in &report.mended {
        ui.line(&mut out, |line| {
            line.literal("Fixed: ");
            line.text(done);
        });
    }
    let is_shown = |check: &&Check| !report.only_problems || check.status != Status::Ok;
    for check in report.checks.iter().filter(is_shown) {
        ui.line(&mut out, |line| {
            let (word, role) = match check.status {
                Status::Ok => ("ok    ", Role::Dim),
                Status::Warn => ("warn  ", Role::Waiting),
                Status::Fail => ("fail  ", Role::Error),
            };
            put(line, role, word.trim_end());
            line.own(format_args!("{:1$}{2:<12}", "", word.len() - word.trim_end().len(), check.name));
            line.text(&check.detail);
        });
        if let Some(fix) = &check.fix {
            ui.line(&mut out, |line| {
                line.own(format_args!("{:18}", ""));
                put(line, Role::Dim, "fix:");
                line.literal(" ");
                line.text(fix);
            });
        }
    }
    let count = |status| report.checks.iter().filter(|check| check.status == status).count();
    let text = match (count(Status::Warn), count(Status::Fail)) {
        (0, 0) => "No problems found.".to_owned(),
        (warn, fail) => format!("{} ok, {warn} warn, {fail} fail.", count(Status::Ok)),
    };
    ui.line(&mut out, |line| line.literal(&text));
    out
}

/// Every check, in an order in which the first that fails is often the reason for the rest.
fn run_checks(context: &Context) -> Vec<Check> {
    let now = context.now;
    let mut checks = vec![program()];
    let (root, paths) = (context.root(), hooks::InstallPaths::find(context));
    let (root, paths) = match (&root, &paths) {
        (Ok(root), Ok(paths)) => (*root, paths),
        (Err(error), _) | (_, Err(error)) => {
            let mut findings = Findings::default();
            findings.add(Status::Fail, error.to_string(), None);
            checks.push(findings.check("folders", ""));
            return checks;
        }
    };
    checks.push(on_path(paths));
    checks.push(of_settings(paths));
    let (of_hooks, installed) = of_hooks(root, paths);
    checks.push(of_hooks);
    checks.push(of_folders(root));
    checks.push(of_profiles(root, paths));
    let running = running_clients(root);
    let active = active::read_all(root);
    checks.push(match &active {
        Ok(active) => firing(root, paths, active, &running, installed, now),
        Err(error) => {
            let mut findings = Findings::default();
            findings.add(Status::Fail, error.to_string(), None);
            findings.check("firing", "")
        }
    });
    let active = active.unwrap_or_default();
    checks.push(manifests(root, &active));
    checks.push(stale(root, &active, now));
    checks.push(of_client(&running));
    checks.push(of_shell(context, paths));
    checks.push(of_prompt(context, paths));
    checks.push(of_config(context, paths));
    checks.push(of_team(now));
    checks.push(of_log(root, paths, now));
    checks
}
