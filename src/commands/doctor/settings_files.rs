//! Claude Code's settings files.

use std::path::PathBuf;

use super::check::{Check, Findings, Status};
use crate::commands::hooks;

pub(super) fn of_settings(paths: &hooks::InstallPaths) -> Check {
    let file = paths.settings();
    let shown = paths.show(&file);
    let mut findings = Findings::default();
    let found = hooks::read_settings("reading the settings", &file);
    let there = matches!(found, Ok(Some(_)));
    match found {
        Err(error) => findings.add(Status::Fail, error.to_string(), None),
        Ok(found) => {
            let found = found.unwrap_or_default();
            if found.all_disabled {
                let detail = format!("{shown}: \"disableAllHooks\" is true, so no hook and no status line runs");
                findings.add(Status::Fail, detail, Some("remove that line from the file"));
            }
            if let Some(line) = found.loose {
                let why = "Claude Code ignores a settings file with comments or trailing commas as a whole";
                findings.add(Status::Fail, format!("{shown}, line {line}: {why}"), Some("remove them from the file"));
            }
            if let Some(why) = &found.misshapen {
                findings.add(Status::Fail, format!("{shown}: {why}"), Some("correct it, then type: ait hooks install"));
            }
            // The administrator's word stands above the user's.
            let managed = hooks::managed_remark(paths);
            if let Some(remark) = &managed {
                findings.add(Status::Fail, remark, None);
            }
            if hooks::read_settings("", &paths.managed).is_err() {
                let shown = paths.show(&paths.managed);
                findings.add(
                    Status::Warn,
                    format!("{shown}: not readable, so it is unknown whether it disables hooks"),
                    None,
                );
            }
            for file in project_settings(paths).into_iter().filter(|project| *project != file) {
                if hooks::read_settings("", &file).ok().flatten().is_some_and(|found| found.all_disabled) {
                    let detail =
                        format!("{}: \"disableAllHooks\" is true, so no hook runs in this folder", paths.show(&file));
                    findings.add(Status::Warn, detail, Some("remove that line from the file"));
                }
            }
            let remarks = hooks::settings_remarks(paths, &file, &Default::default());
            for remark in remarks.into_iter().filter(|remark| managed.as_ref() != Some(remark)) {
                findings.add(Status::Warn, remark, None);
            }
        }
    }
    let fine = if there { shown } else { format!("{shown} does not exist, which is fine") };
    findings.check("settings", fine)
}

/// The settings of the project in this folder.
pub(super) fn project_settings(paths: &hooks::InstallPaths) -> Vec<PathBuf> {
    let names = ["settings.json", "settings.local.json"];
    let folder = paths.folder.as_ref().map(|folder| folder.join(".claude"));
    folder.iter().flat_map(|folder| names.map(|name| folder.join(name))).collect()
}
