//! `ait uninstall`: removes everything that `ait setup`, `ait hooks install` and the documentation put anywhere.

use std::path::{Path, PathBuf};

use argh::{ArgsInfo, FromArgs};

use super::ask::confirm;
use super::places::{Places, TARGETS};
use super::plan::{LIMIT, OWN_FILE, man_page};
use super::record::Record;
use super::removal::without_ait;
use crate::commands::hooks::{self, InstallPaths};
use crate::commands::init::{Init, text_for};
use crate::commands::{Run, startup};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::render::{diff, width};
use crate::report::Report;
use crate::store::profiles::cache_home;
use crate::store::{profiles, revision};
use crate::sys::atomic_edit::{AtomicEdit, Change, Current};
use crate::sys::files::{self, Folder};

const DOING: &str = "uninstalling";

/// remove everything that ait put into shells, tmux, starship and Claude Code
#[derive(FromArgs, ArgsInfo, Clone, Debug, Default)]
#[argh(
    subcommand,
    name = "uninstall",
    help_triggers("-h", "--help"),
    example = "  ait uninstall               show the changes, ask, then make them\n  ait uninstall --yes         without asking; sessions and history stay\n  ait uninstall --yes --history"
)]
pub struct Uninstall {
    /// make the changes without asking
    #[argh(switch, short = 'y')]
    yes: bool,
    /// show the changes, and make none
    #[argh(switch)]
    dry_run: bool,
    /// also delete the sessions and their history
    #[argh(switch)]
    history: bool,
}

impl Run for Uninstall {
    /// Removes all of it or, if something cannot be removed, says so and goes on with the rest.
    ///
    /// # Errors
    /// If standard input is not a terminal, or the settings of Claude Code do not parse.
    fn run(&self, context: &Context) -> Result<Report> {
        let (places, paths) = (Places::find(context)?, InstallPaths::find(context)?);
        let removal = Removal::find(context, &places)?;
        let shown = removal.shown(&places) + &hooks::uninstall_diff(&paths)?;
        if self.dry_run {
            return Ok(Report::text(if shown.is_empty() { "Nothing would be changed.\n".into() } else { shown }));
        }
        if !self.yes && !confirm(context, &shown, "Remove all this?")? {
            return Ok(Report::text("Nothing was changed.\n"));
        }
        let sessions = sessions(context);
        let with_history = !sessions.is_empty()
            && (self.history || !self.yes && confirm(context, "", "Delete the sessions and their history too?")?);
        let mut problems = Vec::new();
        removal.apply(&paths, &mut problems);
        if let Err(error) = hooks::uninstall_in(&paths, &hooks::Uninstall::default()) {
            problems.push(error.to_string());
        }
        let record = Record::read(&places.config.join("ait"));
        removal.remove_copies(&paths, &record);
        if with_history {
            sessions.iter().for_each(|folder| remove_folder(folder, &mut problems));
        }
        remove_folders(&places, &record, &mut problems);
        let left: Vec<String> =
            sessions.iter().filter(|folder| files::exists(folder)).map(|path| places.show(path)).collect();
        let exit = if problems.is_empty() { Exit::Done } else { Exit::Failed };
        Ok(Report::text(last_words(&places, &removal, &left)).remarks(problems).exit(exit))
    }
}

/// A file of the user or of ait, and what is left of it.
struct Edit {
    path: PathBuf,
    target: &'static str,
    /// All of it is ait's.
    is_own: bool,
}

/// All files from which something is to be removed.
struct Removal {
    edits: Vec<Edit>,
    record: Record,
    /// The text that `ait init starship` prints.
    starship: String,
    /// The folder of another profile that has hooks perhaps.
    others: Vec<PathBuf>,
}

impl Removal {
    fn find(context: &Context, places: &Places) -> Result<Removal> {
        let starship = Init { target: Some("starship".to_owned()), ..Init::default() };
        let mut removal = Removal {
            edits: Vec::new(),
            record: Record::read(&places.config.join("ait")),
            starship: text_for(&starship, &places.program)?,
            others: profiles::roots()
                .into_iter()
                .filter(|root| context.root().is_ok_and(|own| own.path() != root))
                .collect(),
        };
        let known = startup::places(&places.folders).into_iter().map(|place| (place.file, place.target));
        let ours = TARGETS.iter().map(|target| ((target.file)(places), target.name));
        for (path, target) in known.chain(ours) {
            removal.add(path, target, OWN_FILE);
        }
        for target in &TARGETS {
            if let Some(completions) = target.completions {
                removal.add(completions(places), "", "ait completions");
                removal.add(completions(places), "", "#compdef ait\n");
            }
        }
        removal.add(places.folders.home.join(".zfunc/_ait"), "", "#compdef ait\n");
        removal.add(man_page(places), "", ".TH AIT 1 ");
        Ok(removal)
    }

    /// Adds a file if something of ait is in it. `own`: how a file begins that is ait's alone.
    fn add(&mut self, path: PathBuf, target: &'static str, own: &str) {
        let Ok(text) = files::read(&path, LIMIT) else { return };
        let first = text.get(..text.len().min(200)).unwrap_or_default();
        let edit = Edit { is_own: memchr::memmem::find(first, own.as_bytes()).is_some(), path, target };
        let is_changed = edit.is_own || !target.is_empty() && self.left(&edit, &text).map_or(true, |left| left != text);
        if is_changed && !self.edits.iter().any(|known| known.path == edit.path) {
            self.edits.push(edit);
        }
    }

    /// The text of a file without the lines of ait.
    fn left(&self, edit: &Edit, text: &[u8]) -> Result<Vec<u8>> {
        let printed = if edit.target == "starship" { self.starship.as_str() } else { "" };
        without_ait(text, edit.target, printed).map_err(|why| {
            Error::new(DOING, edit.path.display(), why).hint("repair the file, or remove the rest of these lines")
        })
    }

    fn change(&self, edit: &Edit, current: Current) -> Result<Change> {
        let Some(text) = current.bytes else { return Ok(Change::Keep) };
        if edit.is_own {
            return Ok(Change::Remove { backup: false });
        }
        let bytes = self.left(edit, text)?;
        let is_created = self.record.files.contains(&edit.path) && !current.is_link;
        Ok(if bytes.is_empty() && is_created {
            Change::Remove { backup: false }
        } else {
            // Without a copy if that is already what one of the copies has.
            let known = copies_of(&edit.path).iter().any(|(_, copy)| *copy == bytes);
            Change::Write { bytes, backup: !known }
        })
    }

    /// The changes as a diff; a file that goes is named only.
    fn shown(&self, places: &Places) -> String {
        let mut out = String::new();
        for edit in &self.edits {
            let (before, change) = match atomic(&edit.path, "").preview(|current| self.change(edit, current)) {
                Ok(preview) => preview,
                Err(error) => {
                    out.push_str(&format!("{error}\n"));
                    continue;
                }
            };
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            match change {
                Change::Remove { .. } => out.push_str(&format!("remove {}\n", places.show(&edit.path))),
                Change::Write { bytes, .. } => {
                    let name = width::visible(&edit.path.to_string_lossy());
                    out.push_str(&diff::unified(&name, &name, &text(&before.unwrap_or_default()), &text(&bytes)));
                }
                Change::Keep => {}
            }
        }
        for folder in own_folders(places).iter().filter(|folder| files::exists(folder)) {
            out.push_str(&format!("remove {}\n", places.show(folder)));
        }
        out
    }

    fn apply(&self, paths: &InstallPaths, problems: &mut Vec<String>) {
        let suffix = paths.suffix();
        for edit in &self.edits {
            if let Err(error) = atomic(&edit.path, &suffix).edit(|current| self.change(edit, current)) {
                problems.push(error.to_string());
            }
        }
    }

    /// Removes the copies of files that are again what one of their copies says, or that did not exist.
    fn remove_copies(&self, paths: &InstallPaths, record: &Record) {
        let settings = paths.settings();
        for file in self.edits.iter().map(|edit| &edit.path).chain([&settings]) {
            let now = files::read(file, LIMIT).ok();
            let copies = copies_of(file);
            let is_restored = match &now {
                Some(now) => copies.iter().any(|(_, copy)| copy == now),
                None => record.files.contains(file),
            };
            let file = files::resolve(file);
            if let Some(folder) = file.parent().filter(|_| is_restored).and_then(|parent| Folder::open(parent).ok()) {
                copies.iter().for_each(|(name, _)| drop(folder.remove(name)));
            }
        }
    }
}

fn atomic<'a>(path: &'a Path, suffix: &'a str) -> AtomicEdit<'a> {
    AtomicEdit { doing: DOING, path, limit: LIMIT, backup_suffix: suffix, mode: None }
}

/// The names and contents of the copies of a file.
fn copies_of(file: &Path) -> Vec<(String, Vec<u8>)> {
    let file = files::resolve(file);
    let read = |name: String| Some((name.clone(), files::read(&file.with_file_name(&name), LIMIT).ok()?));
    hooks::copies(&file).into_iter().filter_map(read).collect()
}

/// The folders that are ait's alone.
fn own_folders(places: &Places) -> Vec<PathBuf> {
    revision::folders().chain(cache_home()).chain([places.config.join("ait")]).collect()
}

/// The folders of sessions that exist.
fn sessions(context: &Context) -> Vec<PathBuf> {
    let Ok(root) = context.root() else { return Vec::new() };
    ["active", "history"]
        .map(|name| root.path().join(name))
        .into_iter()
        .filter(|folder| files::exists(folder))
        .collect()
}

fn remove_folder(folder: &Path, problems: &mut Vec<String>) {
    if let Err(why) = files::remove_folder(folder).or_else(|why| if files::exists(folder) { Err(why) } else { Ok(()) })
    {
        problems.push(Error::new(DOING, folder.display(), why).to_string());
    }
}

/// Removes ait's own folders, then those that `ait setup` created and that are empty now, the deepest first.
fn remove_folders(places: &Places, record: &Record, problems: &mut Vec<String>) {
    own_folders(places).iter().for_each(|folder| remove_folder(folder, problems));
    for folder in record.folders.iter().rev() {
        // One that has other things in it by now stays.
        let _ = files::remove_empty_folder(folder);
    }
}

/// How to remove the program with the package manager that installed it; `None` if none did. Decided by paths alone, without
/// asking any manager.
fn removal_command(program: &Path, exists: impl Fn(&Path) -> bool) -> Option<&'static str> {
    let resolved = files::resolve(program);
    let contains = |folder: &str| resolved.to_string_lossy().contains(folder);
    // https://nixos.org/manual/nix, https://docs.brew.sh/FAQ, https://docs.npmjs.com/cli/configuring-npm/folders
    for (folder, command) in [
        ("/Cellar/ait-sessions/", "brew uninstall ait-sessions"),
        ("/nix/store/", "nix profile remove ait"),
        ("/node_modules/", "npm uninstall --global ait-sessions"),
        ("/.cargo/bin/", "cargo uninstall ait-sessions"),
    ] {
        if contains(folder) {
            return Some(command);
        }
    }
    if program != Path::new("/usr/bin/ait") {
        return None;
    }
    // dpkg lists the files of each package here. On the other systems /usr/bin is for packages only.
    for (file, command) in [
        ("/var/lib/dpkg/info/ait-sessions.list", "sudo apt remove ait-sessions"),
        ("/usr/bin/pacman", "sudo pacman -R ait-sessions-bin"),
        ("/usr/bin/dnf", "sudo dnf remove ait-sessions"),
        ("/usr/bin/zypper", "sudo zypper remove ait-sessions"),
    ] {
        if exists(Path::new(file)) {
            return Some(command);
        }
    }
    None
}

fn last_words(places: &Places, removal: &Removal, left: &[String]) -> String {
    let mut out = "ait is uninstalled. ".to_owned();
    let remove = removal_command(&places.program, files::exists)
        .map_or_else(|| format!("rm {}", places.show(&places.program)), str::to_owned);
    out.push_str(&format!("What remains is the program; to remove it, type: {remove}\n"));
    if !left.is_empty() {
        out.push_str(&format!("Your sessions are still in {}.\n", left.join(" and ")));
    }
    for root in &removal.others {
        let claude = root.parent().unwrap_or(root);
        out.push_str(&format!("Another profile: CLAUDE_CONFIG_DIR={} ait hooks uninstall\n", places.show(claude)));
    }
    if removal.edits.iter().any(|edit| !matches!(edit.target, "" | "tmux" | "starship")) {
        out.push_str("Shells that are open show the segment until you close them.\n");
    }
    if removal.edits.iter().any(|edit| edit.target == "tmux") {
        out.push_str(
            "In a running tmux server, before you remove the program: ait init tmux --plugin | sh -s -- --remove\n",
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_of_a_package_is_removed_with_its_manager() {
        let command = |program: &str, there: &str| removal_command(Path::new(program), |path| path == Path::new(there));
        let list = "/var/lib/dpkg/info/ait-sessions.list";
        for (program, there, expected) in [
            ("/usr/bin/ait", list, Some("sudo apt remove ait-sessions")),
            ("/usr/bin/ait", "/usr/bin/dnf", Some("sudo dnf remove ait-sessions")),
            ("/usr/bin/ait", "/usr/bin/zypper", Some("sudo zypper remove ait-sessions")),
            ("/usr/bin/ait", "/usr/bin/pacman", Some("sudo pacman -R ait-sessions-bin")),
            ("/usr/bin/ait", "", None),
            ("/usr/local/bin/ait", list, None),
            ("/home/me/.local/bin/ait", "/usr/bin/dnf", None),
            ("/opt/homebrew/Cellar/ait-sessions/0.1.0/bin/ait", "", Some("brew uninstall ait-sessions")),
            ("/home/me/.cargo/bin/ait", list, Some("cargo uninstall ait-sessions")),
        ] {
            assert_eq!(command(program, there), expected, "{program} {there}");
        }
    }
}
