//! What `ait setup` would change, file by file.

use std::path::{Path, PathBuf};

use super::block;
use super::places::{CLAUDE, Lines, Places, TARGETS, Target};
use crate::commands::{frameworks, startup};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::render::completions::{bash, fish, zsh};
use crate::render::{completion_tables, diff, man, ui, width};
use crate::sys::atomic_edit::{AtomicEdit, Change, Current};
use crate::sys::files;

pub(super) const DOING: &str = "setting up";
/// A startup file larger than this is not one.
pub(super) const LIMIT: usize = 4 << 20;
/// Others may read them: shells of a system that shares the home folder, and `man`.
const READABLE: u32 = 0o644;

/// The change of one file.
pub(super) struct Step {
    /// The file, or a link to it.
    pub(super) path: PathBuf,
    /// What for: `zsh`, `completions of zsh`.
    pub(super) what: String,
    /// What to put in.
    pub(super) lines: Lines,
    /// A file that ait generates: the diff does not show it.
    generated: bool,
    /// What to type in a shell that runs already.
    pub(super) reload: &'static str,
}

impl Step {
    /// The edit of the file.
    pub(super) fn edit<'a>(&'a self, suffix: &'a str) -> AtomicEdit<'a> {
        let mode = matches!(self.lines, Lines::File(_)).then_some(READABLE);
        AtomicEdit { doing: DOING, path: &self.path, limit: LIMIT, backup_suffix: suffix, mode }
    }

    /// The content of the file after it.
    pub(super) fn change(&self, current: Current) -> Result<Change> {
        let bytes = match &self.lines {
            Lines::File(text) => text.clone().into_bytes(),
            Lines::Block(lines) => block::put(current.bytes.unwrap_or_default(), lines).map_err(|why| {
                Error::new(DOING, self.path.display(), why).hint("repair the file, or remove the rest of these lines")
            })?,
        };
        Ok(Change::Write { bytes, backup: true })
    }

    /// What to do by hand if the file cannot be written; `None` if it can.
    fn by_hand(&self, places: &Places) -> Option<String> {
        let file = files::resolve(&self.path);
        let folder = file.ancestors().skip(1).find(|folder| files::exists(folder)).unwrap_or(&file);
        let blocked = if files::exists(&file) && !files::is_writable(&file) { &file } else { folder };
        if files::is_writable(blocked) && files::is_writable(folder) {
            return None;
        }
        let of = if file == self.path { String::new() } else { format!(", a link to {},", places.show(&file)) };
        let shown = places.show(&self.path);
        Some(match self.to_add() {
            Some(lines) => {
                format!("{}: {shown}{of} cannot be written. Where it is generated from, add:{lines}", self.what)
            }
            None => format!("{}: {shown}{of} cannot be written.\n", self.what),
        })
    }

    /// The lines to add by hand, indented, with an empty line before and after them; `None` if there are too many.
    pub(super) fn to_add(&self) -> Option<String> {
        let (Lines::Block(lines) | Lines::File(lines)) = &self.lines;
        (!self.generated).then(|| format!("\n\n    {}\n\n", lines.trim_end().replace('\n', "\n    ")))
    }
}

/// All changes, and what to tell about the rest.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    /// Remarks, a line each; some with lines to add by hand.
    pub(super) notes: String,
    /// The changes as a diff.
    pub(super) diff: String,
    /// Files that could not be looked at, an error each.
    pub(super) problems: Vec<String>,
}

impl Places {
    /// A path for people.
    pub(super) fn show(&self, path: &Path) -> String {
        let home = self.folders.home.to_string_lossy();
        width::visible(&ui::with_tilde(&path.to_string_lossy(), Some(&home)))
    }
}

/// The targets to set up: those that `--only` names, else those that are used.
///
/// # Errors
/// If a name is unknown.
pub(super) fn chosen(only: Option<&str>, places: &Places) -> Result<Vec<&'static Target>> {
    let Some(only) = only else { return Ok(TARGETS.iter().filter(|target| target.is_used(places)).collect()) };
    let names = only.split(',').map(str::trim).filter(|name| !name.is_empty());
    if names.clone().next().is_none() {
        return Err(Error::new("reading the command line", "--only", "no name").exit(Exit::NotFound));
    }
    let names = names.filter(|name| *name != CLAUDE);
    names
        .map(|name| {
            TARGETS.iter().find(|target| target.name == name).ok_or_else(|| {
                let known: Vec<&str> = TARGETS.iter().map(|target| target.name).chain([CLAUDE]).collect();
                Error::new("reading the command line", format!("--only {name}"), "unknown name")
                    .hint(format!("use some of: {}", known.join(",")))
                    .exit(Exit::NotFound)
            })
        })
        .collect()
}

/// Finds out what is to be changed for these targets.
///
/// # Errors
/// If this program has no path that can be written into a file.
pub(super) fn plan(context: &Context, places: &Places, targets: &[&Target]) -> Result<Plan> {
    let mut plan = Plan::default();
    let is_packaged = is_packaged(places);
    for target in targets {
        let file = (target.file)(places);
        if let Some(note) = loaded_elsewhere(target, &file, places) {
            plan.notes.push_str(&note);
        } else {
            let mut lines = (target.lines)(places)?;
            if let Lines::Block(lines) = &mut lines
                && target.name == "zsh"
                && uses_powerlevel10k(&file, places)
            {
                *lines = lines.replacen(" init zsh)", " init zsh --manual)", 1);
                plan.notes.push_str("powerlevel10k: add ait to its elements as `ait init --help` shows\n");
            }
            plan.notes.push_str(&chezmoi_note(&file, places));
            let step =
                Step { path: file, what: target.name.to_owned(), lines, generated: false, reload: target.reload };
            add(&mut plan, places, step);
        }
        let is_there = is_packaged && (target.name != "nushell" || nushell_has_completions(context));
        if let Some(completions) = target.completions.filter(|_| !is_there) {
            let ait = (context.commands)();
            let text = match target.name {
                "zsh" => zsh(&ait),
                "bash" => bash(&ait),
                "nushell" => completion_tables::nushell(&ait),
                _ => fish(&ait),
            };
            add_generated(&mut plan, places, completions(places), &format!("completions of {}", target.name), text);
        }
    }
    if !targets.is_empty() && !is_packaged {
        let page = man::page(&(context.commands)());
        add_generated(&mut plan, places, man_page(places), "man page", page);
    }
    Ok(plan)
}

/// Where the manual page belongs: `man` looks beside `~/.local/bin`.
pub(super) fn man_page(places: &Places) -> PathBuf {
    places.data.join("man/man1/ait.1")
}

/// Whether a package installed the manual page, and so the completions too, beside the program: `/usr/share` for `/usr/bin`.
fn is_packaged(places: &Places) -> bool {
    let own = man_page(places);
    let prefix = places.program.parent().and_then(Path::parent);
    let pages = prefix
        .into_iter()
        .flat_map(|prefix| ["ait.1", "ait.1.gz"].map(|name| prefix.join("share/man/man1").join(name)));
    pages.into_iter().any(|page| page != own && files::exists(&page))
}

/// Whether nushell finds the completions of a package: it looks into the data folders of the system, wherever the program is.
fn nushell_has_completions(context: &Context) -> bool {
    let folders = context.path_variable("XDG_DATA_DIRS").filter(|folders| !folders.as_os_str().is_empty());
    let folders = folders.unwrap_or_else(|| PathBuf::from("/usr/local/share:/usr/share"));
    let is_there = |folder: &str| files::exists(&Path::new(folder).join("nushell/vendor/autoload/ait.nu"));
    folders.to_string_lossy().split(':').any(is_there)
}

fn add_generated(plan: &mut Plan, places: &Places, path: PathBuf, what: &str, text: String) {
    add(plan, places, Step { path, what: what.to_owned(), lines: Lines::File(text), generated: true, reload: "" })
}

/// Adds a step if it changes something.
fn add(plan: &mut Plan, places: &Places, step: Step) {
    let (before, after) = match step.edit("").preview(|current| step.change(current)) {
        Ok((before, Change::Write { bytes, .. })) => (before, bytes),
        Ok(_) => return,
        Err(error) => return plan.problems.push(error.to_string()),
    };
    if before.as_ref() == Some(&after) {
        return;
    }
    if let Some(note) = step.by_hand(places) {
        plan.notes.push_str(&note);
        return;
    }
    let shown = width::visible(&step.path.to_string_lossy());
    if step.generated {
        let verb = if before.is_some() { "update" } else { "write" };
        plan.diff.push_str(&format!("{verb} {shown} ({})\n", step.what));
    } else {
        let old = if before.is_some() { shown.as_str() } else { "/dev/null" };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        plan.diff.push_str(&diff::unified(old, &shown, &text(before.as_deref().unwrap_or_default()), &text(&after)));
    }
    plan.steps.push(step);
}

/// The remark that a target already loads ait by a line which is not that of `ait setup`.
fn loaded_elsewhere(target: &Target, file: &Path, places: &Places) -> Option<String> {
    let read = |path: &Path| Some(String::from_utf8_lossy(&files::read(path, LIMIT).ok()?).into_owned());
    let own = read(file).is_some_and(|text| text.contains(block::OURS) || text.contains(OWN_FILE));
    if own {
        return None;
    }
    let known = startup::places(&places.folders).into_iter().filter(|place| place.target == target.name);
    let files = known.map(|place| place.file).chain([file.to_owned()]);
    let found = files
        .into_iter()
        .find_map(|file| startup::find(target.name, &startup::lines(&file, &places.folders, &read)))?;
    Some(format!("{}: {} already loads ait, line {}\n", target.name, places.show(&found.file), found.line))
}

/// A text in each startup file that is ait's alone.
pub(super) const OWN_FILE: &str = "# Written by `ait setup`";

fn uses_powerlevel10k(file: &Path, places: &Places) -> bool {
    let read = |path: &Path| Some(String::from_utf8_lossy(&files::read(path, LIMIT).ok()?).into_owned());
    let lines = startup::lines(file, &places.folders, &read);
    frameworks::names(startup::active(&lines)).iter().any(|name| name == "powerlevel10k")
}

/// chezmoi writes its own copy over the file at its next run.
fn chezmoi_note(file: &Path, places: &Places) -> String {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let source = format!("dot_{}", name.trim_start_matches('.'));
    let folder = files::Folder::open(places.data.join("chezmoi"));
    let names = folder.and_then(|folder| folder.names()).unwrap_or_default();
    let managed = name.starts_with('.') && names.iter().any(|name| name.contains(&source));
    if managed {
        format!("chezmoi manages {}; afterwards type: chezmoi add {0}\n", places.show(file))
    } else {
        String::new()
    }
}
