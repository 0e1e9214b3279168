//! Whether shells, tmux and starship load ait.

use std::path::Path;

use super::check::{Check, Findings, STARTUP_LIMIT, Status};
use crate::commands::frameworks;
use crate::commands::hooks;
use crate::commands::startup::{self, Folders};
use crate::context::Context;
use crate::sys::files;

/// Where a startup file loads ait, and beside which frameworks. `None`: it does not.
pub(super) fn of_startup_file(
    file: &startup::StartupFile,
    folders: &Folders,
    paths: &hooks::InstallPaths,
    findings: &mut Findings,
) -> Option<String> {
    let read = |path: &Path| Some(String::from_utf8_lossy(&files::read(path, STARTUP_LIMIT).ok()?).into_owned());
    let lines = startup::lines(&file.file, folders, &read);
    let found = startup::find(file.target, &lines)?;
    let shown = paths.show(&found.file);
    if let Some((later, line, what)) = &found.later {
        let of = if *later == found.file { String::new() } else { format!(" of {shown}") };
        let detail = format!(
            "{}: `{what}` on line {line} comes after the ait line, line {}{of}, and may override it",
            paths.show(later),
            found.line
        );
        let fix = match *later == found.file {
            true => "move the ait line to the end of the file".to_owned(),
            false => format!("move the ait line to the end of {}", paths.show(&file.file)),
        };
        findings.add(Status::Warn, detail, Some(&fix));
    }
    if file.target == "zsh" && frameworks::hides_right_prompt(startup::active(&lines)) {
        let detail = format!("{}: a zle widget sets RPS1 and does not redraw the prompt", paths.show(&file.file));
        findings.add(Status::Warn, detail, Some("add to that widget: zle reset-prompt"));
    }
    let mut frameworks = frameworks::names(startup::active(&lines));
    if file.target == "fish" && startup::has_tide(folders, &read) {
        frameworks.push("tide".to_owned());
    }
    let beside = if frameworks.is_empty() { String::new() } else { format!(", with {}", frameworks.join(", ")) };
    Some(format!("{} ({shown}, line {}{beside})", file.target, found.line))
}

pub(super) fn of_shell(context: &Context, paths: &hooks::InstallPaths) -> Check {
    let mut findings = Findings::default();
    let Some(folders) = Folders::find(context) else {
        findings.add(Status::Warn, "HOME is not set", None);
        return findings.check("shell", "");
    };
    let places = startup::places(&folders);
    let mut loaded = Vec::new();
    for file in &places {
        let Some(text) = of_startup_file(file, &folders, paths, &mut findings) else { continue };
        // Read through another file too: it is there once.
        if !loaded.contains(&(file.target, text.clone())) {
            loaded.push((file.target, text));
        }
    }
    let shell = context.path_variable("SHELL").and_then(|shell| Some(shell.file_name()?.to_str()?.to_owned()));
    // The program of nushell has a shorter name.
    let target = shell.as_deref().map(|shell| if shell == "nu" { "nushell" } else { shell });
    let mine = places.iter().find(|file| target == Some(file.target));
    let is_loaded = |target: &str| loaded.iter().any(|(name, _)| *name == target);
    // starship places it in any shell.
    let missing = mine.filter(|mine| !is_loaded(mine.target) && !is_loaded("starship"));
    match (missing, loaded.is_empty()) {
        (Some(mine), _) => findings.add(
            Status::Warn,
            format!("your shell is {}, and {} does not load ait", mine.target, paths.show(&mine.file)),
            Some(&format!("ait setup --only {}", mine.target)),
        ),
        (None, true) => findings.add(Status::Warn, "no shell, tmux or starship loads ait", Some("ait init --help")),
        _ => {}
    }
    let mut names: Vec<String> = loaded.into_iter().map(|(_, text)| text).collect();
    if context.variable("TERM_PROGRAM").as_deref() == Some("vscode") {
        names.push("the shell integration of VS Code".to_owned());
    }
    findings.check("shell", names.join(", "))
}
