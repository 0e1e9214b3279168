//! The Claude Code plugin of ait (`plugin/` in the repository) beside the hooks of `ait hooks install`. If both are there,
//! Claude Code runs both at each event, and the plugin's does nothing.

use memchr::memmem;

use crate::context::Context;
use crate::sys::files;

/// A settings file larger than this is not searched; its hooks count as missing.
const SETTINGS_LIMIT: usize = 4 << 20;

/// Whether the user's settings call ait for this hook. Their text is searched for its name, which both of its forms
/// contain: `ait hook session-register` and `~/.claude/hooks/session-register.sh`. Costs a tenth of parsing the file.
pub(super) fn settings_have(context: &Context, hook: &str) -> bool {
    let claude = context.path_variable("CLAUDE_CONFIG_DIR").or_else(|| Some(context.home.as_ref()?.join(".claude")));
    let settings = claude.and_then(|claude| files::read(&claude.join("settings.json"), SETTINGS_LIMIT).ok());
    settings.is_some_and(|text| memmem::find(&text, hook.as_bytes()).is_some())
}
