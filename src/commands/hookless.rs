//! Running sessions that no hook has reported: only Claude Code's own registry knows them. They were started before hooks
//! were installed, or run none.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use jiff::Timestamp;

use super::hooks;
use crate::claude::client;
use crate::claude::registry::{Record, pids};
use crate::claude::settings::{Hook, quote};
use crate::context::Context;
use crate::session::id::SessionId;
use crate::session::manifest::Manifest;
use crate::store::live::Liveness;
use crate::store::manifest_file::Session;
use crate::store::place::Place;
use crate::store::root::Root;
use crate::sys::files::{self, Folder};
use crate::sys::process;

/// A session that only the registry knows.
#[derive(Clone, Debug)]
pub struct Hookless {
    /// Claude Code's folder, in which its settings are.
    config: PathBuf,
    record: Record,
}

/// Why no hook has reported a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The settings contain no hook of ait.
    NotInstalled,
    /// The settings turn hooks off, or Claude Code ignores them.
    Disabled,
    /// The session was started with an option that turns hooks off.
    Bare,
    /// Nothing has happened in the session since the hooks were installed.
    IdleSinceInstall,
    /// None of these.
    Unknown,
}

impl Reason {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::NotInstalled => "not_installed",
            Reason::Disabled => "disabled",
            Reason::Bare => "bare",
            Reason::IdleSinceInstall => "idle_since_install",
            Reason::Unknown => "unknown",
        }
    }

    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            Reason::NotInstalled => "they are not installed",
            Reason::Disabled => "they are disabled",
            Reason::Bare => "the session was started with --bare",
            Reason::IdleSinceInstall => "the session has been idle since they were installed",
            Reason::Unknown => "they do not run in this session",
        }
    }
}

/// The running sessions in the registries of all profiles that are not among the `known` ones, each with the root of its
/// profile. A registry of processes that all belong to known sessions costs one listing.
pub fn find(root: &Root, known: &[&Session]) -> Vec<(Session, Rc<Root>, Hookless)> {
    let claimed: Vec<u32> = known.iter().flat_map(|session| session.manifest.stamps().map(|stamp| stamp.pid)).collect();
    let mut found: Vec<(Session, Rc<Root>, Hookless)> = Vec::new();
    for registry in root.registries() {
        let unclaimed = pids(&registry).into_iter().filter(|pid| !claimed.contains(pid));
        let mut folder = None;
        for pid in unclaimed {
            let Some(folder) = folder.get_or_insert_with(|| Folder::open(&registry).ok()) else { break };
            let Some((session, record)) = session_of(folder, pid) else { continue };
            let is_known = known.iter().copied().chain(found.iter().map(|(session, ..)| session));
            if is_known.into_iter().any(|other| other.id == session.id) || is_isolated(root, &registry, &session.id) {
                continue;
            }
            let config = registry.parent().unwrap_or(&registry).to_owned();
            found.push((session, root.of_registry(&registry), Hookless { config, record }));
        }
    }
    found
}

/// Whether the hooks of a session write into another folder than the reader's, which `AIT_SESSIONS_DIR` names.
fn is_isolated(root: &Root, registry: &Path, id: &SessionId) -> bool {
    root.is_explicit() && files::exists(&registry.join("active").join(id.file_name()))
}

/// The session in a record, if its process runs and it has one.
fn session_of(folder: &Folder, pid: u32) -> Option<(Session, Record)> {
    let name = crate::claude::registry::name_of(pid);
    let (record, _) = Record::read_in(folder, &name)?;
    let id = SessionId::parse(&record.session_id).filter(|_| record.has_session())?;
    // Records of old clients do not tell when the process started.
    if record.process_start.is_none() && !process::look_up(pid).is_some_and(|found| client::is_client(&found.name)) {
        return None;
    }
    let path = record.folder.clone().filter(|path| Path::new(path).is_absolute())?;
    let place = Place::of(Path::new(&path));
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut manifest = Manifest::default();
    manifest.session_id.clone_from(&record.session_id);
    manifest.project = place.project();
    manifest.path = path;
    manifest.git_branch = place.tree.as_ref().and_then(|tree| tree.head_for_display().branch);
    manifest.started = record.started;
    (manifest.pid, manifest.pid_start, manifest.pid_namespace) =
        (Some(pid), record.process_start, record.pid_namespace);
    manifest.tree = place.tree.as_ref().map(|tree| text(&tree.root));
    manifest.repository = place.repository.as_deref().map(text);
    manifest.tmux_pane.clone_from(&record.tmux_pane);
    let session = Session::new(id, manifest, &folder.meta_of(&name).ok()?);
    (session.liveness == Liveness::Live).then_some((session, record))
}

impl Hookless {
    /// Why no hook has reported the session, as far as it can be told, and what to do about it.
    pub fn reason(&self, context: &Context) -> (Reason, String) {
        let Ok(paths) = hooks::InstallPaths::find(context) else {
            return (Reason::Unknown, "type: ait doctor".to_owned());
        };
        let paths = hooks::InstallPaths { claude: self.config.clone(), ..paths };
        let settings = paths.settings();
        let shown = paths.show(&settings);
        let Ok(found) = hooks::read_settings("", &settings).map(Option::unwrap_or_default) else {
            return (Reason::Disabled, format!("correct {shown}, because Claude Code ignores it"));
        };
        let arguments = self.record.pid.and_then(process::command_line).unwrap_or_default();
        if arguments.iter().any(|argument| argument == "--bare") {
            return (Reason::Bare, "start it without --bare".to_owned());
        }
        if let Some(line) = found.loose {
            return (Reason::Disabled, format!("correct line {line} of {shown}, because Claude Code ignores the file"));
        }
        if let Some(file) = self.disabling(&paths, found.all_disabled) {
            return (Reason::Disabled, format!("remove \"disableAllHooks\" from {}", paths.show(&file)));
        }
        if hooks::managed_remark(&paths).is_some() {
            return (Reason::Disabled, format!("ask the administrator, who wrote {}", paths.show(&paths.managed)));
        }
        let is_start = |event: &str, hook| event == "SessionStart" && hook == Hook::Register;
        if !found.plugin && !found.installed.iter().any(|entry| entry.runs && is_start(&entry.event, entry.hook)) {
            return (Reason::NotInstalled, format!("type: {}", self.install_command(context)));
        }
        let changed = files::metadata(&settings).ok();
        let changed = changed.and_then(|meta| Timestamp::from_nanosecond(meta.modified).ok());
        if self.record.status_since.max(self.record.started) <= changed {
            return (Reason::IdleSinceInstall, "type a prompt in it".to_owned());
        }
        (Reason::Unknown, "look at /hooks in it, and type: ait doctor".to_owned())
    }

    /// The settings file that turns all hooks off: the user's, or one of the project's.
    fn disabling(&self, paths: &hooks::InstallPaths, is_user: bool) -> Option<PathBuf> {
        if is_user {
            return Some(paths.settings());
        }
        let project = Path::new(self.record.folder.as_deref()?).join(".claude");
        let files = ["settings.json", "settings.local.json"].map(|name| project.join(name));
        files.into_iter().find(|file| hooks::read_settings("", file).ok().flatten().is_some_and(|f| f.all_disabled))
    }

    /// `ait hooks install`, under the profile of the session.
    fn install_command(&self, context: &Context) -> String {
        let default = context.home.as_ref().map(|home| home.join(".claude"));
        let current = context.path_variable("CLAUDE_CONFIG_DIR").or_else(|| default.clone());
        if current.as_ref() == Some(&self.config) {
            "ait hooks install".to_owned()
        } else if default.as_ref() == Some(&self.config) {
            "env -u CLAUDE_CONFIG_DIR ait hooks install".to_owned()
        } else {
            format!("env CLAUDE_CONFIG_DIR={} ait hooks install", quote(&self.config.to_string_lossy()))
        }
    }

    /// Whether it has no user at a terminal: `claude -p`, or a program that uses the SDK.
    pub fn is_headless(&self) -> Option<bool> {
        self.record.is_headless()
    }
}
