//! The hooks that can be installed, their events and their commands.

use super::text_edit::NewValue;
use crate::claude::client::{KNOWS_FAILURES, Version};
use crate::claude::shell_lexer;

/// Something that `ait hooks install` can put into Claude Code's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// Writes the manifest of a session and keeps it up to date.
    Register,
    /// Archives the manifest when the session ends.
    Cleanup,
    /// The status line.
    Statusline,
}

impl Hook {
    /// All of them.
    pub const ALL: [Hook; 3] = [Hook::Register, Hook::Cleanup, Hook::Statusline];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Hook::Register => "session-register",
            Hook::Cleanup => "session-cleanup",
            Hook::Statusline => "statusline",
        }
    }

    /// The hook of that name.
    pub fn named(name: &str) -> Option<Hook> {
        Hook::ALL.into_iter().find(|hook| hook.name() == name)
    }

    /// The file name of its script, if it has one.
    pub fn script(self) -> Option<&'static str> {
        match self {
            Hook::Register => Some("session-register.sh"),
            Hook::Cleanup => Some("session-cleanup.sh"),
            Hook::Statusline => None,
        }
    }
}

/// An event of Claude Code for which a hook is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The event, as Claude Code names it.
    pub event: &'static str,
    /// The hook that it runs.
    pub hook: Hook,
    /// For which tools; `None`: the event has nothing to do with tools.
    pub matcher: Option<&'static str>,
    /// The oldest client that is known to accept the name; `None`: all of them, from 2.0.62 on.
    pub since: Option<Version>,
}

/// The tools whose start and end tell something. All others (Read, Grep, Glob, WebFetch, TodoWrite, ...) start no process:
/// their dialogs are known from Claude Code's registry, and that the session works from the prompt before them.
///
/// - Edit, Write, MultiEdit, NotebookEdit: which file is about to be written, and was.
/// - Bash, PowerShell: may move HEAD, change the branch or the folder.
/// - AskUserQuestion, ExitPlanMode, EnterPlanMode: the session waits for its user, also in a client without a registry.
/// - Agent, Task: run for minutes; their start and end are then the only events of the session itself.
/// - EnterWorktree, ExitWorktree: the session moves to another tree, and no other event says so.
/// - `mcp__.*`: tools of MCP servers; some write files, and their names do not tell which.
///
/// Anchored, because a client takes anything but plain names separated by `|` as a regular expression that may match
/// anywhere: `Write` alone would then match `TodoWrite` too.
pub const TOOLS: &str = "^(Agent|AskUserQuestion|Bash|Edit|EnterPlanMode|EnterWorktree|ExitPlanMode|ExitWorktree|MultiEdit\
                         |NotebookEdit|PowerShell|Task|Write|mcp__.*)$";

/// Which event runs which hook, in the order in which they are written.
///
/// An event that a client does not know costs its user a dialog at every start, so the names without `since` are those
/// that all clients from 2.0.62 on accept. Two of those are left out: SubagentStop and PreCompact say nothing that
/// changes a manifest.
pub const EVENTS: [Registration; 9] = [
    Registration::of("SessionStart", Hook::Register),
    Registration::of("UserPromptSubmit", Hook::Register),
    Registration { matcher: Some(TOOLS), ..Registration::of("PreToolUse", Hook::Register) },
    Registration { matcher: Some(TOOLS), ..Registration::of("PostToolUse", Hook::Register) },
    Registration {
        matcher: Some(TOOLS),
        since: Some(KNOWS_FAILURES),
        ..Registration::of("PostToolUseFailure", Hook::Register)
    },
    Registration::of("Notification", Hook::Register),
    Registration::of("Stop", Hook::Register),
    Registration { since: Some(KNOWS_FAILURES), ..Registration::of("StopFailure", Hook::Register) },
    Registration::of("SessionEnd", Hook::Cleanup),
];

impl Registration {
    const fn of(event: &'static str, hook: Hook) -> Registration {
        Registration { event, hook, matcher: None, since: None }
    }

    /// The registration of a hook for an event.
    pub fn find(event: &str, hook: Hook) -> Option<Registration> {
        EVENTS.into_iter().find(|each| each.event == event && each.hook == hook)
    }
}

/// How long a hook may take, in seconds. Without a limit a hook that hangs (a home folder on a server that is
/// gone) holds every tool call for Claude Code's own 600 seconds. And if SessionEnd is given no limit, all its hooks
/// together have 1.5 seconds, other people's slow ones included; ours must get to the end.
const TIMEOUT: u32 = 5;

/// The hooks to install, and the commands that call them.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Which hooks.
    pub hooks: Vec<Hook>,
    /// The path of `ait`, absolute.
    pub ait: String,
    /// The folder with the two scripts, as a word of the shell, without a slash at its end: `~/.claude/hooks`.
    pub scripts: String,
    /// The oldest Claude Code that reads these settings; `None`: not known.
    pub client: Option<Version>,
}

impl Wanted {
    /// The command for an event; silent and successful if its program is missing.
    ///
    /// The two events that come once go through the scripts, which people know by name and can look into. The others
    /// come with every prompt and tool call, where a second shell would double what the client pays for the first.
    pub fn command(&self, event: &str, hook: Hook) -> String {
        match (hook.script(), event) {
            (Some(script), "SessionStart" | "SessionEnd") => {
                let script = format!("{}/{script}", self.scripts);
                format!("[ ! -x {script} ] || exec {script}")
            }
            (Some(_), _) => format!("{} hook {}", self.guarded_ait(), hook.name()),
            (None, _) => format!("{} statusline", self.guarded_ait()),
        }
    }

    /// `ait`, if it is there.
    fn guarded_ait(&self) -> String {
        let ait = shell_lexer::quote(&self.ait);
        format!("[ ! -x {ait} ] || exec {ait}")
    }

    /// The events to register.
    pub fn events(&self) -> impl Iterator<Item = Registration> + '_ {
        EVENTS.into_iter().filter(|each| self.hooks.contains(&each.hook) && self.is_known(each))
    }

    /// Whether the client is known to accept the event.
    fn is_known(&self, registration: &Registration) -> bool {
        registration.since.is_none_or(|since| self.client.is_some_and(|client| client >= since))
    }

    /// Whether an entry under this event may stay; true if the client's version is not known.
    pub(super) fn may_stay(&self, registration: &Registration) -> bool {
        self.client.is_none() || self.is_known(registration)
    }

    pub(super) fn group(&self, registration: &Registration) -> NewValue {
        let matcher = registration.matcher.map(|matcher| ("matcher", NewValue::Text(matcher.into())));
        let hooks = ("hooks", NewValue::Array(vec![self.handler(registration)]));
        NewValue::Object(matcher.into_iter().chain([hooks]).collect())
    }

    pub(super) fn handler(&self, registration: &Registration) -> NewValue {
        NewValue::Object(vec![
            ("type", NewValue::Text("command".into())),
            ("command", NewValue::Text(self.command(registration.event, registration.hook))),
            ("timeout", NewValue::Number(TIMEOUT)),
        ])
    }

    pub(super) fn hooks_value(&self) -> Option<NewValue> {
        let event = |each: Registration| (each.event, NewValue::Array(vec![self.group(&each)]));
        let events: Vec<_> = self.events().map(event).collect();
        (!events.is_empty()).then_some(NewValue::Object(events))
    }

    pub(super) fn status_line_value(&self) -> Option<NewValue> {
        self.hooks.contains(&Hook::Statusline).then(|| {
            NewValue::Object(vec![
                ("type", NewValue::Text("command".into())),
                ("command", NewValue::Text(self.command("", Hook::Statusline))),
            ])
        })
    }
}

/// A changed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The whole new content; `None`: the file did not exist before the installation, and should not exist now.
    pub bytes: Option<Vec<u8>>,
    /// Remarks for the user, one sentence each.
    pub remarks: Vec<String>,
}
