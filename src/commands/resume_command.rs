//! How an interrupted session is resumed: where, by which command, and what has to be created again before.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::task::quoted;
use crate::claude::start_options::StartOptions;
use crate::git;
use crate::session::manifest::Manifest;
use crate::sys::files;

/// A session to have back.
pub(super) struct Lost {
    pub(super) manifest: Manifest,
    pub(super) last_seen: Option<Timestamp>,
    pub(super) way: Way,
}

/// How to have it back.
pub(super) struct Way {
    /// Where it was started; `None` if that was not recorded.
    pub(super) folder: Option<PathBuf>,
    /// The command that creates that folder again, if it was removed.
    pub(super) restore: Option<String>,
    /// The command that resumes the session.
    pub(super) command: String,
    /// The arguments of `claude` in it.
    pub(super) arguments: Vec<String>,
    /// An option of its start that is not repeated, because it switches permission questions off.
    pub(super) left_out: Option<&'static str>,
}

impl Lost {
    /// The remark about an option that is not repeated.
    pub(super) fn left_out(&self) -> Option<String> {
        let short: String = self.manifest.session_id.chars().take(8).collect();
        self.way.left_out.map(|option| format!("session {short} was started with {option}, which is not repeated"))
    }
}

/// Adds the commands that resume the session with this number in a list.
pub(super) fn push_commands(text: &mut String, number: usize, way: &Way) {
    for (part, line) in [way.restore.as_ref(), Some(&way.command)].into_iter().flatten().enumerate() {
        match part {
            0 => text.push_str(&format!("{number:>3}. {line}\n")),
            _ => text.push_str(&format!("     {line}\n")),
        }
    }
}

/// How to resume a session.
pub(super) fn resume_command(manifest: &Manifest) -> Way {
    let folder = manifest.started_in.as_deref().filter(|folder| folder.starts_with('/')).unwrap_or(&manifest.path);
    let options = StartOptions::parse(manifest.start_options.iter().map(String::as_str));
    let mut arguments = vec!["--resume".to_owned(), manifest.session_id.clone()];
    arguments.extend(options.repeated(|added| files::is_folder(&Path::new(folder).join(added))));
    let left_out = options.unsafe_option;
    let words: Vec<String> = arguments.iter().map(|word| quoted(word)).collect();
    let resume = format!("claude {}", words.join(" "));
    if folder.is_empty() {
        return Way { folder: None, restore: None, command: resume, arguments, left_out };
    }
    let command = format!("cd {} && {resume}", quoted_path(folder));
    let folder = PathBuf::from(folder);
    let restore = if files::is_folder(&folder) { None } else { Some(restore(manifest, &folder)) };
    Way { folder: Some(folder), restore, command, arguments, left_out }
}

/// A folder as it can be typed into a shell: never an option, never looked up in `CDPATH`.
fn quoted_path(path: &str) -> String {
    let before = if path.starts_with('/') { "" } else { "./" };
    // Substitution takes newlines from the end.
    let after = if path.ends_with('\n') { "/" } else { "" };
    quoted(&format!("{before}{path}{after}"))
}

/// The command that makes a folder again: the worktree that it was or lay in, from the repository that still exists; else
/// the empty folder, which is all that Claude Code requires.
fn restore(manifest: &Manifest, folder: &Path) -> String {
    let make = format!("mkdir -p {}", quoted_path(&folder.to_string_lossy()));
    let tree = manifest.tree.as_deref().filter(|tree| folder.starts_with(tree) && !files::is_folder(Path::new(tree)));
    let (Some(tree), Some(repository)) = (tree, manifest.repository.as_deref()) else { return make };
    if !files::is_folder(Path::new(repository)) || Path::new(repository).starts_with(tree) {
        return make;
    }
    let main = repository.strip_suffix("/.git").unwrap_or(repository);
    let (main, root) = (quoted_path(main), quoted_path(tree));
    // Anyone may have written the manifest. git accepts no such branch or commit, but would take it for an option.
    let branch = manifest.git_branch.as_deref().filter(|branch| !branch.starts_with('-'));
    let head = manifest.head.as_deref().filter(|head| head.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let checkout = match (branch, head) {
        (Some(branch), _) if git::has_branch(Path::new(repository), branch) => format!("{root} {}", quoted(branch)),
        (Some(branch), Some(head)) => format!("-b {} {root} {head}", quoted(branch)),
        (None, Some(head)) => format!("--detach {root} {head}"),
        _ => root.clone(),
    };
    // git still has the worktree on its list, unless someone pruned it. A lock would keep it there; `add -f -f` would
    // ignore the lock, but also check out a branch that another tree has.
    let unlock = match git::is_locked_worktree(Path::new(repository), Path::new(tree)) {
        true => format!("git -C {main} worktree unlock {root} && "),
        false => String::new(),
    };
    let add = format!("{unlock}git -C {main} worktree prune && git -C {main} worktree add {checkout}");
    if folder == Path::new(tree) { add } else { format!("{add} && {make}") }
}
