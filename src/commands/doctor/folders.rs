//! The folders and files of ait: modes and owners.

use std::path::{Path, PathBuf};

use super::check::{Check, DAYS, FIX, Findings, Status};
use crate::claude::settings;
use crate::session::id::SessionId;
use crate::store::history;
use crate::store::root::Root;
use crate::sys::files::{self, Folder, Kind};
use crate::sys::process;

/// The folders of ait.
pub(super) fn own_folders(root: &Root) -> Vec<PathBuf> {
    let mut folders = vec![root.active(), root.history(), root.cache().to_owned(), root.cache().join("seen")];
    folders.extend(days(root).into_iter().map(|day| root.history().join(day.to_string())));
    folders
}

pub(super) fn days(root: &Root) -> Vec<history::Day> {
    let mut days = history::days(root).unwrap_or_default();
    days.truncate(DAYS);
    days
}

/// Checks the folders, and the modes of the folders and the files in them.
pub(super) fn of_folders(root: &Root) -> Check {
    let mut findings = Findings::default();
    let me = process::user_id();
    // Claude Code's own; it sets the mode itself at each start.
    match files::metadata(root.path()) {
        Ok(meta) if meta.kind != Kind::Folder => {
            findings.add(Status::Fail, format!("{} is not a folder", root.path().display()), None);
        }
        Ok(meta) if meta.owner != me => {
            let detail = format!("{} belongs to another user", root.path().display());
            findings.add(Status::Fail, detail, Some("set AIT_SESSIONS_DIR to a folder that you own"));
        }
        _ => {}
    }
    let mut there = 0;
    for path in own_folders(root) {
        let shown = path.display();
        let Ok(meta) = files::link_metadata(&path) else {
            match nearest_folder(&path) {
                Some(above) if !files::is_writable(&above) => findings.add(
                    Status::Fail,
                    format!("{shown} does not exist and cannot be created: {} is not writable", above.display()),
                    None,
                ),
                _ => {}
            }
            continue;
        };
        there += 1;
        of_folder(&mut findings, &path, &meta);
    }
    of_files(&mut findings, root);
    let fine = if there == 0 {
        "not created yet".to_owned()
    } else {
        format!("{}: private, owned by you", root.path().display())
    };
    findings.check("folders", fine)
}

/// The kind, owner and mode of one folder.
fn of_folder(findings: &mut Findings, path: &Path, meta: &files::Meta) {
    let shown = path.display();
    let quoted = settings::quote(&path.to_string_lossy());
    if meta.kind == Kind::Link {
        let detail = format!("{shown} is a symlink, which ait does not follow: nothing is written there");
        findings.add(Status::Fail, detail, Some("remove the link; to move the whole folder, set AIT_SESSIONS_DIR"));
    } else if meta.kind != Kind::Folder {
        findings.add(Status::Fail, format!("{shown} is not a folder"), Some(&format!("rm {quoted}")));
    } else if meta.owner != process::user_id() {
        findings.add(Status::Fail, format!("{shown} belongs to another user"), None);
    } else if meta.mode & 0o700 != 0o700 || !files::is_writable(path) {
        let detail = format!("{shown} cannot be read or written (mode {:04o})", meta.mode);
        findings.add(Status::Fail, detail, Some(FIX));
    } else if meta.mode & 0o022 != 0 {
        let detail = format!("others can write to {shown} (mode {:04o})", meta.mode);
        findings.add(Status::Fail, detail, Some(FIX));
    } else if meta.mode & 0o077 != 0 {
        findings.add(Status::Warn, format!("others can read {shown} (mode {:04o})", meta.mode), Some(FIX));
    }
}

/// The kind, owner and mode of each file.
fn of_files(findings: &mut Findings, root: &Root) {
    for (path, meta) in own_files(root) {
        let shown = path.display();
        if meta.owner != process::user_id() {
            let detail = format!("{shown} belongs to another user and is not read");
            findings.add(Status::Warn, detail, Some("remove it if you do not expect it there"));
        } else if meta.kind != Kind::File {
            findings.add(Status::Warn, format!("{shown} is not a regular file and is not read"), Some("remove it"));
        } else if meta.mode & 0o077 != 0 {
            let status = if meta.mode & 0o022 != 0 { Status::Fail } else { Status::Warn };
            findings.add(status, format!("others can read or write {shown} (mode {:04o})", meta.mode), Some(FIX));
        }
    }
}

pub(super) fn nearest_folder(path: &Path) -> Option<PathBuf> {
    path.ancestors().skip(1).find(|above| files::exists(above)).map(Path::to_owned)
}

/// The manifests and write logs, those of the newest days only.
pub(super) fn own_files(root: &Root) -> Vec<(PathBuf, files::Meta)> {
    let mut found = Vec::new();
    let folders = std::iter::once(root.active());
    for path in folders.chain(days(root).into_iter().map(|day| root.history().join(day.to_string()))) {
        let Ok(folder) = Folder::open_own(&path) else { continue };
        let _ = folder.each_name(|name| {
            let ours = SessionId::from_file_name(name).is_some() || name.ends_with(".touched");
            if let Some(meta) = folder.meta_of(name).ok().filter(|_| ours) {
                found.push((path.join(name), meta));
            }
        });
    }
    found
}
