//! The hooks of ait in a settings file.

use super::document::{Document, Node, Problem, Value, is_blank};
use super::entries::{check_shape, entries};
use super::status_line;
use super::wanted::Hook;

/// An entry of ait that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The hook that it runs.
    pub hook: Hook,
    /// The event; empty for the status line.
    pub event: String,
    /// The command as it is written.
    pub command: String,
    /// The matcher; `None`: the entry runs for everything.
    pub matcher: Option<String>,
    /// The line it begins on, from 1.
    pub line: usize,
    /// Whether Claude Code runs it: right form, and not replaced by a later key of the same name.
    pub runs: bool,
    /// Whether the command does nothing else.
    pub alone: bool,
}

/// The result of an inspection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// The entries of ait, in the order of the file.
    pub installed: Vec<Installed>,
    /// `"disableAllHooks": true`: neither hooks nor the status line run.
    pub all_disabled: bool,
    /// `"allowManagedHooksOnly": true`: in a managed file it keeps the user's own hooks from running.
    pub managed_only: bool,
    /// There is a status line, of ait or not.
    pub has_status_line: bool,
    /// The plugin of ait is enabled: its hooks run as well.
    pub plugin: bool,
    /// The line of the first comment or trailing comma, for which Claude Code ignores the whole file.
    pub loose: Option<usize>,
    /// Why the hooks are not of the form that Claude Code takes, and nothing can be added to them.
    pub misshapen: Option<String>,
}

/// Whether `"enabledPlugins"` has the plugin of ait, whatever the marketplace is called that it was installed from.
fn has_plugin(document: &Document) -> bool {
    let enabled = document.root.get("enabledPlugins").map(Node::properties).unwrap_or_default();
    enabled.iter().any(|plugin| plugin.key.starts_with("ait@") && matches!(plugin.value.value, Value::Bool(true)))
}

/// Inspects a settings file.
///
/// # Errors
/// Where it cannot be parsed.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, Problem> {
    if is_blank(bytes) {
        return Ok(Inspection::default());
    }
    let document = Document::parse(bytes)?;
    let is_true = |key| matches!(document.root.get(key).map(|node| &node.value), Some(Value::Bool(true)));
    let hooks = entries(&document).into_iter().map(|entry| Installed {
        runs: entry.effective && !entry.is_flat(),
        hook: entry.hook,
        event: entry.event.to_owned(),
        command: entry.command.to_owned(),
        matcher: entry.matcher().map(str::to_owned),
        line: entry.line,
        alone: entry.alone,
    });
    let last = document.root.get("statusLine");
    let lines = status_line::all(&document).into_iter().map(|line| Installed {
        hook: Hook::Statusline,
        event: String::new(),
        command: line.command.to_owned(),
        matcher: None,
        line: document.line(line.value.span.start),
        runs: last.is_some_and(|last: &Node| last.same(line.value)),
        alone: true,
    });
    Ok(Inspection {
        installed: hooks.chain(lines).collect(),
        all_disabled: is_true("disableAllHooks"),
        managed_only: is_true("allowManagedHooksOnly"),
        has_status_line: last.is_some(),
        plugin: has_plugin(&document),
        loose: document.first_extension(),
        misshapen: check_shape(&document).err().map(|problem| problem.to_string()),
    })
}
